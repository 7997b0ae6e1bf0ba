//! Hints for names that do not exist.

use crate::hint::nearest;
use crate::printable::shown;

/// A hint for a misspelled parameter: the most similar known name, else all of them.
pub(crate) fn did_you_mean(name: &str, known: &[String]) -> String {
    if known.is_empty() {
        return "; no parameter has a name: give them names with `.params([…])`".to_owned();
    }
    match nearest(name, known.iter().map(String::as_str)) {
        Some(nearest) => format!("; did you mean `{}`?", shown(nearest)),
        None => format!("; there are: {}", shown(&known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_nearest_else_all() {
        let known = ["city".to_owned(), "days".to_owned()];
        assert_eq!(did_you_mean("ctiy", &known), "; did you mean `city`?");
        assert_eq!(did_you_mean("budget", &known), "; there are: city, days");
        assert!(did_you_mean("budget", &[]).contains(".params([…])"));
    }
}
