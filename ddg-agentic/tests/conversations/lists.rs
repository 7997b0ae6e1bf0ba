//! Conversations are listed with the last saved first, and old ones are deleted.

use std::time::Duration;

use ddg_agentic::memory::{
    ConversationId, ConversationPage, ConversationRecord, ConversationStore, ConversationVersion,
};
use expect_test::expect;

use crate::setup::{Setup, id, on_every_store, said};

on_every_store! {
    the_one_saved_last_comes_first,
    a_long_list_comes_in_pages,
    old_ones_are_deleted,
}

const NEW: ConversationVersion = ConversationVersion::NEW;
const HOUR: Duration = Duration::from_secs(3600);

async fn ids(store: &dyn ConversationStore) -> Vec<String> {
    let records = store.list(&ConversationPage::default()).await.unwrap();
    records.into_iter().map(|record| record.id.to_string()).collect()
}

async fn the_one_saved_last_comes_first(Setup { store, clock, .. }: Setup) {
    let created = clock.now();
    let version = store.save(&id("first"), &said(2), NEW).await.unwrap();
    clock.advance(HOUR);
    store.save(&id("second"), &said(1), NEW).await.unwrap();
    assert_eq!(ids(&*store).await, ["second", "first"]);
    clock.advance(HOUR);
    let version = store.save(&id("first"), &said(5), version).await.unwrap();
    let records = store.list(&ConversationPage::first(1)).await.unwrap();
    let updated = clock.now();
    let first = ConversationRecord::new(id("first"), version, 5, [created, updated]);
    assert_eq!(records, [first]);
}

/// Some have been saved at the same moment.
async fn a_long_list_comes_in_pages(Setup { store, clock, .. }: Setup) {
    for n in 0..10 {
        store.save(&id(&format!("talk {n}")), &said(n), NEW).await.unwrap();
        if n % 4 == 0 {
            clock.advance(HOUR);
        }
    }
    let (mut page, mut found) = (ConversationPage::first(3), Vec::new());
    loop {
        let records = store.list(&page).await.unwrap();
        assert!(records.len() <= 3);
        let Some(last) = records.last() else { break };
        page = page.next(last);
        found.extend(records.into_iter().map(|record| record.n_messages));
    }
    assert_eq!(found, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
}

async fn old_ones_are_deleted(Setup { store, clock, .. }: Setup) {
    let version = store.save(&id("kept"), &said(1), NEW).await.unwrap();
    store.save(&id("old"), &said(1), NEW).await.unwrap();
    clock.advance(HOUR);
    store.save(&id("young"), &said(1), NEW).await.unwrap();
    store.save(&id("kept"), &said(2), version).await.unwrap();
    assert_eq!(store.delete_older_than(HOUR).await.unwrap(), 0);
    clock.advance(Duration::from_millis(1));
    assert_eq!(store.delete_older_than(HOUR).await.unwrap(), 1);
    assert_eq!(ids(&*store).await, ["young", "kept"]);
    assert_eq!(store.delete_older_than(Duration::MAX).await.unwrap(), 0);
    assert_eq!(store.delete_older_than(Duration::ZERO).await.unwrap(), 2);
    assert_eq!(ids(&*store).await, [""; 0]);
}

#[test]
fn not_every_text_is_an_id() {
    assert!(ConversationId::new("a".repeat(200)).is_ok());
    assert!(ConversationId::new("a".repeat(201)).is_err());
    assert!(ConversationId::new("a\nb").is_err());
    let refused = ConversationId::new("").unwrap_err();
    expect![[r#""" cannot be the id of a conversation: an id has 1 to 200 bytes and no control characters"#]]
        .assert_eq(&refused.to_string());
    assert!(serde_json::from_str::<ConversationId>(r#""""#).is_err());
}
