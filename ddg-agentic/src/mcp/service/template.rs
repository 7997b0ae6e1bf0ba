//! Addresses with parameters: what a client has put in their places.

use std::collections::BTreeMap;

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// A value without `/`, percent-encoded in the address.
    Value(String),
}

/// A template with simple parameters, such as `shop://items/{id}` (RFC 6570, level 1).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template(Vec<Part>);

impl Template {
    pub(super) fn new(template: &str) -> Self {
        let (mut parts, mut rest) = (Vec::new(), template);
        while let Some((text, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            parts.push(Part::Value(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Self(parts)
    }

    /// The values of the parameters in `uri`; `None` if it is not of this form.
    pub(super) fn read(&self, uri: &str) -> Option<BTreeMap<String, String>> {
        let (mut given, mut rest) = (BTreeMap::new(), uri);
        for (n, part) in self.0.iter().enumerate() {
            match part {
                Part::Text(text) => rest = rest.strip_prefix(&**text)?,
                Part::Value(name) => {
                    let end = match self.0.get(n + 1) {
                        Some(Part::Text(text)) => rest.find(&**text)?,
                        _ => rest.len(),
                    };
                    let (value, after) = rest.split_at(end);
                    if value.is_empty() || value.contains('/') {
                        return None;
                    }
                    given.insert(name.clone(), decoded(value)?);
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(given)
    }
}

/// Text without percent-encoding; `None` if it is not valid.
fn decoded(value: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let [first, after @ ..] = rest {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let [high, low, after @ ..] = after else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|n| u8::try_from(n).ok());
        bytes.push(digit(*high)? << 4 | digit(*low)?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, uri: &str, expected: Option<&[(&str, &str)]>) {
        let expected = expected.map(|pairs| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        });
        assert_eq!(Template::new(template).read(uri), expected, "{template} {uri}");
    }

    #[test]
    fn values_are_read_out_of_addresses() {
        check("shop://items/{id}", "shop://items/7", Some(&[("id", "7")]));
        check("shop://items/{id}", "shop://items/caf%C3%A9%20x", Some(&[("id", "café x")]));
        check("a://{x}/b/{y}.txt", "a://1/b/2.txt", Some(&[("x", "1"), ("y", "2")]));
        check("a://{x}{y}", "a://1", None);
        for other in ["shop://items/", "shop://items/7/8", "shop://item/7", "shop://items/%zz"] {
            check("shop://items/{id}", other, None);
        }
        check("shop://{id", "shop://{id", Some(&[]));
    }
}
