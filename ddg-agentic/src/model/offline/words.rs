//! Splits a text into words, numbers and places.

/// A text in parts.
pub(super) struct Text<'a> {
    raw: &'a str,
    words: Vec<Word<'a>>,
}

struct Word<'a> {
    text: &'a str,
    stem: String,
    number: Option<f64>,
    /// Whether only a space or a hyphen separates it from the word before.
    joined: bool,
}

impl<'a> Text<'a> {
    pub(super) fn new(raw: &'a str) -> Self {
        let mut words: Vec<Word<'_>> = Vec::new();
        let mut end = 0;
        for (start, text) in pieces(raw) {
            let joined = matches!(&raw[end..start], " " | "-");
            end = start + text.len();
            words.push(Word { text, stem: stem(text), number: number(text), joined });
        }
        Self { raw, words }
    }

    pub(super) fn raw(&self) -> &'a str {
        self.raw.trim()
    }

    /// Whether the text has this word, in any form.
    pub(super) fn has(&self, word: &str) -> bool {
        let stem = stem(word);
        self.words.iter().any(|word| word.stem == stem)
    }

    /// All numbers, with their positions among the words.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (usize, f64)> {
        self.words.iter().enumerate().filter_map(|(place, word)| Some((place, word.number?)))
    }

    /// Whether the word before or after `place` is one of these.
    pub(super) fn stands_by(&self, place: usize, stems: &[String]) -> bool {
        let beside = [place.checked_add(1), place.checked_sub(1)].into_iter().flatten();
        beside.filter_map(|place| self.words.get(place)).any(|word| stems.contains(&word.stem))
    }

    /// The first name of a place after one of these words: capitalised words or, if there are none
    /// in the text, a single word.
    pub(super) fn place_after(&self, prepositions: &[&str]) -> Option<String> {
        let starts = || {
            let follows = self.words.windows(2).enumerate().filter(|(_, pair)| {
                prepositions.contains(&pair[0].text.to_lowercase().as_str()) && pair[1].joined
            });
            follows.map(|(place, _)| place + 1)
        };
        let name = |start: usize| {
            let rest = &self.words[start..];
            let n = rest
                .iter()
                .enumerate()
                .take_while(|(n, word)| word.is_capitalised() && (*n == 0 || word.joined));
            let name: Vec<_> = n.map(|(_, word)| word.text).collect();
            (!name.is_empty()).then(|| name.join(" "))
        };
        let small = |start: usize| {
            let word = &self.words[start];
            let is_name = word.number.is_none() && !is_common(&word.stem);
            is_name.then(|| word.text.to_owned())
        };
        starts().find_map(name).or_else(|| starts().filter_map(small).next_back())
    }

    /// The quoted text, if there is one.
    pub(super) fn quoted(&self) -> Option<&'a str> {
        let pairs = [('"', '"'), ('“', '”'), ('«', '»'), ('`', '`')];
        pairs.into_iter().find_map(|(open, close)| {
            let (_, rest) = self.raw.split_once(open)?;
            Some(rest.split_once(close)?.0)
        })
    }
}

impl Word<'_> {
    fn is_capitalised(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }
}

/// The words of a name such as `flight_price` or `flightPrice`, without their endings.
pub(super) fn words_of_name(name: &str) -> Vec<String> {
    let mut apart = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if was_lower && c.is_uppercase() {
            apart.push(' ');
        }
        was_lower = c.is_lowercase();
        apart.push(c);
    }
    stems(&apart)
}

/// The words of a text without their endings.
pub(super) fn stems(text: &str) -> Vec<String> {
    pieces(text).map(|(_, word)| stem(word)).collect()
}

/// Words that do not say what a tool is about.
pub(super) fn is_common(stem: &str) -> bool {
    const COMMON: &str = "a about all an and any are as at be by calculate call can check compute \
        date do estimate fetch find for from get give given go has have how i if in into is it its \
        list look lookup make me my of on one or our out please query read return run search see \
        show some tell than that the their them then there these they this to tool up use value \
        want we what when where which who will with you your";
    COMMON.split_whitespace().any(|common| self::stem(common) == stem)
}

/// Words and numbers, with the offsets where they start.
fn pieces(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_break = |c: char| !c.is_alphanumeric() && !matches!(c, '.' | '\'' | '’');
    text.split(is_break).filter_map(move |piece| {
        let piece = piece.trim_matches(|c: char| !c.is_alphanumeric());
        // `piece` is a slice of `text`, so the difference of the addresses is its offset.
        (!piece.is_empty()).then(|| (piece.as_ptr() as usize - text.as_ptr() as usize, piece))
    })
}

/// A word in lower case without the ending of a plural.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 && !stem.ends_with(['s', 'i', 'u']) => stem.to_owned(),
        _ => word,
    }
}

fn number(word: &str) -> Option<f64> {
    const NAMES: [&str; 12] = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    let named = NAMES.iter().position(|name| word.eq_ignore_ascii_case(name));
    match named {
        Some(place) => Some(place as f64 + 1.0),
        None => word.parse().ok().filter(|number: &f64| {
            number.is_finite() && word.starts_with(|c: char| c.is_ascii_digit())
        }),
    }
}
