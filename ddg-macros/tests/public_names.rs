//! The public items of the crates of the workspace are those listed in `docs/api`.
//!
//! They are read from the sources with `syn`, module by module, following `pub mod` and `pub use`.
//! Items with `#[doc(hidden)]` are not listed; items that need a feature are.

#[path = "public_names/krate.rs"]
mod krate;

use std::path::Path;

use expect_test::expect_file;
use krate::Krate;

/// The public names of a crate of the workspace, one a line.
fn names(krate: &str) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src");
    let lines = Krate::read(&source).public_names(&krate.replace('-', "_"));
    assert!(lines.len() > 20, "{krate}: only {} names were found", lines.len());
    format!(
        "# The public names of {krate}. If a change here is meant, accept it:\n\
         # UPDATE_EXPECT=1 cargo test -p ddg-macros --test public_names\n\n{}\n",
        lines.into_iter().collect::<Vec<_>>().join("\n")
    )
}

#[test]
fn of_ddg_core() {
    expect_file!["../../docs/api/ddg-core.txt"].assert_eq(&names("ddg-core"));
}

#[test]
fn of_ddg_agentic() {
    expect_file!["../../docs/api/ddg-agentic.txt"].assert_eq(&names("ddg-agentic"));
}

#[test]
fn of_ddg_server() {
    expect_file!["../../docs/api/ddg-server.txt"].assert_eq(&names("ddg-server"));
}
