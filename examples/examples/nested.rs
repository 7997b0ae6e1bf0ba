//! Automata inside automata: a desk inside a publisher, and a style guide inside the desk.
//!
//! ```text
//! publisher   write ─▶ desk ─▶ review ╌╌▶ desk again, or print
//! └ desk               trim ─▶ style ─▶ join
//!   └ style                    greet
//! ```
//!
//! Run inputs by name (`reader`, `author`) reach every depth. If the letter is not signed, the
//! review adds a worker to the desk, an automa next to it, and ferries the draft there once more.

use std::sync::Arc;

use ddg_core::prelude::*;

struct Style;

#[automa]
impl Style {
    /// `text` is filled by position, from `trim`; `reader` by name, from the outermost run.
    #[worker(start, output)]
    async fn greet(&self, text: String, reader: String) -> String {
        format!("Dear {reader}, {text}")
    }
}

fn desk() -> Result<GraphAutoma, BuildError> {
    let trim = async |text: String| text.trim().to_owned();
    let join = async |lines: Vec<String>| lines.join(" / ");
    let mut desk = GraphAutoma::new("desk");
    desk.add_func_as_worker("trim", trim, start())?;
    desk.add_worker("style", Style.build()?, after(["trim"]))?;
    desk.add_func_as_worker("join", join, after(["style"]).merge().output())?;
    Ok(desk)
}

struct Publisher;

#[automa(fragments = [Self::nested])]
impl Publisher {
    #[worker(start)]
    async fn write(&self, draft: String) -> String {
        draft
    }

    #[worker(dependencies = [dynamic("desk")])]
    async fn review(
        &self,
        letter: String,
        #[from(write)] draft: String,
        cx: &Context,
    ) -> Result<(), WorkerError> {
        if letter.contains("Yours") {
            cx.ferry_to(Self::PRINT, (letter,));
            return Ok(());
        }
        println!("  step {}: not signed, so the desk gets one more worker", cx.step());
        let desk = cx.nested("desk").ok_or_else(|| WorkerError::msg("there is no desk"))?;
        let sign = async |author: String| format!("Yours, {author}");
        // No positional argument is passed, so `author` is filled by name, like `reader` above.
        desk.add_func_as_worker("sign", sign, after(["trim"]).suppressed().params(["author"]));
        desk.add_dependency("join", "sign");
        cx.ferry_to("desk", (draft,));
        Ok(())
    }

    #[worker(output)]
    async fn print(&self, letter: String) -> String {
        letter
    }
}

impl Publisher {
    /// A fragment is a function that declares workers; this one, an automa as a worker.
    fn nested(_: &Arc<Self>, graph: &mut GraphAutoma) -> Result<(), BuildError> {
        graph.add_worker("desk", desk()?, after(["write"]))?;
        // Only a worker that is added at run time takes it; undeclared, it would be refused as a
        // typo.
        graph.declare_input("author");
        Ok(())
    }
}

/// Prints the output of each worker. Nested automata inherit it.
struct Log;

impl Callback for Log {
    async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
        if !output.is_null() {
            println!("  {:<17} {output:?}", cx.path().to_string());
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut publisher = Publisher.build()?;
    publisher.add_callback(Log);

    // The second run begins with the desk as declared, because edits belong to one run.
    for reader in ["Ada", "Alan"] {
        println!("a letter to {reader}:");
        let inputs = args!("  the ferry leaves at nine. ", reader = reader, author = "Grace");
        let letter = publisher.run(inputs).await?;
        assert_eq!(letter, format!("Dear {reader}, the ferry leaves at nine. / Yours, Grace"));
    }
    Ok(())
}
