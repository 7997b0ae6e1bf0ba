//! Durations in a few characters.

use std::time::Duration;

/// Formats `duration` as three digits and a unit, or as minutes and seconds or hours and minutes if
/// it is long.
pub(super) fn text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match duration.as_nanos() {
        0 => "0 s".to_owned(),
        nanos @ 1..1_000 => format!("{nanos} ns"),
        1_000..999_500 => digits(duration.as_secs_f64() * 1e6, "µs"),
        999_500..999_500_000 => digits(duration.as_secs_f64() * 1e3, "ms"),
        _ if seconds < 100 => digits(duration.as_secs_f64(), "s"),
        _ if seconds < 100 * 60 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn digits(number: f64, unit: &str) -> String {
    let decimals = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let text = format!("{number:.decimals$}");
    let text = if decimals == 0 { &text } else { text.trim_end_matches('0').trim_end_matches('.') };
    format!("{text} {unit}")
}
