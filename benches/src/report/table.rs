//! Figures in columns.

use crate::figure::{Figure, Figures, Refusal};

/// Every figure, in aligned columns.
pub fn text(figures: &Figures) -> String {
    let mut rows = vec![
        ["workload", "size", "engine", "ns/worker", "per spawn", "allocs/worker", "peak"]
            .map(str::to_owned),
    ];
    rows.extend(figures.all.iter().map(row));
    let mut widths = [0; 7];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in &rows {
        for (place, (cell, width)) in row.iter().zip(widths).enumerate() {
            match place {
                0 | 2 => text += &format!("{cell:<width$}  "),
                _ => text += &format!("{cell:>width$}  "),
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    for refusal in &figures.refusals {
        let Refusal { workload, size, engine, reason } = refusal;
        text += &format!("{workload} of {}: {engine} can't: {reason}\n", count(*size));
    }
    text
}

fn row(figure: &Figure) -> [String; 7] {
    [
        figure.workload.to_owned(),
        count(figure.size),
        figure.engine.to_owned(),
        nanoseconds(figure.ns_per_worker),
        figure.ratio_to_spawn.map_or_else(|| "–".to_owned(), ratio),
        format!("{:.2}", figure.allocs_per_worker),
        bytes(figure.peak_bytes),
    ]
}

/// With a comma at each thousand.
pub fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whole nanoseconds where they matter.
pub fn nanoseconds(ns: f64) -> String {
    if ns < 100.0 { format!("{ns:.1}") } else { count(ns.round() as usize) }
}

/// Two digits behind the point where they matter.
pub fn ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { count(ratio.round() as usize) }
}

/// In the unit that a person would choose.
pub fn bytes(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{} B", count(bytes)),
        10_000..10_000_000 => format!("{} KB", count(bytes / 1_000)),
        _ => format!("{} MB", count(bytes / 1_000_000)),
    }
}
