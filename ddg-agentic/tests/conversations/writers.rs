//! If two writers save at once, one succeeds and the other gets an error.

use std::sync::Arc;

use ddg_agentic::Message;
use ddg_agentic::memory::{
    ConversationError, ConversationStore, ConversationVersion, SqliteConversations,
};
use expect_test::expect;
use futures::future;
use tokio::sync::Barrier;

use crate::setup::{Setup, id, on_every_store, said};

on_every_store! {
    the_second_is_told,
    of_many_who_save_at_once_one_does,
    everybody_gets_to_say_something,
    a_save_that_is_given_up_is_done_or_not,
}

const NEW: ConversationVersion = ConversationVersion::NEW;
const N_TASKS: usize = 8;

async fn the_second_is_told(Setup { store, .. }: Setup) {
    let version = store.save(&id("talk"), &said(1), NEW).await.unwrap();
    store.save(&id("talk"), &said(2), version).await.unwrap();
    let refused = store.save(&id("talk"), &said(3), version).await.unwrap_err();
    expect!["conversation `talk` has been changed by another writer: version 1 was expected in the store, but version 2 was found; load it again and continue from there"].assert_eq(&refused.to_string());
    assert!(store.rewrite(&id("talk"), &said(3), version).await.is_err());
    let refused = store.save(&id("talk"), &said(3), NEW).await.unwrap_err();
    expect!["conversation `talk` has been changed by another writer: none was expected in the store, but version 2 was found; load it again and continue from there"].assert_eq(&refused.to_string());
    assert_eq!(store.load(&id("talk")).await.unwrap().conversation, said(2));
}

async fn of_many_who_save_at_once_one_does(Setup { store, .. }: Setup) {
    race(&vec![store; N_TASKS]).await;
}

/// Each store saves the same conversation, round after round.
async fn race(stores: &[Arc<dyn ConversationStore>]) {
    for round in 0..20 {
        let before = stores[0].load(&id("talk")).await.unwrap();
        let barrier = Arc::new(Barrier::new(stores.len()));
        let tasks = stores.iter().enumerate().map(|(task, store)| {
            let (store, barrier, mut talk) =
                (Arc::clone(store), Arc::clone(&barrier), before.clone());
            tokio::spawn(async move {
                talk.conversation.messages.push(Message::user(format!("{round} by {task}")));
                barrier.wait().await;
                store.save(&id("talk"), &talk.conversation, talk.version).await
            })
        });
        let mut n_saved = 0;
        for task in future::join_all(tasks).await {
            match task.unwrap() {
                Ok(_) => n_saved += 1,
                Err(ConversationError::Changed { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(n_saved, 1);
        let after = stores[0].load(&id("talk")).await.unwrap().conversation.messages;
        assert_eq!(after.len(), round + 1);
        assert_eq!(after.slice(..round), before.conversation.messages);
    }
}

async fn everybody_gets_to_say_something(Setup { store, .. }: Setup) {
    talk(&vec![store; N_TASKS]).await;
}

/// Each store's user says ten things, and loads the conversation again if somebody was faster.
async fn talk(stores: &[Arc<dyn ConversationStore>]) {
    let tasks = stores.iter().enumerate().map(|(task, store)| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for n in 0..10 {
                loop {
                    let mut talk = store.load(&id("talk")).await.unwrap();
                    talk.conversation.messages.push(Message::user(format!("{task} says {n}")));
                    match store.save(&id("talk"), &talk.conversation, talk.version).await {
                        Ok(_) => break,
                        Err(ConversationError::Changed { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            }
        })
    });
    for task in future::join_all(tasks).await {
        task.unwrap();
    }
    let messages = stores[0].load(&id("talk")).await.unwrap().conversation.messages;
    assert_eq!(messages.len(), 10 * stores.len());
    for task in 0..stores.len() {
        let of_task = messages.iter().map(Message::text);
        let of_task: Vec<_> =
            of_task.filter(|text| text.starts_with(&format!("{task} says"))).collect();
        assert_eq!(of_task, (0..10).map(|n| format!("{task} says {n}")).collect::<Vec<_>>());
    }
}

/// Each time one moment later.
async fn a_save_that_is_given_up_is_done_or_not(Setup { store, .. }: Setup) {
    let id = id("talk");
    let mut talk = store.load(&id).await.unwrap();
    for moments in 0..60 {
        talk.conversation.messages.extend(said(3).messages);
        let given_up = async {
            for _ in 0..moments {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            () = given_up => {}
            done = store.save(&id, &talk.conversation, talk.version) => assert!(done.is_ok()),
        }
        let found = store.load(&id).await.unwrap();
        let n_found = found.conversation.messages.len();
        assert!(n_found == talk.conversation.messages.len() || found.version == talk.version);
        assert_eq!(n_found % 3, 0);
        talk = found;
    }
}

/// As two processes would.
#[tokio::test(flavor = "multi_thread")]
async fn two_stores_on_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("talk.db");
    let open = async || Arc::new(SqliteConversations::open(&path).await.unwrap());
    let stores: [Arc<dyn ConversationStore>; 2] = [open().await, open().await];
    race(&stores).await;
    assert!(stores[1].delete(&id("talk")).await.unwrap());
    talk(&stores).await;
}
