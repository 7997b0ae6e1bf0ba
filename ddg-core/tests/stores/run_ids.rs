//! The id of a run is a text that every store can hold.

use ddg_core::checkpoint::{Entry, Page, Rest, RunFilter, RunId, RunStatus, StoreError};
use expect_test::expect;

use crate::setup::{Setup, claim, id, on_every_store};

on_every_store! {
    any_name_is_kept,
    any_text_is_kept,
}

async fn any_name_is_kept(Setup { store, .. }: &Setup) {
    let long = "ü".repeat(RunId::MAX_BYTES / 2);
    for name in ["%_'\"\\;--", "häuser/夜 7", "Run", "run", &long, RunId::random().as_str()] {
        store.create(&id(name), name, &claim(name)).await.unwrap();
        let found = store.find(&id(name)).await.unwrap();
        assert_eq!((found.run.as_str(), found.automa.as_str()), (name, name));
        assert_eq!(found.holder.unwrap().owner.name(), name);
    }
}

/// PostgreSQL has no NUL in its texts. Names of automata, of owners and of signals, and reasons, may
/// have one.
async fn any_text_is_kept(Setup { store, .. }: &Setup) {
    for text in ["a\0b", "␀", "␀0\0␀␀", "\u{1b}[31m\u{202e}"] {
        let run = RunId::random();
        let lease = store.create(&run, text, &claim(text)).await.unwrap();
        let refused = store.acquire(&run, &claim("another")).await.unwrap_err();
        let StoreError::Held { owner, .. } = refused else { panic!("{refused}") };
        assert_eq!(owner.name(), text);
        store.put(&lease, RunStatus::Running, &[Entry::full(0, "zero")]).await.unwrap();
        let waits = Rest::paused().awaits([text.to_owned()], 0);
        store.rest(&lease, &waits, &[]).await.unwrap();
        store.signal(&run, text, b"1").await.unwrap();
        assert_eq!(store.signals(&run, 0).await.unwrap()[0].name, text);
        let found = store.find(&run).await.unwrap();
        assert_eq!((found.automa.as_str(), found.awaits), (text, vec![text.to_owned()]));
        let due = RunFilter::default().due().automa(text);
        store.release(&lease).await.unwrap();
        assert_eq!(store.list(&due, &Page::default()).await.unwrap().len(), 1, "{text:?}");

        let lease = store.acquire(&run, &claim(text)).await.unwrap();
        store.rest(&lease, &Rest::failed(text), &[]).await.unwrap();
        assert_eq!(store.find(&run).await.unwrap().reason.as_deref(), Some(text));
    }
}

#[test]
fn text_that_is_not_an_id() {
    let long = "x".repeat(RunId::MAX_BYTES + 1);
    let refused: Vec<_> = ["", "a\nb", "nul\0", &long]
        .map(|text| RunId::new(text).unwrap_err().to_string())
        .map(|message| message.replace(&long, "xx…"))
        .into();
    expect![[r#"
        "" cannot be the id of a run: an id has 1 to 200 bytes and no control characters
        "a\nb" cannot be the id of a run: an id has 1 to 200 bytes and no control characters
        "nul\0" cannot be the id of a run: an id has 1 to 200 bytes and no control characters
        "xx…" cannot be the id of a run: an id has 1 to 200 bytes and no control characters"#]]
    .assert_eq(&refused.join("\n"));
}

#[test]
fn an_id_is_a_text_in_json() {
    assert_eq!(serde_json::to_string(&id("run")).unwrap(), r#""run""#);
    assert_eq!(serde_json::from_str::<RunId>(r#""run""#).unwrap(), id("run"));
    expect![[
        r#""" cannot be the id of a run: an id has 1 to 200 bytes and no control characters"#
    ]]
    .assert_eq(&serde_json::from_str::<RunId>(r#""""#).unwrap_err().to_string());
}

#[test]
fn random_ids_sort_by_time() {
    let ids: Vec<_> = (0..1000).map(|_| RunId::random()).collect();
    assert!(ids.is_sorted());
}
