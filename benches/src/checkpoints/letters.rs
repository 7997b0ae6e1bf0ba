//! Loops that change so many bytes of state in each step.

use ddg_core::prelude::*;
use serde::Serialize;

/// The bytes of state that a step changes.
pub const N_BYTES: usize = 200;

/// Which workers of the loop run in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Running {
    /// All of them; one has state, and changes it.
    All,
    /// One after the other, each with a state of its own, which it changes.
    One,
}

impl Running {
    /// Both.
    pub const ALL: [Self; 2] = [Self::All, Self::One];
}

/// A loop of so many workers; its run takes how many steps it shall have.
///
/// # Errors
/// Never, but for a defect.
pub fn automa(running: Running, n_workers: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("letters");
    for worker in 0..n_workers {
        let key = worker.to_string();
        match running {
            Running::All => {
                let write = move |steps: u64, cx: Context| async move {
                    if worker == 0 {
                        cx.local().set("text", text(steps));
                    }
                    if steps > 1 {
                        cx.ferry_to(cx.key().clone(), (steps - 1,));
                    }
                };
                automa.add_func_as_worker(key, write, start())?;
            }
            Running::One => {
                let next = ((worker + 1) % n_workers).to_string();
                let write = move |steps: u64, cx: Context| {
                    let next = next.clone();
                    async move {
                        // All start, so that all have a state; then the first goes on alone.
                        let is_first_step = cx.step() == 1;
                        cx.local().set("text", text(steps));
                        if steps > 1 && (!is_first_step || worker == 0) {
                            cx.ferry_to(next, (steps - 1,));
                        }
                    }
                };
                automa.add_func_as_worker(key, write, start())?;
            }
        }
    }
    automa.validate()?;
    Ok(automa)
}

/// Letters, others than those of the step before.
pub fn text(step: u64) -> String {
    String::from(char::from(b'a' + (step % 26) as u8)).repeat(N_BYTES)
}
