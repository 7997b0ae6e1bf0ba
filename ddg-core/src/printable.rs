//! Makes text from data safe to print: it cannot move the cursor, change the direction of the line,
//! or be invisible.
//!
//! Keys, names and error messages come from users, models and other machines. Control characters in
//! them can control a terminal or forge a line of a log, and bidirectional controls make a line
//! read as another one. Both are printed as escapes, such as `\u{1b}`; the data itself is not
//! changed.
//!
//! ```
//! use ddg_core::printable;
//!
//! assert_eq!(printable::line("tool\u{1b}[2J\nnext"), "tool\\u{1b}[2J\\nnext");
//! assert_eq!(printable::lines("first\n\u{202e}second"), "first\n\\u{202e}second");
//! ```

use std::borrow::Cow;
use std::fmt::{self, Write};

/// Formats `text` on one line. Line breaks and tabs are escaped, too.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, Kept::Nothing)
}

/// Formats `text` on several lines. Line breaks (`\n`) and tabs are kept.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, Kept::Lines)
}

/// Displays `text` as [`line()`] formats it.
pub fn shown<T: fmt::Display + ?Sized>(text: &T) -> impl fmt::Display + use<'_, T> {
    fmt::from_fn(move |f| write!(Printable::line(f), "{text}"))
}

/// Displays `text` as [`lines`] formats it.
pub fn shown_lines<T: fmt::Display + ?Sized>(text: &T) -> impl fmt::Display + use<'_, T> {
    fmt::from_fn(move |f| write!(Printable::lines(f), "{text}"))
}

/// A writer that escapes what is written to `W`, for implementations of [`Display`](fmt::Display).
///
/// ```
/// use std::fmt::{self, Write};
/// use ddg_core::printable::Printable;
///
/// struct Failed { tool: String }
///
/// impl fmt::Display for Failed {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(Printable::line(f), "tool `{}` failed", self.tool)
///     }
/// }
/// let failed = Failed { tool: "a\nb".to_owned() };
/// assert_eq!(failed.to_string(), "tool `a\\nb` failed");
/// ```
#[derive(Debug)]
pub struct Printable<'a, W: ?Sized> {
    out: &'a mut W,
    kept: Kept,
    /// The last character written.
    last: char,
}

impl<'a, W: Write + ?Sized> Printable<'a, W> {
    /// Writes everything on one line, as [`line()`] does.
    pub fn line(out: &'a mut W) -> Self {
        Self { out, kept: Kept::Nothing, last: ' ' }
    }

    /// Keeps line breaks, as [`lines`] does.
    pub fn lines(out: &'a mut W) -> Self {
        Self { out, kept: Kept::Lines, last: ' ' }
    }
}

impl<W: Write + ?Sized> Write for Printable<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut written = 0;
        for (at, c) in text.char_indices() {
            if !is_printable(c, self.last, self.kept) {
                self.out.write_str(&text[written..at])?;
                write!(self.out, "{}", escape(c))?;
                written = at + c.len_utf8();
            }
            self.last = c;
        }
        self.out.write_str(&text[written..])
    }
}

/// The control characters that are kept.
#[derive(Clone, Copy, Debug)]
enum Kept {
    Nothing,
    /// Line breaks and tabs.
    Lines,
}

fn escaped(text: &str, kept: Kept) -> Cow<'_, str> {
    let mut last = ' ';
    let is_plain = |c| is_printable(c, std::mem::replace(&mut last, c), kept);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len() + 16);
    let written = Printable { out: &mut line, kept, last: ' ' }.write_str(text);
    written.expect("a string takes whatever is written");
    Cow::Owned(line)
}

/// The escape of a character: `\n`, `\r`, `\t`, or its number as in `\u{1b}`.
fn escape(c: char) -> impl fmt::Display {
    let short = match c {
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        _ => "",
    };
    let long = short.is_empty().then(|| c.escape_unicode());
    fmt::from_fn(move |f| match &long {
        Some(long) => fmt::Display::fmt(long, f),
        None => f.write_str(short),
    })
}

/// Whether `c` may be printed as it is when it follows `last`.
fn is_printable(c: char, last: char, kept: Kept) -> bool {
    match c {
        ' '..='~' => true,
        '\n' | '\t' => matches!(kept, Kept::Lines),
        // Joiners are part of Persian words and of emoji. Anywhere else, also after an escape, they
        // are invisible and could hide in a name.
        '\u{200c}' | '\u{200d}' => !last.is_ascii() && !last.is_control() && !is_hidden(last),
        c => !c.is_control() && !is_hidden(c),
    }
}

/// Whether a character changes the direction of text, ends a line without being a control
/// character, is invisible, or is not allowed in XML.
fn is_hidden(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || u32::from(c) & 0xfffe == 0xfffe
}
