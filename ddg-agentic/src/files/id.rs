//! Ids of files, and how they are found in text.

use uuid::Uuid;

const LOCAL: &str = "file-local-";
const REMOTE: &str = "file-";
/// The lengths of the groups of a UUID, in hexadecimal digits.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Creates an id of a local file.
pub(super) fn new_local() -> String {
    format!("{LOCAL}{}", Uuid::now_v7())
}

/// Whether the whole of `text` is an id of a local or remote file.
pub(super) fn is_id(text: &str) -> bool {
    is_local(text) || is_remote(text)
}

/// Whether the whole of `text` is the id of a local file.
pub(super) fn is_local(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix(LOCAL) else { return false };
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let mut groups = uuid.split('-');
    let fits = |n: &usize| {
        groups.next().is_some_and(|group| group.len() == *n && group.bytes().all(is_hex))
    };
    GROUPS.iter().all(fits) && groups.next().is_none()
}

/// Whether the whole of `text` is the id of a remote file.
pub(super) fn is_remote(text: &str) -> bool {
    let id = text.strip_prefix(REMOTE);
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The ids in a text, in order, as often as they occur.
///
/// An id consists only of letters, digits, `_` and `-`, and is surrounded by other characters or
/// the ends of the text. So a maximal run of these characters either is an id as a whole, or
/// contains none.
pub(crate) fn ids_in(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_within = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let runs = text.split(move |c| !is_within(c));
    // `split` returns slices of `text`, so the difference of the addresses is the offset.
    let at = move |run: &str| run.as_ptr() as usize - text.as_ptr() as usize;
    runs.filter(|run| is_id(run)).map(move |run| (at(run), run))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL_ID: &str = "file-local-0b4c2d7e-0000-4000-8000-00000000abcd";

    #[test]
    fn the_whole_text_is_an_id_or_it_is_none() {
        assert!(is_local(LOCAL_ID) && !is_remote(LOCAL_ID));
        assert!(is_local(&new_local()));
        assert!(is_remote("file-AbC123") && !is_local("file-AbC123"));
        let upper = LOCAL_ID.to_uppercase();
        let none = [
            "",
            "file-",
            "file-local-",
            "file-local-nonsense",
            &LOCAL_ID[..LOCAL_ID.len() - 1],
            &format!("{LOCAL_ID}0"),
            &format!("{LOCAL_ID}-0"),
            &format!(" {LOCAL_ID}"),
            &format!("{LOCAL_ID}\n"),
            &upper,
            "file-a_b",
            "file-a b",
            "file-ä",
            "afile-a",
        ];
        for text in none {
            assert!(!is_id(text), "{text:?}");
        }
    }

    #[test]
    fn an_id_in_a_text_has_a_boundary_on_both_sides() {
        let found = |text: &'static str| ids_in(text).map(|(_, id)| id).collect::<Vec<_>>();
        assert_eq!(found("file-abc"), ["file-abc"]);
        assert_eq!(
            found("<file>file-abc</file>file-d1 file-abc."),
            ["file-abc", "file-d1", "file-abc"]
        );
        assert_eq!(found("äfile-abcä"), ["file-abc"]);
        assert_eq!(found("xfile-abc file-abc- file-abc_ -file-abc file-file-abc"), [""; 0]);
        assert_eq!(ids_in("ä file-abc").next(), Some((3, "file-abc")));
    }
}
