//! Ids of files in JSON or in text.

use ddg_agentic::files::{File, FileManager};
use serde_json::{Value as Json, json};

use super::NOBODYS;

async fn two() -> (FileManager, File, File) {
    let files = FileManager::new();
    let one = files.create_from_bytes("1", "1.txt").await.unwrap();
    let other = files.create_from_bytes("2", "2.txt").await.unwrap();
    (files, one, other)
}

/// [files 12]
#[tokio::test]
async fn strings_that_are_ids_are_found_at_any_depth_in_the_order_of_the_document() {
    let (files, one, other) = two().await;
    let (a, b) = (one.id(), other.id());
    let json = json!({
        "a": [b, [a, { "deep": [[a]] }]],
        "b": { "c": b },
        "d": format!("see {a}"),
        "e": NOBODYS,
        "f": [1, null, true, ""],
        "g": { a: "a key is none" },
    });
    let found = files.sniff_value(&json);
    assert_eq!(found, [other.clone(), one.clone(), one.clone(), other.clone()]);
    assert_eq!(files.sniff_value(&json!(a)), [one]);
    files.close().await.unwrap();
}

/// [files 12]
#[tokio::test]
async fn no_depth_ends_the_process() {
    let (files, one, _) = two().await;
    let mut json = json!([one.id()]);
    for _ in 0..200_000 {
        json = Json::Array(vec![json]);
    }
    assert_eq!(files.sniff_value(&json), [one]);
    // Dropping it recurses, which is not what is tested.
    std::mem::forget(json);
    files.close().await.unwrap();
}

/// [files 4] [files 12]
#[tokio::test]
async fn ids_in_a_text_have_boundaries_and_are_found_once() {
    let (files, one, other) = two().await;
    let (a, b) = (one.id(), other.id());
    let text = format!("{b}, ä{a}ä and <file>{b}</file> {NOBODYS} x{a} {a}_ -{b} {a}0 file-x");
    assert_eq!(files.sniff_text(&text), [other, one.clone()]);
    assert_eq!(files.sniff_text(a), [one]);
    assert_eq!(files.sniff_text(""), []);
    files.close().await.unwrap();
}
