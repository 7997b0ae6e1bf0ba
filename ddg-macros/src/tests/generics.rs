//! Tests of generic automata.

use expect_test::expect;

use super::check_expansion;

#[test]
fn generics_are_carried_over() {
    check_expansion(
        r##"#[automa(name = "generic", crate = crate)]
        impl<M: Model, const N: usize> Agent<M, N>
        where
            M: Send + Sync + 'static,
        {
            #[worker(start)]
            async fn ask<'a>(&'a self, prompt: &'a Prompt<M>) -> [M::Answer; N] { todo!() }

            #[worker(dependencies = [ask], output)]
            async fn answer(&self, answers: [M::Answer; N]) -> M::Answer { todo!() }
        }"##,
        &expect![[r#"
            impl<M: Model, const N: usize> Agent<M, N>
            where
                M: Send + Sync + 'static,
            {
                /// The worker `ask`.
                #[allow(dead_code)]
                const ASK: crate::worker::WorkerRef<fn(Prompt<M>) -> [M::Answer; N]> = crate::worker::WorkerRef::new(
                    "ask",
                );
                /// The worker `answer`.
                #[allow(dead_code)]
                const ANSWER: crate::worker::WorkerRef<fn([M::Answer; N]) -> M::Answer> = crate::worker::WorkerRef::new(
                    "answer",
                );
            }
            impl<M: Model, const N: usize> crate::Automa for Agent<M, N>
            where
                M: Send + Sync + 'static,
            {
                type Output = <M::Answer as crate::check::Travels>::Itself;
                const NAME: &'static str = "generic";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut crate::GraphAutoma,
                ) -> ::core::result::Result<(), crate::graph::BuildError> {
                    let _never_called = || {
                        crate::check::output::<[M::Answer; N]>();
                        crate::check::parameter::<Prompt<M>>();
                    };
                    graph
                        .add_func_as_worker(
                            "ask",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |prompt: ::std::sync::Arc<Prompt<M>>| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::ask(&this, &prompt).await }
                                }
                            },
                            crate::start().params(["prompt"]),
                        )?;
                    graph
                        .add_func_as_worker(
                            "answer",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |answers: [M::Answer; N]| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::answer(&this, answers).await }
                                }
                            },
                            crate::after(["ask"]).params(["answers"]).output(),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}
