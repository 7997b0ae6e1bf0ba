//! Leases of conversations: one owner at a time runs a conversation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ddg_agentic::memory::{ConversationError, ConversationStore, OpenRunPlace};
use ddg_agentic::prelude::*;
use ddg_agentic::{Agent, AgentError};
use ddg_core::checkpoint::{Claim, Owner};
use expect_test::expect;
use serde_json::json;
use tokio::sync::{Notify, Semaphore};

use crate::setup::{Setup, id, on_every_store};

on_every_store! {
    a_lease_is_held_until_it_is_released,
    a_lease_expires,
    an_ended_process_holds_no_lease,
    two_agents_do_not_act_at_once,
    a_run_whose_lease_is_lost_is_stopped,
    races_of_two_processes_pay_once,
}

const TTL: Duration = Duration::from_secs(30);

fn claim(name: &str) -> Claim {
    Claim::new(Owner::named(name), TTL)
}

async fn a_lease_is_held_until_it_is_released(Setup { store, .. }: Setup) {
    let (talk, ada, bob) = (id("talk"), claim("ada"), claim("bob"));
    let first = store.acquire(&talk, &ada).await.unwrap();
    let held = store.acquire(&talk, &bob).await.unwrap_err();
    expect!["conversation `talk` is run by ada, whose lease lasts for 30s unless renewed"]
        .assert_eq(&held.to_string());
    store.acquire(&id("other"), &bob).await.unwrap();
    // Its owner may acquire it again, which makes the earlier lease invalid.
    let again = store.acquire(&talk, &ada).await.unwrap();
    store.release(&first).await.unwrap();
    let lost = store.renew(&first).await.unwrap_err();
    assert!(matches!(lost, ConversationError::LeaseLost { .. }), "{lost}");
    store.renew(&again).await.unwrap();
    let held = store.acquire(&talk, &bob).await.unwrap_err();
    assert!(matches!(held, ConversationError::Held { .. }), "{held}");
    store.release(&again).await.unwrap();
    store.acquire(&talk, &bob).await.unwrap();
    // A lease is not a conversation.
    assert!(!store.delete(&talk).await.unwrap());
}

async fn a_lease_expires(Setup { store, clock, .. }: Setup) {
    let (talk, ada, bob) = (id("talk"), claim("ada"), claim("bob"));
    let of_ada = store.acquire(&talk, &ada).await.unwrap();
    clock.advance(TTL - Duration::from_secs(1));
    store.renew(&of_ada).await.unwrap();
    clock.advance(TTL - Duration::from_secs(1));
    let held = store.acquire(&talk, &bob).await.unwrap_err();
    assert!(matches!(held, ConversationError::Held { .. }), "{held}");
    clock.advance(Duration::from_secs(1));
    store.acquire(&talk, &bob).await.unwrap();
    let lost = store.renew(&of_ada).await.unwrap_err();
    assert!(matches!(lost, ConversationError::LeaseLost { .. }), "{lost}");
}

async fn an_ended_process_holds_no_lease(Setup { store, .. }: Setup) {
    // No process has this start time.
    let Some(process) = Owner::this_process().process().map(|process| format!("{process}0")) else {
        return; // not known on this system
    };
    let gone = Claim::new(Owner::kept("gone", Some(process)), TTL);
    store.acquire(&id("talk"), &gone).await.unwrap();
    store.acquire(&id("talk"), &claim("bob")).await.unwrap();
}

/// Whether two calls used it at once, and the number of uses.
#[derive(Default)]
struct Till {
    n_in: AtomicU32,
    n_paid: AtomicU32,
    asked: Notify,
    gate: Option<Semaphore>,
}

/// Pays.
#[tool]
async fn pay(till: State<Arc<Till>>) -> String {
    struct In<'a>(&'a Till);
    impl Drop for In<'_> {
        fn drop(&mut self) {
            self.0.n_in.fetch_sub(1, Ordering::SeqCst);
        }
    }
    assert_eq!(till.0.n_in.fetch_add(1, Ordering::SeqCst), 0, "two act at once");
    let _in = In(&till.0);
    till.0.n_paid.fetch_add(1, Ordering::SeqCst);
    till.0.asked.notify_one();
    if let Some(gate) = &till.0.gate {
        gate.acquire().await.unwrap().forget();
    }
    tokio::task::yield_now().await;
    "paid".to_owned()
}

fn process(
    store: &Arc<dyn ConversationStore>,
    model: impl ChatModel,
    till: &Arc<Till>,
    options: ToolOptions,
) -> Agent {
    let tools = Toolbox::builder().with_options(pay::tool(), options).state(till.clone());
    let agent = Agent::new(ReActAutoma::new(model).tools(tools.build().unwrap())).unwrap();
    agent.conversations(store.clone())
}

fn asks() -> ScriptedModel {
    ScriptedModel::new().calls([ToolCall::new("a", "pay", json!({}))]).text("Done.")
}

/// Without leases both ran their tools, and the second could not save.
async fn two_agents_do_not_act_at_once(Setup { store, .. }: Setup) {
    let till = Arc::new(Till { gate: Some(Semaphore::new(0)), ..Till::default() });
    let first = process(&store, asks(), &till, ToolOptions::new());
    let run = tokio::spawn(first.run("talk", "Pay.").into_future());
    till.asked.notified().await;
    let second = process(&store, asks(), &till, ToolOptions::new());
    let busy = second.run("talk", "Pay.").await.unwrap_err();
    assert!(matches!(busy, AgentError::Busy { .. }), "{busy}");
    let patient = process(&store, asks(), &till, ToolOptions::new()).when_busy(WhenBusy::Queue);
    let next = tokio::spawn(patient.run("talk", "Pay.").into_future());
    till.gate.as_ref().unwrap().add_permits(2);
    run.await.unwrap().unwrap();
    assert_eq!(next.await.unwrap().unwrap().conversation.messages.len(), 8);
    assert_eq!(till.n_paid.load(Ordering::SeqCst), 2);
}

async fn a_run_whose_lease_is_lost_is_stopped(Setup { store, clock, .. }: Setup) {
    let till = Arc::new(Till { gate: Some(Semaphore::new(0)), ..Till::default() });
    let first = process(&store, asks(), &till, ToolOptions::new());
    // Renewed so often that the test need not wait.
    let owner = Owner::named("first");
    let first = first.claim(Claim::new(owner, Duration::from_millis(30)));
    let run = tokio::spawn(first.run("talk", "Pay.").into_future());
    till.asked.notified().await;
    // Another owner acquires the lease as soon as a renewal is late by the store's clock.
    let taken = loop {
        clock.advance(Duration::from_secs(1));
        if let Ok(taken) = store.acquire(&id("talk"), &claim("other")).await {
            break taken;
        }
    };
    let error = run.await.unwrap().unwrap_err();
    expect!["conversation `talk`: the run was stopped: conversation `talk` has been taken over: its lease expired before it was renewed"].assert_eq(&error.to_string());
    store.renew(&taken).await.unwrap();
    assert_eq!(store.load(&id("talk")).await.unwrap().conversation.messages.len(), 0);
}

/// A model that calls the tool after a message of a person, and ends after its result.
#[derive(Debug)]
struct Pays;

impl ChatModel for Pays {
    fn name(&self) -> &str {
        "pays"
    }

    fn chat(
        &self,
        request: ChatRequest,
    ) -> futures::future::BoxFuture<'_, Result<ChatReply, ModelError>> {
        let paid = matches!(request.messages.last(), Some(Message::Tool(_)));
        Box::pin(async move {
            Ok(match paid {
                true => ChatReply::text("Done."),
                false => ChatReply::calls([ToolCall::new("a", "pay", json!({}))]),
            })
        })
    }
}

/// In each round a run pauses, and two processes answer twice, resume it from its snapshot, say
/// something more, and are dropped at any moment; in the end one of them continues. One payment was
/// approved and one is in the conversation. It was only repeated after an interruption, and never
/// made by two processes at once. What is said more is refused, or begins a run that pays nothing,
/// because nobody approves it.
async fn races_of_two_processes_pay_once(Setup { store, .. }: Setup) {
    let n_rounds = if std::env::var_os("DDG_NIGHTLY").is_some() { 1000 } else { 30 };
    for round in 0..n_rounds {
        let till = Arc::new(Till::default());
        let agents: [_; 2] =
            std::array::from_fn(|_| process(&store, Pays, &till, ToolOptions::new().approval()));
        let talk = format!("talk {round}");
        agents[0].say(&talk, "Pay.").await.unwrap();
        let question = agents[1].questions(&talk).await.unwrap().remove(0).id;
        let open = store.load(&id(&talk)).await.unwrap().run.unwrap();
        let OpenRunPlace::Snapshot(mut answered) = open.at else { panic!("it is not stored") };
        answered.answer(&question, Verdict::Allow).unwrap();
        let tasks: Vec<_> = (0..7)
            .map(|nth| {
                let agent = agents[nth % 2].clone();
                let (talk, question, answered) = (talk.clone(), question.clone(), answered.clone());
                tokio::spawn(async move {
                    let answer = match nth {
                        0..4 => agent.answer(&talk, &question, Verdict::Allow),
                        4 => agent.resume(&talk, *answered),
                        _ => agent.say(&talk, "Pay more."),
                    };
                    let answer = answer.into_future();
                    let killed_after = (nth * 7 + round) % 40;
                    if nth % 2 == 1 {
                        return Some(answer.await);
                    }
                    tokio::select! {
                        biased;
                        () = polls(killed_after) => None,
                        said = answer => Some(said),
                    }
                })
            })
            .collect();
        let (mut n_ended, mut n_killed) = (0, 0);
        for task in tasks {
            match task.await.expect("two never act at once") {
                Some(Ok(said)) => n_ended += u32::from(matches!(said, Said::Ended(_))),
                Some(Err(_)) => {}
                None => n_killed += 1,
            }
        }
        match agents[1].recover(&talk).await {
            Ok(Said::Ended(_)) => n_ended += 1,
            // It is that of what was said more.
            Ok(Said::Paused { .. }) => assert!(agents[0].give_up(&talk).await.unwrap()),
            _ => {}
        }
        let stored = store.load(&id(&talk)).await.unwrap();
        assert_eq!((stored.run, stored.conversation.messages.len()), (None, 4));
        let n_paid = till.n_paid.load(Ordering::SeqCst);
        assert!((1..=1 + n_killed).contains(&n_paid), "paid {n_paid}, killed {n_killed}");
        assert!(n_ended <= 1);
        // A repeated answer changes nothing.
        let twice = agents[0].answer(&talk, &question, Verdict::Allow).await.unwrap_err();
        assert!(matches!(twice, AgentError::NotAsked { .. }), "{twice}");
        assert_eq!(till.n_paid.load(Ordering::SeqCst), n_paid);
    }
}

/// Ready at the n-th poll.
async fn polls(n: usize) {
    for _ in 0..n {
        tokio::task::yield_now().await;
    }
}
