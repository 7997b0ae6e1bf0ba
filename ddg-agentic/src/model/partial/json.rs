//! JSON that comes piece by piece, read as it comes.

use serde_json::{Map, Value as Json};

/// Maximum depth of containers, as `serde_json` has it.
const DEEPEST: usize = 127;

/// An object or a list as far as it has come. Each piece is read once.
pub(super) struct PartialJson {
    value: Json,
    /// The containers that are open, the outermost first, each with the place of its last value.
    open: Vec<Place>,
    state: State,
    /// The key, number or word that has begun.
    token: String,
    escape: Escape,
}

/// The text is not JSON.
pub(super) struct NotJson;

/// The place of a value in its container.
enum Place {
    /// The last of a list.
    Item,
    /// The field of an object.
    Field(String),
}

/// What comes next.
#[derive(Clone, Copy)]
enum State {
    /// A value, or the end of its list if that is empty.
    Value {
        may_end: bool,
    },
    /// A key, or the end of its object if that is empty.
    Key {
        may_end: bool,
    },
    InKey,
    Colon,
    InText,
    /// More of a number or word.
    InToken,
    /// A comma, or the end of the container.
    After,
    /// Nothing.
    End,
}

/// The escape within a text that has begun.
#[derive(Clone, Copy)]
enum Escape {
    None,
    /// After a backslash. `high` is the first half of a surrogate pair before it.
    Backslash {
        high: Option<u16>,
    },
    /// Within the digits after `\u`.
    Digits {
        high: Option<u16>,
        n: u8,
        unit: u16,
    },
    /// Between the halves of a surrogate pair.
    Between {
        high: u16,
    },
}

impl PartialJson {
    /// Begins with the bracket of the outermost container.
    pub(super) fn new(bracket: char) -> Self {
        let mut json = Self {
            value: Json::Null,
            open: Vec::new(),
            state: State::End,
            token: String::new(),
            escape: Escape::None,
        };
        json.value = json.begin(bracket == '{');
        json
    }

    pub(super) fn value(&self) -> &Json {
        &self.value
    }

    pub(super) fn has_ended(&self) -> bool {
        matches!(self.state, State::End)
    }

    /// The value without the text that is not whole; `None` if no text is open.
    pub(super) fn without_open_text(&self) -> Option<Json> {
        let State::InText = self.state else { return None };
        let mut value = self.value.clone();
        let (last, before) = self.open.split_last()?;
        match (container(&mut value, before)?, last) {
            (Json::Object(fields), Place::Field(key)) => _ = fields.remove(key),
            (Json::Array(items), Place::Item) => _ = items.pop(),
            _ => {}
        }
        Some(value)
    }

    /// Reads on, up to the end of the value. Returns the number of bytes that were read.
    pub(super) fn push(&mut self, text: &str) -> Result<usize, NotJson> {
        let mut at = 0;
        while !self.has_ended() {
            let rest = &text[at..];
            at += match (self.state, self.escape) {
                (State::InText | State::InKey, Escape::None) => self.take_plain(rest),
                _ => 0,
            };
            let Some(next) = text[at..].chars().next() else { break };
            self.take(next)?;
            at += next.len_utf8();
        }
        Ok(at)
    }

    /// Takes the characters of a text over that mean themselves. Returns the number of bytes.
    fn take_plain(&mut self, text: &str) -> usize {
        let is_special = |next: char| matches!(next, '"' | '\\') || next < ' ';
        let end = text.find(is_special).unwrap_or(text.len());
        self.add_to_text(&text[..end]);
        end
    }

    fn take(&mut self, next: char) -> Result<(), NotJson> {
        match self.state {
            State::InText | State::InKey => return self.take_of_text(next),
            State::InToken => match next {
                ',' | ']' | '}' | ' ' | '\t' | '\n' | '\r' => {
                    let token = std::mem::take(&mut self.token);
                    let value = serde_json::from_str(&token).map_err(|_| NotJson)?;
                    self.add(value);
                    self.state = State::After;
                }
                _ => {
                    self.token.push(next);
                    return Ok(());
                }
            },
            _ => {}
        }
        self.state = match (self.state, next) {
            (state, ' ' | '\t' | '\n' | '\r') => state,
            (State::Value { .. }, '"') => {
                self.add(Json::String(String::new()));
                State::InText
            }
            (State::Value { .. }, '{' | '[') => {
                if self.open.len() == DEEPEST {
                    return Err(NotJson);
                }
                // The place of the new container is known before what is in it has one.
                self.add(Json::Null);
                let value = self.begin(next == '{');
                let (_, before) = self.open.split_last().ok_or(NotJson)?;
                *container(&mut self.value, before).ok_or(NotJson)? = value;
                return Ok(());
            }
            (State::Value { .. }, '-' | '0'..='9' | 't' | 'f' | 'n') => {
                self.token.push(next);
                State::InToken
            }
            (State::Key { .. }, '"') => State::InKey,
            (State::Colon, ':') => {
                *self.open.last_mut().ok_or(NotJson)? =
                    Place::Field(std::mem::take(&mut self.token));
                State::Value { may_end: false }
            }
            (State::After, ',') => match self.open.last() {
                Some(Place::Item) => State::Value { may_end: false },
                _ => State::Key { may_end: false },
            },
            (State::Value { may_end: true } | State::After, ']') if self.is_in(false) => {
                self.close()
            }
            (State::Key { may_end: true } | State::After, '}') if self.is_in(true) => self.close(),
            _ => return Err(NotJson),
        };
        Ok(())
    }

    /// Takes a character of a text or key over that does not mean itself.
    fn take_of_text(&mut self, next: char) -> Result<(), NotJson> {
        self.escape = match (self.escape, next) {
            (Escape::None, '"') => {
                self.state = match self.state {
                    State::InKey => State::Colon,
                    _ => State::After,
                };
                Escape::None
            }
            (Escape::None, '\\') => Escape::Backslash { high: None },
            (Escape::Between { high }, '\\') => Escape::Backslash { high: Some(high) },
            (Escape::Backslash { high }, 'u') => Escape::Digits { high, n: 0, unit: 0 },
            (Escape::Backslash { high: None }, _) => {
                self.add_to_text(match next {
                    '"' => "\"",
                    '\\' => "\\",
                    '/' => "/",
                    'b' => "\u{8}",
                    'f' => "\u{c}",
                    'n' => "\n",
                    'r' => "\r",
                    't' => "\t",
                    _ => return Err(NotJson),
                });
                Escape::None
            }
            (Escape::Digits { high, n, unit }, _) => {
                let digit = next.to_digit(16).ok_or(NotJson)?;
                let unit = (unit << 4) | u16::try_from(digit).map_err(|_| NotJson)?;
                match n {
                    0..3 => Escape::Digits { high, n: n + 1, unit },
                    _ => self.take_unit(high, unit)?,
                }
            }
            _ => return Err(NotJson),
        };
        Ok(())
    }

    /// Takes a unit of UTF-16 over.
    fn take_unit(&mut self, high: Option<u16>, unit: u16) -> Result<Escape, NotJson> {
        if high.is_none() && matches!(unit, 0xd800..=0xdbff) {
            return Ok(Escape::Between { high: unit });
        }
        for decoded in char::decode_utf16(high.into_iter().chain([unit])) {
            self.add_to_text(decoded.map_err(|_| NotJson)?.encode_utf8(&mut [0; 4]));
        }
        Ok(Escape::None)
    }

    fn add_to_text(&mut self, more: &str) {
        if let State::InKey = self.state {
            self.token.push_str(more);
        } else if let Some(Json::String(text)) = container(&mut self.value, &self.open) {
            text.push_str(more);
        }
    }

    /// Adds a value to the innermost container.
    fn add(&mut self, value: Json) {
        let Some((last, before)) = self.open.split_last() else { return };
        match (container(&mut self.value, before), last) {
            (Some(Json::Array(items)), Place::Item) => items.push(value),
            (Some(Json::Object(fields)), Place::Field(key)) => {
                fields.insert(key.clone(), value);
            }
            _ => {}
        }
    }

    /// Opens a container. Returns it, which is empty.
    fn begin(&mut self, is_object: bool) -> Json {
        if is_object {
            self.open.push(Place::Field(String::new()));
            self.state = State::Key { may_end: true };
            Json::Object(Map::new())
        } else {
            self.open.push(Place::Item);
            self.state = State::Value { may_end: true };
            Json::Array(Vec::new())
        }
    }

    fn is_in(&self, object: bool) -> bool {
        matches!(self.open.last(), Some(Place::Field(_))) == object
    }

    /// Closes the innermost container.
    fn close(&mut self) -> State {
        self.open.pop();
        if self.open.is_empty() { State::End } else { State::After }
    }
}

/// The value at the end of `path` in `value`.
fn container<'a>(value: &'a mut Json, path: &[Place]) -> Option<&'a mut Json> {
    path.iter().try_fold(value, |value, place| match place {
        Place::Item => value.as_array_mut()?.last_mut(),
        Place::Field(key) => value.get_mut(key),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The value after all of `text`; `None` if it is not JSON.
    fn read(text: &str) -> Option<PartialJson> {
        let mut json = PartialJson::new(text.chars().next()?);
        json.push(&text[1..]).ok()?;
        Some(json)
    }

    #[track_caller]
    fn check(text: &str, expected: &Json) {
        let json = read(text).unwrap_or_else(|| panic!("{text} is the beginning of JSON"));
        assert_eq!(json.value(), expected, "{text}");
    }

    #[test]
    fn texts_grow_and_everything_else_appears_when_it_is_whole() {
        check(r#"{"#, &json!({}));
        check(r#"{"ci"#, &json!({}));
        check(r#"{"city": "#, &json!({}));
        check(r#"{"city": "De"#, &json!({ "city": "De" }));
        check(r#"{"city": "De\"#, &json!({ "city": "De" }));
        check(r#"{"city": "De\u00e"#, &json!({ "city": "De" }));
        check(r#"{"city": "De\ud83d\ude0"#, &json!({ "city": "De" }));
        check(r#"{"city": "De\ud83d\ude00"#, &json!({ "city": "De😀" }));
        check(r#"{"days": 1"#, &json!({}));
        check(r#"{"days": 12,"#, &json!({ "days": 12 }));
        check(r#"{"stops": [tru"#, &json!({ "stops": [] }));
        check(r#"{"stops": [true, {"a": [1, "b"#, &json!({ "stops": [true, { "a": [1, "b"] }] }));
    }

    #[test]
    fn a_text_that_is_not_whole_can_be_left_out() {
        let without = |text: &str| read(text).unwrap().without_open_text();
        assert_eq!(without(r#"{"days": 2, "class": "eco"#), Some(json!({ "days": 2 })));
        assert_eq!(without(r#"{"stops": ["a", "b"#), Some(json!({ "stops": ["a"] })));
        assert_eq!(without(r#"{"class": "economy""#), None);
        assert_eq!(without(r#"{"cla"#), None);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "{ braces }",
            "[1,]",
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            "[1}",
            r#"{"a": 1]"#,
            "[01]",
            "[truth]",
            r#"["\x"]"#,
            r#"["\ud83d"]"#,
            r#"["\ude00"]"#,
            "[\"\n\"]",
            "[,1]",
        ] {
            assert!(serde_json::from_str::<Json>(text).is_err(), "{text}");
            assert!(read(text).is_none(), "{text}");
        }
        assert!(read(&"[".repeat(DEEPEST)).is_some());
        assert!(read(&"[".repeat(DEEPEST + 1)).is_none());
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        let tree = leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map("\\PC{0,4}", inner, 0..4)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        });
        prop::collection::vec(tree, 0..4).prop_map(Json::from)
    }

    /// Whether `part` is the beginning of `whole`.
    fn begins(part: &Json, whole: &Json) -> bool {
        match (part, whole) {
            (Json::String(part), Json::String(whole)) => whole.starts_with(part.as_str()),
            (Json::Array(part), Json::Array(whole)) => {
                part.len() <= whole.len() && part.iter().zip(whole).all(|(a, b)| begins(a, b))
            }
            (Json::Object(part), Json::Object(whole)) => part
                .iter()
                .all(|(key, value)| whole.get(key).is_some_and(|whole| begins(value, whole))),
            _ => part == whole,
        }
    }

    proptest! {
        #[test]
        fn in_any_pieces_it_becomes_the_value(whole in any_json(), pretty: bool, size in 1_usize..9) {
            let text = if pretty { format!("{whole:#}") } else { whole.to_string() };
            let mut json = PartialJson::new('[');
            let characters: Vec<char> = text.chars().skip(1).collect();
            for piece in characters.chunks(size) {
                let piece: String = piece.iter().collect();
                prop_assert_eq!(json.push(&piece).ok(), Some(piece.len()));
                prop_assert!(begins(json.value(), &whole), "{} of {}", json.value(), whole);
            }
            prop_assert!(json.has_ended());
            prop_assert_eq!(json.value(), &whole);
            prop_assert_eq!(json.push("more").ok(), Some(0));
        }
    }
}
