//! The figures in `docs/benchmarks.md`, and the plots beside it.

use std::path::Path;
use std::{fs, io};

use super::machine::Machine;
use super::marked;
use super::plot::{Bar, Group, Series, bars, lines};
use super::table::{bytes, count, nanoseconds, ratio};
use super::targets::targets;
use crate::ddg::{DDG, FIRST_RUN};
use crate::figure::{Earlier, Figure, Figures, Refusal};

/// The lines that are drawn: of which workload, what is its size, and the time of what.
const LINES: [(&str, &str, &str); 5] = [
    ("chain", "workers in a row", "ns per worker"),
    ("fan", "workers wide", "ns per worker"),
    ("fan-spread", "workers wide", "ns per worker"),
    ("grow", "bystanders", "ns per added worker"),
    ("start", "declared workers", "ns per run in which one worker runs"),
];

/// The workloads whose bars are drawn.
const BARS: [(&str, usize); 8] = [
    ("chain", 1_000),
    ("fan", 1_000),
    ("fan-spread", 1_000),
    ("layers-control", 1_024),
    ("layers-merge", 1_024),
    ("tree", 1_023),
    ("loop", 10_000),
    ("grow", 1_000),
];

/// Puts the figures between the marks of the page, and draws the plots. `lto` has the figures of
/// a build with link-time optimisation, which get their own column.
///
/// # Errors
/// The page is not there, has no marks, or can't be written.
pub fn write(
    docs: &Path,
    figures: &Figures,
    lto: Option<&Earlier>,
    machine: &Machine,
) -> io::Result<()> {
    let mut section = format!("\n{}\n\n", machine.describe());
    section += &targets_table(figures);
    for (file, alt, svg) in plots(figures) {
        fs::create_dir_all(docs.join("benchmarks"))?;
        fs::write(docs.join("benchmarks").join(&file), svg)?;
        section += &format!("![{alt}](benchmarks/{file})\n\n");
    }
    section += &costs_table(figures, lto);
    section += &ratios_table(figures);
    section += &refusals(figures);
    marked::write(&docs.join("benchmarks.md"), "figures", &section)
}

fn targets_table(figures: &Figures) -> String {
    let mut text =
        "| what | found | asked | moonshot | |\n| --- | ---: | ---: | ---: | --- |\n".to_owned();
    for target in targets(figures) {
        let holds = if target.holds { "holds" } else { "**missed**" };
        text += &format!(
            "| {} | {} | {} | {} | {holds} |\n",
            target.what, target.found, target.asked, target.moonshot
        );
    }
    text + "\n"
}

/// What it costs with this engine.
fn costs_table(figures: &Figures, lto: Option<&Earlier>) -> String {
    let mut text = "### This engine\n\n\
        | workload | size | ns per worker | first run | with LTO | per spawn | to futures-unordered | \
        to async_dag | allocations per worker | allocated | peak |\n\
        | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        .to_owned();
    let or_none = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
    for figure in figures.all.iter().filter(|figure| figure.engine == DDG) {
        let Figure { workload, size, ns_per_worker, .. } = *figure;
        let other = |engine| figures.find(workload, size, engine);
        let lto = lto.and_then(|lto| lto.ns_per_worker(workload, size, DDG));
        let to_async_dag = other("async_dag").map(|peer| ns_per_worker / peer.ns_per_worker);
        text += &format!(
            "| {workload} | {} | {} | {} | {} | {} | {} | {} | {:.2} | {} | {} |\n",
            count(size),
            nanoseconds(ns_per_worker),
            or_none(other(FIRST_RUN).map(|first| nanoseconds(first.ns_per_worker))),
            or_none(lto.map(nanoseconds)),
            or_none(figure.ratio_to_spawn.map(ratio)),
            or_none(figure.ratio_to_unordered.map(ratio)),
            or_none(to_async_dag.map(ratio)),
            figure.allocs_per_worker,
            bytes(figure.allocated_bytes),
            bytes(figure.peak_bytes),
        );
    }
    text + "\n"
}

/// What it costs with each, per spawn.
fn ratios_table(figures: &Figures) -> String {
    let engines = figures.engines();
    let mut text = "### All engines, per spawn\n\n| workload | size |".to_owned();
    engines.iter().for_each(|(engine, _)| text += &format!(" {engine} |"));
    text += "\n| --- | ---: |";
    text += &" ---: |".repeat(engines.len());
    text.push('\n');
    for (workload, size) in figures.workloads() {
        let cell = |engine| figures.find(workload, size, engine)?.ratio_to_spawn;
        if cell(DDG).is_none() {
            continue;
        }
        text += &format!("| {workload} | {} |", count(size));
        for (engine, _) in &engines {
            text += &format!(" {} |", cell(engine).map_or_else(|| "–".to_owned(), ratio));
        }
        text.push('\n');
    }
    text + "\n"
}

/// Who can't do what, with the workloads of one reason together.
fn refusals(figures: &Figures) -> String {
    let mut by_reason: Vec<((&str, &str), Vec<String>)> = Vec::new();
    for refusal in &figures.refusals {
        let Refusal { workload, size, engine, reason } = refusal;
        let at_other_sizes =
            figures.all.iter().any(|figure| (figure.workload, figure.engine) == (workload, engine));
        let what = match at_other_sizes {
            true => format!("{workload} of {}", count(*size)),
            false => (*workload).to_owned(),
        };
        let why = (*engine, reason.as_str());
        match by_reason.iter_mut().find(|(known, _)| *known == why) {
            Some((_, all)) if all.contains(&what) => {}
            Some((_, all)) => all.push(what),
            None => by_reason.push((why, vec![what])),
        }
    }
    if by_reason.is_empty() {
        return String::new();
    }
    let mut text = "### Who can't do what\n\n".to_owned();
    for ((engine, reason), workloads) in by_reason {
        text += &format!("- {engine} can't do {}: {reason}\n", workloads.join(", "));
    }
    text + "\n"
}

/// The plots: file name, what they show, and the picture.
fn plots(figures: &Figures) -> Vec<(String, String, String)> {
    let mut plots = vec![(
        "engines.svg".to_owned(),
        "What a worker costs with each engine".to_owned(),
        bars(
            "What a worker costs with each engine",
            "in terms of one spawn (shorter is better; logarithmic)",
            &groups(figures),
        ),
    )];
    for (workload, across, up) in LINES {
        let series = series(figures, workload);
        if !series.is_empty() {
            let title = format!("{workload}, from small to large");
            let svg = lines(&title, across, &format!("{up} (logarithmic)"), &series);
            plots.push((format!("{workload}.svg"), title, svg));
        }
    }
    plots
}

fn groups(figures: &Figures) -> Vec<Group> {
    let groups = BARS.iter().map(|(workload, size)| {
        let mut of_it: Vec<&Figure> = figures
            .all
            .iter()
            .filter(|figure| (figure.workload, figure.size) == (*workload, *size))
            .collect();
        of_it.sort_by(|a, b| a.ns_per_worker.total_cmp(&b.ns_per_worker));
        let bars = of_it.iter().filter_map(|figure| {
            let value = figure.ratio_to_spawn?;
            let (name, kind) = (figure.engine, figure.kind);
            Some(Bar { name, kind, value, label: ratio(value) })
        });
        Group { name: format!("{workload}, {}", count(*size)), bars: bars.collect() }
    });
    groups.filter(|group| !group.bars.is_empty()).collect()
}

fn series(figures: &Figures, workload: &str) -> Vec<Series> {
    let series = figures.engines().into_iter().map(|(engine, kind)| {
        let of_it = figures
            .all
            .iter()
            .filter(|figure| (figure.workload, figure.engine) == (workload, engine));
        let points = of_it.map(|figure| (figure.size as f64, figure.ns_per_worker)).collect();
        Series { name: engine, kind, points }
    });
    series.filter(|series| !series.points.is_empty()).collect()
}
