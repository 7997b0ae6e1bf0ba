//! Every call of a store is dropped after every number of polls: the conversation is as before the call
//! or as after it, and nothing stays locked.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use ddg_agentic::memory::{
    ConversationError, ConversationPage, ConversationStore, ConversationVersion,
};
use ddg_core::checkpoint::Claim;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::setup::{Setup, id, on_every_store, said};

on_every_store! {
    every_call_can_be_dropped_at_every_poll,
}

type Call = for<'a> fn(
    &'a dyn ConversationStore,
    &'a str,
    ConversationVersion,
) -> BoxFuture<'a, Result<(), ConversationError>>;

/// What can be done with a conversation of one message.
const CALLS: &[(&str, Call)] = &[
    ("load", |store, talk, _| async { store.load(&id(talk)).await.map(drop) }.boxed()),
    ("save", |store, talk, version| {
        async move { store.save(&id(talk), &said(3), version).await.map(drop) }.boxed()
    }),
    ("rewrite", |store, talk, version| {
        async move { store.rewrite(&id(talk), &said(3), version).await.map(drop) }.boxed()
    }),
    ("keep_run", |store, talk, version| {
        async move { store.keep_run(&id(talk), None, version).await.map(drop) }.boxed()
    }),
    ("lease", |store, talk, _| {
        async {
            let lease = store.acquire(&id(talk), &Claim::default()).await?;
            store.renew(&lease).await?;
            store.release(&lease).await
        }
        .boxed()
    }),
    ("list", |store, _, _| {
        async { store.list(&ConversationPage::first(3)).await.map(drop) }.boxed()
    }),
    ("delete", |store, talk, _| async { store.delete(&id(talk)).await.map(drop) }.boxed()),
    ("delete_older_than", |store, _, _| {
        async { store.delete_older_than(Duration::from_secs(3600)).await.map(drop) }.boxed()
    }),
];

async fn every_call_can_be_dropped_at_every_poll(Setup { store, .. }: Setup) {
    for (name, call) in CALLS {
        for n_polls in 0.. {
            let talk = format!("{name} {n_polls}");
            let version = store.save(&id(&talk), &said(1), ConversationVersion::NEW).await.unwrap();
            let mut future = call(&*store, &talk, version);
            let mut n = 0;
            let done = poll_fn(|task| {
                if n == n_polls {
                    return Poll::Ready(None);
                }
                n += 1;
                future.poll_unpin(task).map(Some)
            })
            .await;
            drop(future);
            let found = store.load(&id(&talk)).await.unwrap();
            let n_messages = found.conversation.messages.len();
            let admits = match *name {
                "save" | "rewrite" => n_messages == 1 || n_messages == 3,
                "delete" => n_messages == 1 || found.version == ConversationVersion::NEW,
                _ => n_messages == 1,
            };
            assert!(admits, "{talk}: {n_messages} messages");
            let lease = store.acquire(&id(&talk), &Claim::default()).await.unwrap();
            store.save(&id(&talk), &said(n_messages + 1), found.version).await.unwrap();
            store.release(&lease).await.unwrap();
            if let Some(done) = done {
                done.unwrap();
                break;
            }
        }
    }
}
