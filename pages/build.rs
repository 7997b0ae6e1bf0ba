//! Reads the programs of the README and of the book, for `tests/programs.rs`.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The pages, from the root of the workspace.
const PAGES: &[&str] = &[
    "README.md",
    "docs/agents.md",
    "docs/coming_from.md",
    "docs/cookbook.md",
    "docs/errors.md",
    "docs/guide.md",
    "docs/introduction.md",
    "docs/operating.md",
    "docs/testing.md",
    "docs/tuning.md",
    "docs/upgrading.md",
];

/// What a program uses that is a feature of this crate: with it, more tests of `ddg-agentic` run, which
/// need other programs.
const FEATURES: &[(&str, &str)] = &[("ddg_agentic::skill::", "CARGO_FEATURE_SKILLS")];

/// A code block of a page.
struct Block<'a> {
    /// The number of its first line.
    line: usize,
    /// The words behind the fence, such as `rust,no_run`.
    kind: &'a str,
    text: String,
    /// Whether only empty lines are between it and the block before.
    follows: bool,
}

/// The code blocks of a page. Lines that rustdoc hides lose their mark.
fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    let mut follows = false;
    for (place, line) in page.lines().enumerate() {
        if open && line.trim_end() == "```" {
            open = false;
            follows = true;
        } else if open && let Some(block) = blocks.last_mut() {
            let is_rust = block.kind.starts_with("rust");
            let line = if is_rust && line == "#" { "" } else { line };
            block.text += line.strip_prefix("# ").filter(|_| is_rust).unwrap_or(line);
            block.text.push('\n');
        } else if let Some(kind) = line.strip_prefix("```") {
            open = true;
            blocks.push(Block { line: place + 2, kind: kind.trim(), text: String::new(), follows });
        } else if !line.trim().is_empty() {
            follows = false;
        }
    }
    blocks
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..");
    let out = env::var("OUT_DIR")?;
    let mut programs = String::new();
    let mut list = String::new();
    let mut refused = String::from("Programs that the compiler refuses.\n");
    for page in PAGES {
        println!("cargo::rerun-if-changed=../{page}");
        let text = fs::read_to_string(root.join(page))?;
        let blocks = blocks(&text);
        for (place, block) in blocks.iter().enumerate() {
            let Block { line, kind, text, .. } = block;
            let runs = match *kind {
                "rust" => true,
                "rust,no_run" => false,
                _ if kind.contains("compile_fail") => {
                    writeln!(refused, "\n{page}, line {line}:\n\n```{kind}\n{text}```")?;
                    continue;
                }
                _ => continue,
            };
            let needs = FEATURES.iter().find(|(used, _)| text.contains(used));
            if needs.is_some_and(|(_, feature)| env::var_os(feature).is_none()) {
                continue;
            }
            if !text.contains("fn main()") {
                return Err(format!("{page}:{line}: not a program: it has no `main`").into());
            }
            let printed = blocks.get(place + 1).filter(|next| next.follows && next.kind == "text");
            let printed = printed.map(|block| &block.text);
            let name = page.trim_start_matches("docs/").trim_end_matches(".md").to_lowercase();
            writeln!(
                programs,
                "/// The program of {page}, line {line}.\n\
                 #[allow(clippy::all, reason = \"the programs are written to be read\")]\n\
                 mod {name}_{line} {{\n{text}\n\
                 pub(super) fn run() -> std::process::ExitCode {{\n    \
                 std::process::Termination::report(main())\n}}\n}}\n"
            )?;
            writeln!(
                list,
                "    Program {{ page: {page:?}, line: {line}, run: {name}_{line}::run, runs: {runs}, \
                 prints: {printed:?} }},"
            )?;
        }
    }
    let programs = format!("{programs}\nconst PROGRAMS: &[Program] = &[\n{list}];\n");
    fs::write(Path::new(&out).join("programs.rs"), programs)?;
    fs::write(Path::new(&out).join("refused.md"), refused)?;
    Ok(())
}
