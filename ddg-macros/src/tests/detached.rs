//! Tests of workers that are declared and placed at run time.

use expect_test::expect;

use super::check_expansion;

#[test]
fn a_detached_worker_is_declared() {
    check_expansion(
        r##"#[automa]
        impl Agent {
            #[worker(start, output)]
            async fn process_tool_calls(&self, calls: Vec<ToolCall>) -> Vec<ToolCall> { calls }

            #[worker(detached, timeout = Duration::from_secs(1))]
            async fn aggregate_results(
                &self,
                results: Vec<Value>,
                #[from("process_tool_calls")] calls: Vec<ToolCall>,
            ) -> Vec<ToolMessage> { todo!() }
        }"##,
        &expect![[r#"
            impl Agent {
                /// The worker `process_tool_calls`.
                #[allow(dead_code)]
                const PROCESS_TOOL_CALLS: ::ddg_core::worker::WorkerRef<
                    fn(Vec<ToolCall>) -> Vec<ToolCall>,
                > = ::ddg_core::worker::WorkerRef::new("process_tool_calls");
                /// The worker `aggregate_results`.
                #[allow(dead_code)]
                const AGGREGATE_RESULTS: ::ddg_core::worker::WorkerRef<
                    fn(Vec<Value>) -> Vec<ToolMessage>,
                > = ::ddg_core::worker::WorkerRef::new("aggregate_results");
            }
            impl ::ddg_core::Automa for Agent {
                type Output = <Vec<ToolCall> as ::ddg_core::check::Travels>::Itself;
                const NAME: &'static str = "Agent";
                fn declare(
                    this: &::std::sync::Arc<Self>,
                    graph: &mut ::ddg_core::GraphAutoma,
                ) -> ::core::result::Result<(), ::ddg_core::graph::BuildError> {
                    let _never_called = || {
                        ::ddg_core::check::output::<Vec<ToolMessage>>();
                    };
                    graph
                        .add_func_as_worker(
                            "process_tool_calls",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |calls: Vec<ToolCall>| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move { Self::process_tool_calls(&this, calls).await }
                                }
                            },
                            ::ddg_core::start().params(["calls"]).output(),
                        )?;
                    graph
                        .declare_func(
                            "aggregate_results",
                            {
                                let this = ::std::sync::Arc::clone(this);
                                move |results: Vec<Value>, calls: Vec<ToolCall>| {
                                    let this = ::std::sync::Arc::clone(&this);
                                    async move {
                                        Self::aggregate_results(&this, results, calls).await
                                    }
                                }
                            },
                            ::ddg_core::free()
                                .params(["results", "calls"])
                                .from("calls", "process_tool_calls")
                                .timeout(Duration::from_secs(1)),
                        )?;
                    ::core::result::Result::Ok(())
                }
            }
        "#]],
    );
}
