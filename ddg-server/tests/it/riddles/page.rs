//! The page in a real browser.

use std::path::Path;

use tokio::process::Command;

use super::{place, riddles};
use crate::clients::installed;
use crate::fixture::Ddg;

/// [riddles 14] [riddles 16] Riddles are posed, their messages appear and they are solved without
/// reloading; with the keyboard alone, in light and dark, and as wide as a phone.
#[tokio::test]
async fn the_page_is_used_in_a_browser() {
    let clients = installed().await;
    let folder = place();
    let mut arguments = vec!["--listen", "127.0.0.1:0", "--log", "error"];
    for agent in ["extract=text", "solve=calculator", "gatekeeper=checker"] {
        arguments.extend(["--agent", agent]);
    }
    let mut command = riddles(folder.path(), &arguments);
    command.env("DDG_RIDDLES_SECRET", "s3cret");
    let server = Ddg::spawn(command).await;
    // Node looks for packages beside the program.
    let name = "riddle_page.mjs";
    let program = clients.join("javascript").join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/javascript").join(name);
    std::fs::copy(source, &program).unwrap();
    let browser = std::fs::read_to_string(clients.join("browser")).unwrap();
    let mut node = Command::new("node");
    node.arg(program)
        .env("CHROMIUM", browser.trim())
        .env("RIDDLES_URL", format!("http://{}", server.address))
        .env("RIDDLES_SECRET", "s3cret")
        .kill_on_drop(true);
    let output = node.output().await.unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && out.trim_end().ends_with("ok"), "{out}\n{error}");
}
