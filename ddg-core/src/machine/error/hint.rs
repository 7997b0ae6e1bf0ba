//! What a message says about a name that does not exist.

/// A hint for a misspelled name: the known name nearest to it, else all of them.
pub(crate) fn did_you_mean(name: &str, known: &[String]) -> String {
    let nearest = known.iter().min_by_key(|known| distance(name, known));
    match nearest {
        Some(nearest) if distance(name, nearest) <= name.chars().count() / 2 => {
            format!("; did you mean `{nearest}`?")
        }
        Some(_) => format!("; there are: {}", known.join(", ")),
        None => "; no parameter has a name".to_owned(),
    }
}

/// The Levenshtein distance between two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_nearest_else_all() {
        let known = ["city".to_owned(), "days".to_owned()];
        assert_eq!(did_you_mean("ctiy", &known), "; did you mean `city`?");
        assert_eq!(did_you_mean("budget", &known), "; there are: city, days");
        assert_eq!(did_you_mean("budget", &[]), "; no parameter has a name");
    }
}
