//! Runs are listed newest first, page by page, and by automa and status.

use std::time::Duration;

use ddg_core::checkpoint::{CheckpointStore, Page, RunFilter, RunRecord, RunStatus};

use crate::setup::{Setup, claim, id, on_every_store};

on_every_store! {
    newest_first,
    page_by_page,
    by_automa_and_status,
    a_record_says_all,
}

async fn add(store: &dyn CheckpointStore, run: &str, automa: &str, status: RunStatus) {
    let lease = store.create(&id(run), automa, &claim("me")).await.unwrap();
    store.put(&lease, status, &[]).await.unwrap();
}

fn ids(records: &[RunRecord]) -> Vec<&str> {
    records.iter().map(|record| record.run.as_str()).collect()
}

async fn newest_first(Setup { store, clock, .. }: &Setup) {
    assert_eq!(store.list(&RunFilter::default(), &Page::default()).await.unwrap(), []);
    for run in ["b", "c", "a"] {
        add(&**store, run, "automa", RunStatus::Running).await;
        clock.advance(Duration::from_millis(1));
    }
    for run in ["ä", "Z", "z"] {
        add(&**store, run, "automa", RunStatus::Running).await;
    }
    let found = store.list(&RunFilter::default(), &Page::default()).await.unwrap();
    assert_eq!(ids(&found), ["ä", "z", "Z", "a", "c", "b"]);
}

async fn page_by_page(Setup { store, clock, .. }: &Setup) {
    for n in 0..25 {
        add(&**store, &format!("run {n:02}"), "automa", RunStatus::Running).await;
        if n % 4 == 0 {
            clock.advance(Duration::from_millis(1));
        }
    }
    let mut page = Page::first(7);
    let mut found = Vec::new();
    loop {
        let now = store.list(&RunFilter::default(), &page).await.unwrap();
        let Some(last) = now.last() else { break };
        // Newer runs do not shift the pages.
        add(&**store, &format!("new {}", found.len()), "automa", RunStatus::Running).await;
        page = page.next(last);
        found.extend(now);
    }
    let expected: Vec<_> = (0..25).rev().map(|n| format!("run {n:02}")).collect();
    assert_eq!(ids(&found), expected);
}

async fn by_automa_and_status(Setup { store, clock, .. }: &Setup) {
    use RunStatus::{Failed, Finished, Paused, Running};
    for (n, status) in [Running, Paused, Finished, Failed].into_iter().enumerate() {
        add(&**store, &format!("x{n}"), "x", status).await;
        add(&**store, &format!("y{n}"), "y", status).await;
        clock.advance(Duration::from_millis(1));
    }
    let x = Some("x".to_owned());
    for (automa, status, expected) in [
        (x.clone(), None, vec!["x3", "x2", "x1", "x0"]),
        (None, Some(Paused), vec!["y1", "x1"]),
        (x.clone(), Some(Finished), vec!["x2"]),
        (Some("z".to_owned()), None, vec![]),
    ] {
        let mut filter = RunFilter::default();
        (filter.automa, filter.status) = (automa, status);
        let found = store.list(&filter, &Page::default()).await.unwrap();
        assert_eq!(ids(&found), expected, "{filter:?}");
    }
}

async fn a_record_says_all(Setup { store, clock, .. }: &Setup) {
    let created = clock.now();
    let lease = store.create(&id("run"), "automa", &claim("me")).await.unwrap();
    clock.advance(Duration::from_millis(77));
    let updated = clock.now();
    let entries = [ddg_core::checkpoint::Entry::full(3, "")];
    store.put(&lease, RunStatus::Paused, &entries).await.unwrap();
    store.release(&lease).await.unwrap();
    let mut expected = RunRecord::new(id("run"), "automa", RunStatus::Paused, created);
    (expected.updated, expected.step) = (updated, Some(3));
    let found = store.list(&RunFilter::default(), &Page::default()).await.unwrap();
    assert_eq!(found, [expected]);
}
