//! The part of a page that is written by a program: what is between two marks.

use std::path::Path;
use std::{fs, io};

/// Puts `text` between `<!-- name:begin -->` and `<!-- name:end -->`.
///
/// # Errors
/// The page is not there, has no such marks, or can't be written.
pub fn write(page: &Path, name: &str, text: &str) -> io::Result<()> {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let page_text = fs::read_to_string(page)?;
    let marks = page_text.find(&begin).map(|at| at + begin.len()).zip(page_text.find(&end));
    let (before, after) = marks
        .map(|(begin, end)| (&page_text[..begin], &page_text[end..]))
        .ok_or_else(|| io::Error::other(format!("the page has no marks `{name}`")))?;
    fs::write(page, format!("{before}{text}{after}"))
}
