//! How long a provider asks to be left alone.

use std::time::{Duration, SystemTime};

/// What a `Retry-After` header says: seconds, or a date in HTTP's form, which may have passed.
pub(crate) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(header).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}
