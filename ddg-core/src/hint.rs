//! Suggestions for misspelled names.

/// The name in `known` that is most similar to `name`, if it is similar enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = match name.chars().count() {
        // In such a short name any other letter makes another name.
        0..=2 => 0,
        length => (length / 3).max(1),
    };
    let near = known.into_iter().map(|known| (distance(name, known), known));
    let near = near.filter(|(distance, _)| *distance <= reach);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// Number of letters to replace, remove, insert, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let change = last[j] + usize::from(a[i] != b[j]);
            let mut least = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                let swap: usize = before_last[j - 1];
                least = least.min(swap + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_meant() {
        let known = ["city", "days", "Straße"];
        assert_eq!(nearest("ctiy", known), Some("city"));
        assert_eq!(nearest("Strasse", known), Some("Straße"));
        assert_eq!(nearest("budget", known), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("nobody", ["good", "body"]), Some("body"));
        assert_eq!(nearest("nobody", ["good"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
