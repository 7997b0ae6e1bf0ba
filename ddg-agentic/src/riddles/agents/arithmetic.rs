//! Arithmetic in letters: `x * (y + 2) =` with `x = 6`.

use ddg_core::__report::shown;
use rustc_hash::FxHashMap;

/// The values of letters, from texts such as `x = 6`.
pub(super) type Values = FxHashMap<String, f64>;

/// Reads `name = number`, in lines or separated by commas and semicolons. Everything else is left
/// out; of two values of one name the last counts.
pub(super) fn values<'a>(texts: impl IntoIterator<Item = &'a str>) -> Values {
    let mut values = Values::default();
    for part in texts.into_iter().flat_map(|text| text.split(['\n', ',', ';'])) {
        let Some((name, value)) = part.split_once('=') else { continue };
        // A sentence may lead to the name: "we know that x = 6".
        let name = name.split_whitespace().last().unwrap_or_default();
        let value = value.trim().trim_end_matches('.');
        if let (true, Ok(value)) = (is_name(name), value.parse()) {
            values.insert(name.to_owned(), value);
        }
    }
    values
}

fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_alphabetic)
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum NoResult {
    /// A letter has no value.
    #[error("the value of `{}` is missing", shown(.0))]
    Missing(String),
    /// The text is no arithmetic.
    #[error("`{question}` is no arithmetic: {why}", question = shown(.question))]
    Unreadable { question: String, why: String },
}

/// Computes a question such as `x * y =`.
pub(super) fn compute(question: &str, values: &Values) -> Result<f64, NoResult> {
    let text = question.trim().trim_end_matches(['=', '?']).trim();
    let mut reader = Reader { rest: text, values, depth: 0 };
    let unreadable = |why| NoResult::Unreadable { question: text.to_owned(), why };
    let result = reader.sum().map_err(|stop| match stop {
        Stop::Missing(name) => NoResult::Missing(name),
        Stop::Unreadable(why) => unreadable(why),
    })?;
    match reader.next() {
        None if result.is_finite() => Ok(result),
        None => Err(unreadable("the result is not finite".to_owned())),
        Some(c) => Err(unreadable(format!("`{c}` is not expected"))),
    }
}

/// A number as a person writes it.
pub(super) fn in_words(number: f64) -> String {
    // Sums of decimals such as 0.1 + 0.2 are rounded where the error of floats begins.
    let rounded = (number * 1e9).round() / 1e9;
    if rounded.is_finite() && rounded != 0.0 {
        rounded.to_string()
    } else {
        (number + 0.0).to_string()
    }
}

enum Stop {
    Missing(String),
    Unreadable(String),
}

/// Deeper parentheses are refused, so that no text overflows the stack.
const MAX_DEPTH: u32 = 100;

/// Reads from the left: a sum of products of numbers, letters and parentheses.
struct Reader<'a> {
    rest: &'a str,
    values: &'a Values,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn takes(&mut self, wanted: &[char]) -> Option<char> {
        let next = self.next().filter(|c| wanted.contains(c))?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn sum(&mut self) -> Result<f64, Stop> {
        let mut sum = self.product()?;
        while let Some(sign) = self.takes(&['+', '-', '−']) {
            let next = self.product()?;
            sum += if sign == '+' { next } else { -next };
        }
        Ok(sum)
    }

    fn product(&mut self) -> Result<f64, Stop> {
        let mut product = self.factor()?;
        while let Some(sign) = self.takes(&['*', '/', '×', '·', '÷', ':']) {
            let next = self.factor()?;
            if matches!(sign, '/' | '÷' | ':') {
                product /= next;
            } else {
                product *= next;
            }
        }
        Ok(product)
    }

    fn factor(&mut self) -> Result<f64, Stop> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Stop::Unreadable("it is nested too deep".to_owned()));
        }
        let factor = self.signed();
        self.depth -= 1;
        factor
    }

    fn signed(&mut self) -> Result<f64, Stop> {
        if self.takes(&['-', '−']).is_some() {
            return Ok(-self.factor()?);
        }
        if self.takes(&['(']).is_some() {
            let inner = self.sum()?;
            return match self.takes(&[')']) {
                Some(_) => Ok(inner),
                None => Err(Stop::Unreadable("a `)` is missing".to_owned())),
            };
        }
        match self.next() {
            Some(c) if c.is_ascii_digit() || c == '.' => {
                let end = self.rest.find(|c: char| !c.is_ascii_digit() && c != '.');
                let text = self.take(end);
                text.parse().map_err(|_| Stop::Unreadable(format!("`{text}` is no number")))
            }
            Some(c) if c.is_alphabetic() => {
                let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = self.take(end);
                self.values.get(name).copied().ok_or_else(|| Stop::Missing(name.to_owned()))
            }
            Some(c) => Err(Stop::Unreadable(format!("`{c}` is not expected"))),
            None => Err(Stop::Unreadable("something is missing at the end".to_owned())),
        }
    }

    fn take(&mut self, end: Option<usize>) -> &'a str {
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(question: &str, texts: &[&str], expected: Result<&str, &str>) {
        let found = compute(question, &values(texts.iter().copied()));
        let found = found.map(in_words).map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{question}");
    }

    #[test]
    fn questions_are_computed() {
        check("x * y =", &["x = 6", "y = 7"], Ok("42"));
        check("x * y =", &["x = 10\ny = 15; z = 20"], Ok("150"));
        check("(x + 1) / 4 − -2?", &["we know that x = 0.5."], Ok("2.375"));
        check("0.1 + 0.2", &[], Ok("0.3"));
        check("x - x", &["x = 3"], Ok("0"));
    }

    #[test]
    fn what_cannot_be_computed_says_why() {
        check("x * y =", &["x = 6"], Err("the value of `y` is missing"));
        check("1 / 0", &[], Err("`1 / 0` is no arithmetic: the result is not finite"));
        check("2 +", &[], Err("`2 +` is no arithmetic: something is missing at the end"));
        check("(2", &[], Err("`(2` is no arithmetic: a `)` is missing"));
        check("2 & 3", &[], Err("`2 & 3` is no arithmetic: `&` is not expected"));
        let deep = "(".repeat(1_000_000);
        let error = compute(&deep, &Values::default()).expect_err("it is too deep");
        assert!(error.to_string().ends_with("it is nested too deep"));
    }
}
