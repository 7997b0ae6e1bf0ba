//! Suggestions for names that don't exist.

/// The candidate that is most similar to `word`, if it is similar enough to be meant.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance_if_near(word, candidate)?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A list in words: `` `a`, `b` and `c` ``.
pub(crate) fn enumerate<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match (quoted.pop(), quoted.as_slice()) {
        (None, _) => String::new(),
        (Some(only), []) => only,
        (Some(last), rest) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The edit distance, if it is small for words of this length or one word contains the other
/// (`is_start`, `start`).
fn distance_if_near(word: &str, candidate: &str) -> Option<usize> {
    let distance = edit_distance(word, candidate);
    let shorter = word.len().min(candidate.len());
    let holds = shorter >= 4 && (word.contains(candidate) || candidate.contains(word));
    (distance <= (word.len().max(candidate.len()) / 3).max(1) || holds).then_some(distance)
}

/// Number of insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = substituted.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{enumerate, nearest};

    const WORKERS: [&str; 4] = ["start", "fetch_page", "fetch_index", "end"];

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(nearest(word, WORKERS), expected, "{word}");
    }

    #[test]
    fn slips_are_recognised() {
        check("strat", Some("start"));
        check("fetch_pages", Some("fetch_page"));
        check("fetchindex", Some("fetch_index"));
        check("fetch", Some("fetch_page"));
        check("is_start", Some("start"));
        check("ed", Some("end"));
    }

    #[test]
    fn other_words_are_not() {
        check("", None);
        check("x", None);
        check("merge", None);
    }

    #[test]
    fn words_are_enumerated() {
        assert_eq!(enumerate([]), "");
        assert_eq!(enumerate(["a"]), "`a`");
        assert_eq!(enumerate(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
