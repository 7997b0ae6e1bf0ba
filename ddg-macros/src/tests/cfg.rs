//! Tests of conditional workers.

use expect_test::expect;

use super::check_expansion;

#[test]
fn conditions_are_carried_over() {
    check_expansion(
        r##"#[automa]
        #[cfg(feature = "agents")]
        impl Agent {
            #[worker(start)]
            #[cfg(unix)]
            async fn begin(&self) -> i64 { 0 }

            #[worker(start)]
            #[cfg(not(unix))]
            async fn begin(&self) -> i64 { 1 }

            #[worker(dependencies = [begin])]
            #[cfg(debug_assertions)]
            async fn log(&self, x: i64) {}
        }"##,
        &expect![[r##"
            #[cfg(feature = "agents")]
            impl Agent {
                /// The worker `begin`.
                #[allow(dead_code)]
                #[cfg(unix)]
                const BEGIN: ::ddg_core::worker::WorkerRef<fn() -> i64> = ::ddg_core::worker::WorkerRef::new(
                    "begin",
                );
                /// The worker `begin`.
                #[allow(dead_code)]
                #[cfg(not(unix))]
                const BEGIN: ::ddg_core::worker::WorkerRef<fn() -> i64> = ::ddg_core::worker::WorkerRef::new(
                    "begin",
                );
                /// The worker `log`.
                #[allow(dead_code)]
                #[cfg(debug_assertions)]
                const LOG: ::ddg_core::worker::WorkerRef<fn(i64) -> ()> = ::ddg_core::worker::WorkerRef::new(
                    "log",
                );
            }
            #[cfg(feature = "agents")]
            impl ::ddg_core::Automa for Agent {
                type Output = ();
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        #[cfg(all(debug_assertions, not(any(all(unix), all(not(unix))))))]
                        ::core::compile_error!(
                            "`begin` is not there: its `#[cfg]` has removed it\n= help: give `log` the same `#[cfg]`, or name a worker that is always there"
                        );
                    };
                    #[cfg(unix)]
                    graph
                        .add_func_as_worker(
                            "begin",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::begin(&this).await }
                                }
                            },
                            ::ddg_core::start(),
                        )?;
                    #[cfg(not(unix))]
                    graph
                        .add_func_as_worker(
                            "begin",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move || {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::begin(&this).await }
                                }
                            },
                            ::ddg_core::start(),
                        )?;
                    #[cfg(debug_assertions)]
                    graph
                        .add_func_as_worker(
                            "log",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |x: i64| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::log(&this, x).await }
                                }
                            },
                            ::ddg_core::after(["begin"]).params(["x"]),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "##]],
    );
}
