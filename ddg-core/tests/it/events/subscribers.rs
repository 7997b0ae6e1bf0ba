//! Subscribers that come late, leave early or are slow delay nobody.

use ddg_core::event::{EventFilter, EventKind, Missed};
use ddg_core::prelude::*;
use expect_test::expect;
use futures::StreamExt;

use super::lines;

/// Ferries to itself, telling each round, until told to stop.
fn endless() -> GraphAutoma {
    let mut automa = GraphAutoma::new("endless");
    let round = async |n: u32, cx: Context| {
        tokio::task::yield_now().await;
        cx.emit("round", n);
        cx.ferry_to("round", (n + 1,));
    };
    automa.add_func_as_worker("round", round, start()).unwrap();
    automa
}

/// [V4] [V6]
#[tokio::test]
async fn a_late_subscriber_gets_whole_steps_from_the_next_one_on() {
    let run = endless().run(args!(0)).spawn();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let mut first = run.events(EventFilter::all());
    let mut steps = Vec::new();
    while steps.len() < 3 {
        let event = first.next().await.unwrap().unwrap();
        assert!(steps.is_empty() || !matches!(event.kind, EventKind::RunStarted { .. }));
        if steps.is_empty() && !matches!(event.kind, EventKind::Custom { .. }) {
            assert!(matches!(event.kind, EventKind::StepStarted { .. }), "{event}");
        }
        if matches!(event.kind, EventKind::StepStarted { .. }) {
            steps.push(event.step);
        }
    }
    assert_eq!([steps[0] + 1, steps[0] + 2], steps[1..]);

    // The second gets the same events as the first from then on, with the same numbers.
    let mut second = run.events(EventFilter::custom());
    run.stop();
    run.await.unwrap();
    let rest: Vec<_> = first.map(Result::unwrap).collect().await;
    let custom = rest.iter().filter(|event| matches!(event.kind, EventKind::Custom { .. }));
    let custom: Vec<_> = custom.map(ToString::to_string).collect();
    let mut seen = Vec::new();
    while let Some(event) = second.next().await {
        seen.push(event.unwrap().to_string());
    }
    assert!(!seen.is_empty() && custom.ends_with(&seen), "{seen:?} of {custom:?}");
    assert!(matches!(rest.last().unwrap().kind, EventKind::RunFinished { stopped: true, .. }));
}

/// [V6]
#[tokio::test]
async fn dropped_subscribers_are_forgotten() {
    let run = endless().run(args!(0)).spawn();
    let mut events = run.events(EventFilter::all());
    events.next().await.unwrap().unwrap();
    drop(events);
    tokio::task::yield_now().await;
    // Events are only numbered while there are subscribers, so the numbers are still small.
    let mut events = run.events(EventFilter::all());
    let next = events.next().await.unwrap().unwrap();
    assert!(next.number < 20, "{next}");
    run.cancel();
    assert!(run.await.is_err());
}

/// [V7]
#[tokio::test]
async fn a_slow_subscriber_gets_the_number_of_missed_events_in_their_place() {
    let mut automa = GraphAutoma::new("chatty");
    let chat = async |cx: Context| {
        for n in 0..10 {
            cx.emit_chunk(n);
            cx.emit("noise", n);
        }
    };
    automa.add_func_as_worker("chat", chat, start()).unwrap();
    let prepared = automa.run(());
    let mut events = prepared.events(EventFilter::messages().buffer(3));
    let mut greedy = prepared.events(EventFilter::messages().buffer(0));
    prepared.outcome().await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap_err(), Missed(7));
    expect![[r#"
        17: step 1: `chat` gives 7
        19: step 1: `chat` gives 8
        21: step 1: `chat` gives 9
    "#]]
    .assert_eq(&lines(events).await);
    expect!["9 events were missed: read them faster, or buffer more with `EventFilter::buffer`"]
        .assert_eq(&greedy.next().await.unwrap().unwrap_err().to_string());
    assert_eq!(greedy.next().await.unwrap().unwrap().number, 21);
}

/// [V7]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_events_pass_a_subscriber_that_takes_none() {
    const WORKERS: u64 = 100;
    const CHUNKS: u64 = 100;
    let mut automa = GraphAutoma::new("flood");
    let work = |cx: Context| async move {
        for n in 0..CHUNKS {
            cx.emit_chunk(n);
            tokio::task::yield_now().await;
        }
    };
    for worker in 0..WORKERS {
        automa.add_func_as_worker(format!("w{worker}"), work, start()).unwrap();
    }
    let prepared = automa.run(());
    let idle = prepared.events(EventFilter::all());
    let mut reader = prepared.events(EventFilter::all().buffer(100_000));
    // It ends, though one subscriber does not take anything, and this one only now and then.
    let run = prepared.spawn();
    let mut next = 0;
    while let Some(event) = reader.next().await {
        assert_eq!(event.unwrap().number, next);
        next += 1;
    }
    run.await.unwrap();
    // The run's and the step's begin and end, and each worker's.
    assert_eq!(next, 4 + WORKERS * (CHUNKS + 2));

    let taken: Vec<_> = idle.collect().await;
    assert_eq!(*taken[0].as_ref().unwrap_err(), Missed(next - 1024));
    let numbers: Vec<_> = taken[1..].iter().map(|event| event.as_ref().unwrap().number).collect();
    assert_eq!(numbers, (next - 1024..next).collect::<Vec<_>>());
}
