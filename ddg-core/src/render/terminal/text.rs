//! Words and numbers as they are shown.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::time::Duration;

use console::{Style, strip_ansi_codes};

/// How many characters of one text are shown.
const MOST: usize = 2000;

/// On one line, without anything that would command a terminal, and of an end.
pub(super) fn one_line(text: &str) -> String {
    let mut line: String = strip_ansi_codes(text)
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(MOST + 1)
        .collect();
    if let Some((cut, _)) = line.char_indices().nth(MOST) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// The first few of a list, and how many more there are.
pub(super) fn some(things: &[String]) -> String {
    const MOST: usize = 8;
    let few = &things[..things.len().min(MOST)];
    let text = few.iter().map(|thing| one_line(thing)).collect::<Vec<_>>().join(", ");
    match things.len() - few.len() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// Such as `1 step` and `2 steps`.
pub(super) fn count(n: u64, what: &str) -> String {
    let plural: Cow<'_, str> = match (n, what.strip_suffix('y')) {
        (1, _) => what.into(),
        (_, Some(stem)) => format!("{stem}ies").into(),
        (_, None) => format!("{what}s").into(),
    };
    format!("{n} {plural}")
}

/// Hours, minutes and seconds; with milliseconds, in the alternate form.
pub(super) struct Clock(pub(super) Duration);

impl Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if f.alternate() { write!(f, ".{:03}", self.0.subsec_millis()) } else { Ok(()) }
    }
}

/// Colours, where there are any.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    pub(super) colours: bool,
}

impl Paint {
    pub(super) fn dim(self, text: impl Display) -> impl Display {
        self.style(Style::new().dim()).apply_to(text)
    }

    pub(super) fn bold(self, text: impl Display) -> impl Display {
        self.style(Style::new().bold()).apply_to(text)
    }

    pub(super) fn cyan(self, text: impl Display) -> impl Display {
        self.style(Style::new().cyan()).apply_to(text)
    }

    pub(super) fn green(self, text: impl Display) -> impl Display {
        self.style(Style::new().green()).apply_to(text)
    }

    pub(super) fn yellow(self, text: impl Display) -> impl Display {
        self.style(Style::new().yellow()).apply_to(text)
    }

    pub(super) fn red(self, text: impl Display) -> impl Display {
        self.style(Style::new().red()).apply_to(text)
    }

    fn style(self, style: Style) -> Style {
        style.force_styling(self.colours)
    }
}
