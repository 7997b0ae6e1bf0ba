//! How an error is shown: what its message does not say is a list of causes below it.

use std::error::Error;
use std::fmt;

/// An error with its causes in one line, each said once: `cannot be opened: disk I/O error`.
///
/// It is for a message that says the whole of another error, which is then not its source as well.
pub struct Told<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        for cause in causes(self.0) {
            let cause = cause.to_string();
            // Other people's errors may tell their source in their own message.
            if !said.contains(&cause) {
                write!(f, ": {cause}")?;
            }
            said = cause;
        }
        Ok(())
    }
}

/// Shows `error` as `main` does that returns it: its message, then its causes.
///
/// # Errors
/// Those of `f`.
pub fn debug(error: &(dyn Error + 'static), f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// Implements `Debug` of errors as their message and its causes, since that is what one sees of an
/// error that `main` returns.
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
