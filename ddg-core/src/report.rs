//! How errors are displayed: the message, then the causes that it does not mention.

use std::error::Error;
use std::fmt::{self, Write};

use crate::printable::Printable;

/// Displays an error with its causes in one line: `cannot be opened: disk I/O error`.
///
/// Use it in a message that includes another error completely, so that this other error is not also
/// its source.
pub struct Told<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let f = &mut Printable::lines(f);
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        for cause in causes(self.0) {
            let cause = cause.to_string();
            // Errors of other crates may already include their source in their message.
            if !said.contains(&cause) {
                write!(f, ": {cause}")?;
            }
            said = cause;
        }
        Ok(())
    }
}

/// Writes `error` as `main` prints it when it returns the error: the message, then the causes.
///
/// # Errors
/// Those of `f`.
pub fn debug(error: &(dyn Error + 'static), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let f = &mut Printable::lines(f);
    write!(f, "{error}")?;
    let causes: Vec<_> = causes(error).collect();
    if !causes.is_empty() {
        f.write_str("\n\nCaused by:")?;
    }
    for (place, cause) in causes.iter().enumerate() {
        match causes.len() {
            1 => write!(f, "\n    {cause}")?,
            _ => write!(f, "\n    {place}: {cause}")?,
        }
    }
    Ok(())
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| {
        let cause: &'a (dyn Error + 'static) = *cause;
        cause.source()
    })
}

/// Implements `Debug` for errors as their message and causes, because `main` prints an error that
/// it returns with `Debug`.
#[doc(hidden)]
#[macro_export]
macro_rules! __debug_is_display {
    ($($Error:ty),* $(,)?) => {
        $(impl ::std::fmt::Debug for $Error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                $crate::__report::debug(self, f)
            }
        })*
    };
}
