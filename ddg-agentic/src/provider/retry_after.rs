//! The `Retry-After` header.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

/// What the headers of an answer say: `retry-after-ms`, or `Retry-After`.
pub(crate) fn retry_after_of(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let ms = header("retry-after-ms").and_then(|ms| seconds(ms, 1000.0));
    ms.or_else(|| header("retry-after").and_then(|header| retry_after(header, now)))
}

/// Parses a `Retry-After` header: seconds, possibly with a fraction, or an HTTP date, which may
/// have passed.
pub(crate) fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    seconds(header, 1.0).or_else(|| {
        let date = httpdate::parse_http_date(header.trim()).ok()?;
        Some(date.duration_since(now).unwrap_or_default())
    })
}

/// Parses a number of units, with `per_second` units in a second. Too large values become the
/// maximum.
fn seconds(text: &str, per_second: f64) -> Option<Duration> {
    let n: f64 = text.trim().parse().ok()?;
    let n = Some(n / per_second).filter(|n| *n >= 0.0)?;
    Some(Duration::try_from_secs_f64(n).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        let read = |header| retry_after(header, now);
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read(" 1.5 "), Some(Duration::from_millis(1500)));
        assert_eq!(read("99999999999999999999999"), Some(Duration::MAX));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:03 GMT"), Some(Duration::from_secs(3)));
        assert_eq!(read("Wed, 21 Oct 2015 07:27:00 GMT"), Some(Duration::ZERO));
        for none in ["-1", "soon", "", "NaN"] {
            assert_eq!(read(none), None, "{none}");
        }
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| {
                (name.parse().expect("a name"), value.parse().expect("a value"))
            });
            retry_after_of(&pairs.collect(), now)
        };
        let both = [("retry-after", "7"), ("retry-after-ms", "250")];
        assert_eq!(headers(&both), Some(Duration::from_millis(250)));
        assert_eq!(headers(&both[..1]), Some(Duration::from_secs(7)));
    }
}
