//! Tests of workers whose output is a stream.

use expect_test::expect;

use super::{check_expansion, check_faults, check_method_faults};

#[test]
fn the_output_is_a_stream_of_items() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker(start)]
            async fn tokens(&self, prompt: String) -> impl Stream<Item = String> + Send + use<> { todo!() }

            #[worker(dependencies = [tokens], output)]
            fn upper(tokens: ItemStream<String>) -> Result<impl futures::Stream<Item = String>, Failure> { todo!() }
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `tokens`.
                #[allow(dead_code)]
                const TOKENS: ::ddg_core::worker::WorkerRef<
                    fn(String) -> ::ddg_core::values::ItemStream<String>,
                > = ::ddg_core::worker::WorkerRef::new("tokens");
                /// The worker `upper`.
                #[allow(dead_code)]
                const UPPER: ::ddg_core::worker::WorkerRef<
                    fn(ItemStream<String>) -> ::ddg_core::values::ItemStream<String>,
                > = ::ddg_core::worker::WorkerRef::new("upper");
            }
            impl ::ddg_core::Automa for Agent {
                type Output = ::ddg_core::values::ItemStream<String>;
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        ::ddg_core::check::parameter::<ItemStream<String>>();
                        ::ddg_core::check::error!(
                            Failure,
                            "`Failure` is an error and data as well, so a worker that returns it could pass it on or fail\n= help: return `Result<_, WorkerError>`, to which `?` and `.into()` convert, or do not derive serde's traits for `Failure`"
                        );
                    };
                    graph
                        .add_func_as_worker(
                            "tokens",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |prompt: String| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::tokens(&this, prompt).await }
                                }
                            },
                            ::ddg_core::start().params(["prompt"]),
                        )?;
                    graph
                        .add_func_as_worker(
                            "upper",
                            Self::upper,
                            ::ddg_core::after(["tokens"]).params(["tokens"]).output(),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}

#[test]
fn a_stream_can_not_borrow_from_the_call() {
    check_method_faults(
        r##"#[worker] fn tokens(&self) -> impl Stream<Item = String> + Send { todo!() }"##,
        &expect![[r#"
            impl Stream<Item = String> + Send
                a worker's stream outlives the call that made it, so it can't borrow from it
                = help: add `+ use<>` to the type, and clone into the stream what it needs
        "#]],
    );
}

#[test]
fn a_stream_can_not_borrow_an_argument() {
    check_method_faults(
        r##"#[worker] async fn tokens(text: &str) -> Result<impl Stream<Item = String> + 'static, E> { todo!() }"##,
        &expect![[r#"
            impl Stream<Item = String> + 'static
                a worker's stream outlives the call that made it, so it can't borrow from it
                = help: add `+ use<>` to the type, and clone into the stream what it needs
        "#]],
    );
}

#[test]
fn the_help_lists_generics() {
    check_faults(
        r##"#[automa]
        impl<T: Data, const N: usize> Agent<T, N> {
            #[worker(start)]
            fn tokens(&self) -> impl Stream<Item = T> { todo!() }
        }"##,
        &expect![[r#"
            impl Stream<Item = T>
                a worker's stream outlives the call that made it, so it can't borrow from it
                = help: add `+ use<T, N>` to the type, and clone into the stream what it needs
        "#]],
    );
}
