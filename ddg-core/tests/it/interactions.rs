//! Questions to people: a run pauses, gets its answers, and is resumed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use ddg_core::prelude::*;
use ddg_core::run::{AnswerError, InteractionError, Question};
use ddg_core::snapshot::Snapshot;
use expect_test::expect;

use crate::trace::{Trace, add};

/// As it would reach another process.
fn elsewhere(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

fn ids(questions: &[Question]) -> Vec<&str> {
    questions.iter().map(|question| question.id.as_str()).collect()
}

async fn ask_twice(cx: Context) -> Result<String, WorkerError> {
    let first: String = cx.interact_with_human("first?".to_owned())?;
    let second: u32 = cx.interact_with_human(format!("second, {first}?"))?;
    Ok(format!("{first} {second}"))
}

/// [Q1] [Q2] [Q4]
#[tokio::test]
async fn the_nth_question_gets_the_nth_answer_in_whatever_process() {
    let mut automa = GraphAutoma::new("two");
    automa.add_func_as_worker("ask", ask_twice, start()).unwrap();
    automa.add_func_as_worker("end", async |x: String| x, after(["ask"]).output()).unwrap();
    let trace = Trace::of(&mut automa);

    let paused = automa.run(()).await.unwrap();
    let mut ran = trace.take();
    assert!(paused.is_paused());
    assert_eq!(ids(&paused.questions()), ["ask#0.1"]);
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#0.1", "one".to_owned()).unwrap();
    let paused = automa.resume(snapshot).await.unwrap();
    ran += &trace.take();
    let questions = paused.questions();
    assert_eq!(questions[0].id, "ask#0.2");
    assert_eq!(questions[0].content.get::<String>().unwrap(), "second, one?");
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#0.2", 2).unwrap();
    let outcome = automa.resume(snapshot).await.unwrap();
    assert_eq!(outcome.steps(), 2);
    assert_eq!(outcome.into_output::<String>().unwrap(), "one 2");
    ran += &trace.take();

    expect![[r#"
        step 1: ask (start) ()
        step 1: ask (start) ()
        step 1: ask (start) () → "one 2"
        step 2: end (dependencies) ("one 2") → "one 2"
    "#]]
    .assert_eq(&ran);
}

/// [Q1] [Q2] [Q3] Ferries and edits of finished peers count once; those of the interrupted don't.
#[tokio::test]
async fn finished_peers_do_not_run_again_and_what_they_asked_for_counts_once() {
    let runs = Arc::new(AtomicU32::new(0));
    let mut automa = GraphAutoma::new("peers");
    let count = Arc::clone(&runs);
    let peer = move |cx: Context| {
        count.fetch_add(1, Ordering::Relaxed);
        cx.ferry_to("ferried", ());
        std::future::ready(())
    };
    automa.add_func_as_worker("peer", peer, start()).unwrap();
    let ask = async |cx: Context| {
        cx.ferry_to("ferried", ());
        let answer: bool = cx.interact_with_human("go on?".to_owned())?;
        Ok::<_, WorkerError>(answer)
    };
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    add(&mut automa, "after_peer", after(["peer"]).suppressed());
    add(&mut automa, "after_both", after(["peer", "ask"]).suppressed());
    add(&mut automa, "ferried", free());
    let trace = Trace::of(&mut automa);

    let paused = automa.run(()).await.unwrap();
    let ran = trace.take();
    assert_eq!(paused.steps(), 1);
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#1.1", true).unwrap();
    automa.resume(snapshot).await.unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    expect![[r#"
        step 1: peer (start) () → null
        step 1: ask (start) ()
        step 1: ask (start) () → true
        step 2: ferried (ferry by `peer`) () → "ferried"
        step 2: after_peer (dependencies) () → "after_peer"
        step 2: ferried (ferry by `ask`) () → "ferried"
        step 2: after_both (dependencies) () → "after_both"
    "#]]
    .assert_eq(&(ran + &trace.take()));
}

/// [Q5] [Q6]
#[tokio::test]
async fn some_of_the_questions_may_be_answered_in_any_order() {
    let mut automa = GraphAutoma::new("three");
    for key in ["a", "b", "c"] {
        let ask = async |cx: Context| -> Result<u32, WorkerError> {
            Ok(cx.interact_with_human::<u32>(cx.key().to_string())?)
        };
        automa.add_func_as_worker(key, ask, start()).unwrap();
    }
    let sum = async |all: Vec<u32>| all;
    automa.add_func_as_worker("all", sum, after(["a", "b", "c"]).merge().output()).unwrap();

    let paused = automa.run(()).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["a#0.1", "b#1.1", "c#2.1"]);
    let mut snapshot = paused.snapshot().unwrap();
    snapshot.answer("b#1.1", 2).unwrap();
    let again = snapshot.answer("b#1.1", 3).unwrap_err();
    expect!["question `b#1.1` has been answered already: the first answer counts"]
        .assert_eq(&again.to_string());
    let unknown = snapshot.answer("x", 3).unwrap_err();
    expect!["there is no question `x`; there are: a#0.1, c#2.1"].assert_eq(&unknown.to_string());

    let paused = automa.resume(elsewhere(&snapshot)).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["a#0.1", "c#2.1"]);
    let mut snapshot = paused.snapshot().unwrap();
    snapshot.answer("c#2.1", 3).unwrap();
    snapshot.answer("a#0.1", 1).unwrap();
    let outcome = automa.resume(snapshot).await.unwrap();
    assert_eq!(outcome.into_output::<Vec<u32>>().unwrap(), [1, 2, 3]);
}

/// [Q6]
#[tokio::test]
async fn a_run_without_questions_takes_no_answer() {
    let mut automa = GraphAutoma::new("quiet");
    add(&mut automa, "a", start());
    let mut snapshot = automa.run(()).await.unwrap().snapshot().unwrap();
    let error = snapshot.answer("a#0.1", 1).unwrap_err();
    assert!(matches!(error, AnswerError::NotPaused { .. }));
    expect!["question `a#0.1` cannot be answered: the run is not paused and asks no question"]
        .assert_eq(&error.to_string());
}

/// [Q6]
#[tokio::test]
async fn an_answer_of_another_type_is_an_error_of_the_worker() {
    let mut automa = GraphAutoma::new("types");
    let ask = async |cx: Context| -> Result<u32, InteractionError> { cx.interact_with_human(()) };
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    let mut snapshot = automa.run(()).await.unwrap().snapshot().unwrap();
    snapshot.answer("ask#0.1", "seven".to_owned()).unwrap();
    let error = automa.resume(snapshot).await.unwrap_err();
    expect!["automa `types`, step 1: worker `ask` failed: the answer to question `ask#0.1`: expected `u32`, found `String`; withdraw it with `Snapshot::withdraw_answer`, and give another"]
        .assert_eq(&error.to_string());
}

/// [Q6] Also where nobody has the snapshot of before: in a store.
#[tokio::test]
async fn a_wrong_answer_can_be_taken_back() {
    let mut automa = GraphAutoma::new("types");
    let ask = async |cx: Context| cx.interact_with_human::<u32>("how many?".to_owned());
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", automa, start().output()).unwrap();

    let store = MemoryStore::new();
    let runs = StoredRuns::new(&store);
    outer.run(()).stored_in(&store, "r").await.unwrap();
    let id = "inner/ask#0.1";
    runs.answer("r", id, "three".to_owned()).await.unwrap();
    for _ in 0..2 {
        expect![[r#"automa `outer`, step 1: worker `inner` failed: automa `types`, step 1: worker `inner/ask` failed: the answer to question `inner/ask#0.1`: expected `u32`, found JSON string (invalid type: string "three", expected u32); withdraw it with `Snapshot::withdraw_answer`, and give another"#]]
            .assert_eq(&outer.run(()).stored_in(&store, "r").await.unwrap_err().to_string());
    }
    assert!(runs.answer("r", id, 3).await.is_err(), "the first answer counts");
    runs.edit("r", |snapshot| Ok(snapshot.withdraw_answer(id)?)).await.unwrap();
    runs.edit("r", |snapshot| Ok(snapshot.withdraw_answer(id)?)).await.unwrap();
    runs.answer("r", id, 3).await.unwrap();
    expect!["there is no question `ask#0.1`; all questions have been answered"]
        .assert_eq(&runs.answer("r", "ask#0.1", 3).await.unwrap_err().to_string());
    let outcome = outer.run(()).stored_in(&store, "r").await.unwrap();
    let mut over = outcome.snapshot().unwrap();
    assert_eq!(outcome.into_output::<u32>().unwrap(), 3);
    expect![
        "question `inner/ask#0.1` cannot be answered: the run is not paused and asks no question"
    ]
    .assert_eq(&over.withdraw_answer(id).unwrap_err().to_string());
}

/// [Q7]
#[tokio::test]
async fn an_error_in_the_same_step_is_reported_together_with_the_questions() {
    let mut automa = GraphAutoma::new("both");
    automa.add_func_as_worker("ask", ask_twice, start()).unwrap();
    let fail = async || Err::<(), _>(WorkerError::msg("no luck"));
    automa.add_func_as_worker("fail", fail, start()).unwrap();
    let Err(RunError::Step(error)) = automa.run(()).await else { panic!() };
    assert_eq!(ids(&error.questions), ["ask#0.1"]);
    expect![[r#"
        automa `both`, step 1: worker `fail` failed: no luck
        - question `ask#0.1` was asked"#]]
    .assert_eq(&error.to_string());
}

/// [Q1] The result of a paused run is an error with all open questions.
#[tokio::test]
async fn a_result_that_is_asked_for_is_an_error_with_the_run_in_it() {
    let mut automa = GraphAutoma::new("result");
    automa.add_func_as_worker("ask", ask_twice, start().output()).unwrap();
    let error = automa.run(()).output::<String>().await.unwrap_err();
    expect!["automa `result`: paused, so there is no output yet; a worker that runs it passes its questions on with `Context::call`, and `.outcome()` returns the run with its questions: `ask#0.1`"]
        .assert_eq(&error.to_string());
    let RunError::Paused { outcome } = error else { panic!() };
    let mut snapshot = outcome.snapshot().unwrap();
    snapshot.answer("ask#0.1", "x".to_owned()).unwrap();
    assert!(automa.resume(snapshot).await.unwrap().is_paused());
}

/// [Q8] [Q4] At any depth, beside a question of the outer automa, and with arguments.
#[tokio::test]
async fn a_nested_automa_resumes_where_it_was() {
    let runs = Arc::new(AtomicU32::new(0));
    let mut automa = GraphAutoma::new("inner");
    let count = Arc::clone(&runs);
    let first = move |x: u32| {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(x + 1)
    };
    automa.add_func_as_worker("first", first, start()).unwrap();
    let ask = async |x: u32, cx: Context| -> Result<u32, WorkerError> {
        let factor: u32 = cx.interact_with_human(x)?;
        Ok(x * factor)
    };
    automa.add_func_as_worker("ask", ask, after(["first"]).output()).unwrap();
    for _ in 0..2 {
        let mut outer = GraphAutoma::new("outer");
        outer.add_worker("inner", automa, start().output()).unwrap();
        automa = outer;
    }
    automa.add_func_as_worker("beside", ask_twice, start()).unwrap();

    let paused = automa.run(args!(4)).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["inner/inner/ask#1.1", "beside#1.1"]);
    assert_eq!(paused.questions()[0].content.get::<u32>().unwrap(), 5);
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("inner/inner/ask#1.1", 10).unwrap();
    let paused = automa.resume(snapshot).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["beside#1.1"]);
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("beside#1.1", "x".to_owned()).unwrap();
    let paused = automa.resume(snapshot).await.unwrap();
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("beside#1.2", 2).unwrap();
    let outcome = automa.resume(snapshot).await.unwrap();
    assert_eq!(outcome.into_output::<u32>().unwrap(), 50);
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

/// [Q2] In a loop each kickoff has questions of its own.
#[tokio::test]
async fn each_round_of_a_loop_asks_anew() {
    let mut automa = GraphAutoma::new("loop");
    let ask = async |sum: u32, cx: Context| -> Result<(), WorkerError> {
        let more: u32 = cx.interact_with_human(sum)?;
        match more {
            0 => cx.ferry_to("end", (sum,)),
            more => cx.ferry_to("ask", (sum + more,)),
        }
        Ok(())
    };
    automa.add_func_as_worker("ask", ask, start()).unwrap();
    automa.add_func_as_worker("end", async |sum: u32| sum, free().output()).unwrap();

    let mut outcome = automa.run(args!(0)).await.unwrap();
    for (round, more) in [5_u32, 7, 0].into_iter().enumerate() {
        let questions = outcome.questions();
        assert_eq!(ids(&questions), [format!("ask#{round}.1")]);
        let mut snapshot = elsewhere(&outcome.snapshot().unwrap());
        snapshot.answer(&questions[0].id, more).unwrap();
        outcome = automa.resume(snapshot).await.unwrap();
    }
    assert_eq!(outcome.into_output::<u32>().unwrap(), 12);
}

/// [Q9]
#[tokio::test(start_paused = true)]
async fn an_interrupted_attempt_is_not_retried_and_no_failure() {
    #[derive(Clone, Default)]
    struct Failures(Arc<AtomicU32>);
    impl Callback for Failures {
        async fn did_fail(
            &self,
            _: &Context,
            _: &WorkerError,
        ) -> Result<Option<Value>, WorkerError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(None)
        }
    }
    let failures = Failures::default();
    let mut automa = GraphAutoma::new("retried");
    let options = start().retry(Retry::times(3)).timeout(Duration::from_secs(1)).output();
    automa.add_func_as_worker("ask", ask_twice, options).unwrap();
    automa.add_callback(failures.clone());
    let paused = automa.run(()).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["ask#0.1"]);
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#0.1", "a".to_owned()).unwrap();
    let paused = automa.resume(snapshot).await.unwrap();
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#0.2", 1).unwrap();
    assert_eq!(automa.resume(snapshot).await.unwrap().into_output::<String>().unwrap(), "a 1");
    assert_eq!(failures.0.load(Ordering::Relaxed), 0);
}

/// [Q9]
#[tokio::test]
async fn a_hook_may_ask() {
    struct Approve;
    impl Callback for Approve {
        async fn will_run(&self, cx: &Context, _: &Args) -> Result<(), WorkerError> {
            let _: bool = cx.interact_with_human(format!("may {} run?", cx.key()))?;
            Ok(())
        }
        async fn did_run(&self, cx: &Context, output: &Value) -> Result<(), WorkerError> {
            let _: bool = cx.interact_with_human(format!("is {output:?} right?"))?;
            Ok(())
        }
    }
    let mut automa = GraphAutoma::new("hooked");
    automa.add_func_as_worker("ask", ask_twice, start().output()).unwrap();
    automa.add_callback(Approve);
    let mut outcome = automa.run(()).await.unwrap();
    let mut asked = Vec::new();
    let answers = [Value::new(true), Value::new("a".to_owned()), Value::new(2), Value::new(true)];
    for answer in answers {
        let question = outcome.questions().remove(0);
        let mut snapshot = elsewhere(&outcome.snapshot().unwrap());
        snapshot.answer(&question.id, answer).unwrap();
        asked.push(format!("{}: {:?}", question.id, question.content));
        outcome = automa.resume(snapshot).await.unwrap();
    }
    assert_eq!(outcome.into_output::<String>().unwrap(), "a 2");
    expect![[r#"
        ask#0.1: "may ask run?"
        ask#0.2: "first?"
        ask#0.3: "second, a?"
        ask#0.4: "is \"a 2\" right?""#]]
    .assert_eq(&asked.join("\n"));
}

/// [Q10]
#[tokio::test]
async fn a_worker_that_ends_successfully_needs_no_answer() {
    let mut automa = GraphAutoma::new("withdrawn");
    let ask = async |cx: Context| cx.interact_with_human::<u32>(()).unwrap_or(7);
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    assert_eq!(automa.run(()).output::<u32>().await.unwrap(), 7);
}

/// [Q11] [E6]
#[tokio::test]
async fn an_interrupted_worker_that_is_removed_does_not_run_again() {
    let mut automa = GraphAutoma::new("removed");
    automa.add_func_as_worker("ask", ask_twice, start()).unwrap();
    automa
        .add_func_as_worker("remove", async |cx: Context| cx.remove_worker("ask"), start())
        .unwrap();
    add(&mut automa, "end", after(["remove"]).suppressed().output());
    assert_eq!(automa.run(()).output::<String>().await.unwrap(), "end");
}

/// [Q1] [S14] At a rolling pace everything that is running ends before the run pauses.
#[tokio::test]
async fn at_a_rolling_pace_what_is_running_ends_first() {
    let mut automa = GraphAutoma::new("rolling");
    automa.add_func_as_worker("ask", ask_twice, start()).unwrap();
    let slow = async || {
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        1_u32
    };
    automa.add_func_as_worker("slow", slow, start()).unwrap();
    add(&mut automa, "next", after(["slow"]).suppressed().output());
    automa.set_pace(Pace::Rolling);
    let paused = automa.run(()).await.unwrap();
    assert_eq!(paused.automa().output("slow").unwrap().get::<u32>().unwrap(), 1);
    assert!(paused.automa().output("next").is_none());
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#0.1", "a".to_owned()).unwrap();
    let paused = automa.resume(snapshot).await.unwrap();
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#0.2", 2).unwrap();
    assert_eq!(automa.resume(snapshot).await.unwrap().into_output::<String>().unwrap(), "next");
}

/// [Q2] [Q5]
#[tokio::test]
async fn all_questions_are_answered_at_once() {
    let mut automa = GraphAutoma::new("ask");
    let ask = async |name: String, cx: Context| -> Result<String, WorkerError> {
        let n: u32 = cx.interact_with_human(name)?;
        Ok(format!("{} {n}", cx.key()))
    };
    automa.add_func_as_worker("a", ask, start()).unwrap();
    automa.add_func_as_worker("b", ask, start()).unwrap();
    let join = async |a: String, b: String| format!("{a}, {b}");
    automa.add_func_as_worker("join", join, after(["a", "b"]).output()).unwrap();

    let paused = automa.run(args!("how many?")).await.unwrap();
    let mut asked = Vec::new();
    let answered = paused.answer_with(|question| {
        asked.push(question.id.clone());
        asked.len() as u32
    });
    let resumed = automa.resume(answered.unwrap()).await.unwrap();
    assert_eq!(asked, ["a#0.1", "b#1.1"]);
    assert_eq!(resumed.output().get::<String>().unwrap(), "a 1, b 2");
    // There is nothing to answer.
    let again = resumed.answer_with(|question| question.id.clone()).unwrap();
    assert_eq!(again.step(), 2);
}

/// [Q1] [Q2] Questions that a worker asks before it passes an error on are asked together. The
/// worker runs again when all of them are answered, in any order.
#[tokio::test]
async fn a_worker_asks_several_questions_together() {
    let n_runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_runs);
    let mut automa = GraphAutoma::new("form");
    let ask = move |cx: Context| {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            let (name, age) = (cx.interact_with_human("Name?"), cx.interact_with_human("Age?"));
            let (name, age): (String, u32) = (name?, age?);
            let city: String = cx.interact_with_human("City?")?;
            Ok::<_, WorkerError>(format!("{name}, {age}, {city}"))
        }
    };
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    let paused = automa.run(()).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["ask#0.1", "ask#0.2"]);

    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#0.2", 36).unwrap();
    let paused = automa.resume(elsewhere(&snapshot)).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["ask#0.1"]);
    assert_eq!(n_runs.load(Ordering::SeqCst), 1, "one answer is missing");

    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("ask#0.1", "Ada").unwrap();
    let paused = automa.resume(elsewhere(&snapshot)).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["ask#0.3"]);
    let answered = paused.answer_with(|_| "London").unwrap();
    let said: String = automa.resume(answered).output().await.unwrap();
    assert_eq!((said.as_str(), n_runs.load(Ordering::SeqCst)), ("Ada, 36, London", 3));
}

/// [Q5] [F4] Two kickoffs of a nested automa in one step ask a question with the same id. Both can be
/// answered, in order.
#[tokio::test]
async fn questions_with_the_same_id_are_answered_in_order() {
    let mut inner = GraphAutoma::new("inner");
    let ask = async |what: String, cx: Context| {
        Ok::<_, WorkerError>(format!("{what}: {}", cx.interact_with_human::<String>(what.clone())?))
    };
    inner.add_func_as_worker("ask", ask, start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    let twice = async |cx: Context| {
        cx.ferry_to("inner", ("one",));
        cx.ferry_to("inner", ("two",));
    };
    automa.add_func_as_worker("twice", twice, start()).unwrap();
    automa.add_worker("inner", inner, free().output()).unwrap();
    let paused = automa.run(()).await.unwrap();
    assert_eq!(paused.questions().len(), 2);
    let answered = paused.answer_with(|question| question.content.get::<String>().unwrap() + "!");
    let said: String = automa.resume(elsewhere(&answered.unwrap())).output().await.unwrap();
    assert_eq!(said, "two: two!");
}

/// [Q13] A worker that calls automata asks their questions, at any depth. The calls continue where
/// they were, in another process, too.
#[tokio::test]
async fn a_worker_passes_on_the_questions_of_the_automata_that_it_calls() {
    let n_begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_begun);
    let mut part = GraphAutoma::new("part");
    let begin = move |x: u32| {
        count.fetch_add(1, Ordering::SeqCst);
        async move { x }
    };
    part.add_func_as_worker("begin", begin, start()).unwrap();
    let ask = async |x: u32, cx: Context| {
        Ok::<_, WorkerError>(x + cx.interact_with_human::<u32>("How much more?")?)
    };
    part.add_func_as_worker("ask", ask, after(["begin"]).output()).unwrap();
    let part = Arc::new(part);
    let mut middle = GraphAutoma::new("middle");
    let call = move |x: u32, cx: Context| {
        let part = Arc::clone(&part);
        async move {
            let first: u32 = cx.call(part.run(args!(x))).await?.into_output()?;
            let second: u32 = cx.call(part.run(args!(first))).await?.into_output()?;
            Ok::<_, WorkerError>(second)
        }
    };
    middle.add_func_as_worker("call", call, start().output()).unwrap();
    let middle = Arc::new(middle);
    let mut automa = GraphAutoma::new("outer");
    let call = move |x: u32, cx: Context| {
        let middle = Arc::clone(&middle);
        async move { Ok::<_, WorkerError>(cx.call(middle.run(args!(x))).await?.into_output::<u32>()?) }
    };
    automa.add_func_as_worker("top", call, start().output()).unwrap();

    let paused = automa.run(args!(1)).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["top/call/ask#1.1"]);
    assert_eq!(paused.questions()[0].worker, "top/call/ask");
    let mut snapshot = elsewhere(&paused.snapshot().unwrap());
    snapshot.answer("top/call/ask#1.1", 10).unwrap();
    let paused = automa.resume(elsewhere(&snapshot)).await.unwrap();
    assert_eq!(ids(&paused.questions()), ["top/call.2/ask#1.1"]);
    let answered = elsewhere(&paused.answer_with(|_| 100).unwrap());
    assert_eq!(automa.resume(answered).output::<u32>().await.unwrap(), 111);
    // The worker runs from its top, but the first call continues at its question.
    assert_eq!(n_begun.load(Ordering::SeqCst), 2);
}
