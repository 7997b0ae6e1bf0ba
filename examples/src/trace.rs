//! Prints the output of each worker.

use ddg_core::prelude::*;

/// A callback that prints the step, the key and the output of each worker, as
/// `step 2  worker_3 = 14`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trace;

impl Callback for Trace {
    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        println!("  step {}  {} = {output:?}", cx.step(), cx.path());
        Ok(())
    }
}
