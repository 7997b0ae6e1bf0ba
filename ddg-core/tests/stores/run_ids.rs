//! The id of a run is a text that every store can hold.

use ddg_core::checkpoint::RunId;
use expect_test::expect;

use crate::setup::{Setup, claim, id, on_every_store};

on_every_store! {
    any_name_is_kept,
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
