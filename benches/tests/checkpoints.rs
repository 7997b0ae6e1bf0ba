//! What is measured is what the table says: so many workers run in a step, and so many bytes of state
//! change, all of which is written.

use benches::checkpoints::Mode;
use benches::checkpoints::letters::{N_BYTES, Running, automa};
use benches::checkpoints::measure::{Figure, journal, measure};
use ddg_core::event::{EventFilter, EventKind};
use ddg_core::prelude::*;

/// How many workers run in each step of a run.
async fn running(automa: &GraphAutoma, steps: u64) -> Vec<usize> {
    let prepared = automa.run((steps,));
    let mut events = prepared.events(EventFilter::all());
    prepared.outcome().await.expect("it runs");
    let mut running = Vec::new();
    while let Some(event) = events.next().await {
        if let EventKind::StepStarted { kickoffs } = &event.expect("none is missed").kind {
            running.push(kickoffs.len());
        }
    }
    running
}

#[tokio::test]
async fn all_run_in_each_step_or_one_after_the_first() {
    assert_eq!(running(&automa(Running::All, 3).unwrap(), 4).await, [3, 3, 3, 3]);
    assert_eq!(running(&automa(Running::One, 3).unwrap(), 4).await, [3, 1, 1, 1]);
}

#[tokio::test]
async fn a_step_changes_one_text() {
    let texts = async |running, steps: u64| {
        let outcome = automa(running, 3).unwrap().run((steps,)).await.unwrap();
        let json = serde_json::to_value(outcome.snapshot().unwrap()).unwrap();
        let mut texts = Vec::new();
        find_texts(&json, &mut texts);
        texts.sort();
        texts
    };
    let text = |letter: &str| letter.repeat(N_BYTES);
    // The argument of the last step is 1, and so its letter b; that of the first is how many there are.
    assert_eq!(texts(Running::All, 4).await, [text("b")]);
    assert_eq!(texts(Running::One, 1).await, [text("b"), text("b"), text("b")]);
    assert_eq!(texts(Running::One, 2).await, [text("b"), text("c"), text("c")]);
    assert_eq!(texts(Running::One, 3).await, [text("b"), text("c"), text("d")]);
}

fn find_texts(json: &serde_json::Value, texts: &mut Vec<String>) {
    match json {
        serde_json::Value::String(text) if text.len() == N_BYTES => texts.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|json| find_texts(json, texts)),
        serde_json::Value::Object(all) => all.values().for_each(|json| find_texts(json, texts)),
        _ => {}
    }
}

#[tokio::test]
async fn each_mode_writes_what_it_says() {
    let figures = measure(Running::One, 2, 30, 1).await.unwrap();
    let of = |mode: Mode| figures.iter().find(|figure| figure.mode == mode).unwrap();
    let writes = |mode: Mode| (of(mode).writes_per_step * 30.0).round() as usize;
    assert_eq!(writes(Mode::Off), 0);
    // As it begins and as it ends.
    assert_eq!(writes(Mode::OnPause), 2);
    // As it begins, after each step, and that it has ended.
    assert_eq!(writes(Mode::EveryStep), 32);
    assert_eq!(writes(Mode::EveryStepUnsynced), 32);
    assert!(writes(Mode::EveryWorker) >= 32);
    let Figure { entry_bytes_per_step, file_bytes_per_step, .. } = of(Mode::EveryStep);
    assert!(*entry_bytes_per_step > N_BYTES as f64, "{entry_bytes_per_step}");
    assert!(file_bytes_per_step > entry_bytes_per_step, "{file_bytes_per_step}");
}

#[tokio::test]
async fn every_step_of_a_journal_is_read() {
    let journal = journal(20).await.unwrap();
    assert_eq!(journal.read, 21);
    assert!(journal.closed_bytes > 20 * N_BYTES as u64, "{journal:?}");
    assert!(journal.open_bytes >= journal.closed_bytes, "{journal:?}");
}
