//! Requested names of files, which are never paths.

use super::FileError;

/// Maximum length of a name in nearly every file system, in bytes.
const LONGEST: usize = 255;

/// The last component of `asked`. If it is too long it is cut, and keeps its extension.
///
/// # Errors
/// If there is no name in it, or a character that is invalid in names.
pub(super) fn filename(asked: &str) -> Result<String, FileError> {
    let refuse = |reason| Err(FileError::Filename { filename: asked.to_owned(), reason });
    if asked.chars().any(char::is_control) {
        return refuse("it has a control character in it");
    }
    // Backslashes are separators as well, because the name may come from Windows.
    match asked.rsplit(['/', '\\']).next().unwrap_or_default() {
        "" if asked.is_empty() => refuse("it is empty"),
        "" => refuse("it names a folder"),
        "." | ".." => refuse("it names a folder"),
        name => Ok(cut(name)),
    }
}

fn cut(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    // An extension that is too long itself is not kept.
    let ending = name.rfind('.').map_or("", |at| &name[at..]);
    let ending = if ending.len() <= 32 { ending } else { "" };
    let stem = &name[..name.floor_char_boundary(LONGEST - ending.len())];
    format!("{stem}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: &str, expected: Result<&str, &str>) {
        let found = filename(asked).map_err(|error| match error {
            FileError::Filename { reason, .. } => reason,
            other => panic!("{other}"),
        });
        assert_eq!(found.as_deref().map_err(|reason| *reason), expected, "{asked:?}");
    }

    #[test]
    fn a_name_is_its_last_component() {
        check("tea.txt", Ok("tea.txt"));
        check("../../etc/passwd", Ok("passwd"));
        check("C:\\Users\\ada\\tea.txt", Ok("tea.txt"));
        check("/", Err("it names a folder"));
        check("tea/", Err("it names a folder"));
        check("tea/..", Err("it names a folder"));
        check(".", Err("it names a folder"));
        check("", Err("it is empty"));
        check("tea\0.txt", Err("it has a control character in it"));
        check("tea\n.txt", Err("it has a control character in it"));
        check("日本 茶.txt", Ok("日本 茶.txt"));
    }

    #[test]
    fn a_long_name_is_cut_before_its_ending() {
        let name = filename(&format!("{}.txt", "ä".repeat(200))).unwrap();
        assert!(name.len() <= LONGEST && name.starts_with("ää") && name.ends_with(".txt"));
        let name = filename(&format!("a.{}", "b".repeat(400))).unwrap();
        assert_eq!(name.len(), LONGEST);
    }
}
