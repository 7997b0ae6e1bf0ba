//! Errors as users see them: `main` prints the message and its causes as a list, and no message
//! repeats its source.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use ddg_core::RunError;
use ddg_core::checkpoint::StoreError;
use ddg_core::feedback::FeedbackError;
use ddg_core::graph::{EditError, Fault};
use ddg_core::prelude::*;
use ddg_core::run::{AnswerError, InteractionError};
use ddg_core::snapshot::SnapshotError;
use ddg_core::values::TypeMismatch;
use expect_test::{Expect, expect};

/// An error whose message does not say its source.
#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the outer one")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the inner one")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Error for Inner {}

/// No error of the chain says what its source says.
#[track_caller]
fn check_law(error: &(dyn Error + 'static)) {
    let mut one = error;
    while let Some(source) = one.source() {
        assert!(!one.to_string().contains(&source.to_string()), "said twice: {one} / {source}");
        one = source;
    }
    let shown = format!("{error:?}");
    assert!(shown.starts_with(&error.to_string()), "not as `main` shows it: {shown}");
    let mut said = Some(error);
    while let Some(error) = said {
        let message = error.to_string();
        assert_eq!(shown.matches(&message).count(), 1, "`{message}` in: {shown}");
        said = error.source();
    }
}

/// How the run of an automa ends.
async fn fails(declare: impl FnOnce(&mut GraphAutoma) -> Result<(), BuildError>) -> RunError {
    let mut automa = GraphAutoma::new("errors");
    declare(&mut automa).unwrap();
    match automa.run(()).await {
        Ok(outcome) => outcome.into_output::<i32>().unwrap_err(),
        Err(error) => error,
    }
}

async fn shown(
    declare: impl FnOnce(&mut GraphAutoma) -> Result<(), BuildError>,
    expected: &Expect,
) {
    let error = fails(declare).await;
    check_law(&error);
    expected.assert_eq(&format!("{error:?}"));
}

#[tokio::test]
async fn main_shows_the_message_and_its_causes() {
    shown(
        |automa| automa.add_func_as_worker("a", async || Err::<(), _>(Outer(Inner)), start()),
        &expect![[r#"
            automa `errors`, step 1: worker `a` failed: the outer one

            Caused by:
                the inner one"#]],
    )
    .await;
}

#[tokio::test]
async fn a_message_says_everything_once() {
    shown(
        |automa| automa.add_func_as_worker("a", async || 1, start().after(["b"])),
        &expect![
            "automa `errors`: worker `a` depends on `b`, which does not exist; the workers are: `a`"
        ],
    )
    .await;
    shown(
        |automa| {
            automa.add_func_as_worker("a", async |cx: Context| cx.ferry_to("b", ("x",)), start())?;
            automa.add_func_as_worker("b", async |n: i32| n, free().output())
        },
        &expect!["automa `errors`, step 2: worker `b` cannot be called: parameter #1: expected `i32`, found `String`"],
    )
    .await;
    shown(
        |automa| automa.add_func_as_worker("a", async |cx: Context| cx.remove_worker("b"), start()),
        &expect!["automa `errors`, step 1: worker `a` asked for an impossible change: cannot remove `b`: there is no such worker; the workers are: `a`"],
    )
    .await;
    shown(
        |automa| automa.add_func_as_worker("a", async || -> i32 { panic!("oh no") }, start()),
        &expect!["automa `errors`, step 1: worker `a` failed: panicked: oh no"],
    )
    .await;
    shown(
        |automa| automa.add_func_as_worker("a", async || "text", start().output()),
        &expect!["automa `errors`: its result: expected `i32`, found `String`"],
    )
    .await;
    shown(
        |automa| {
            let mut inner = GraphAutoma::new("inner");
            inner.add_func_as_worker("b", async || Err::<(), _>(Outer(Inner)), start())?;
            automa.add_worker("a", inner, start())
        },
        &expect![[r#"
            automa `errors`, step 1: worker `a` failed: automa `inner`, step 1: worker `a/b` failed: the outer one

            Caused by:
                the inner one"#]],
    )
    .await;
}

#[tokio::test]
async fn an_error_without_a_message_is_reported_as_such() {
    shown(
        |automa| automa.add_func_as_worker("a", async || Err::<i32, _>(()), start()),
        &expect!["automa `errors`, step 1: worker `a` failed: it returned `Err(())`, which says nothing; return an error that says what is wrong"],
    )
    .await;
}

#[tokio::test]
async fn an_undeclared_result_differs_from_a_missing_one() {
    shown(
        |automa| automa.add_func_as_worker("a", async || 1, start()),
        &expect!["automa `errors`: no worker is marked with `.output()`, so there is no `i32`"],
    )
    .await;
    shown(
        |automa| {
            automa.add_func_as_worker("a", async || 1, start())?;
            automa.add_func_as_worker("b", async || 1, free().output())
        },
        &expect!["automa `errors`: no output worker ran, so there is no `i32`"],
    )
    .await;
}

#[tokio::test]
async fn a_misspelled_key_is_reported_with_a_suggestion() {
    let many = |automa: &mut GraphAutoma| {
        for n in 0..20 {
            automa.add_func_as_worker(format!("step_{n}"), async || (), free())?;
        }
        automa.add_func_as_worker("weather", async || (), free())
    };
    shown(
        |automa| {
            many(automa)?;
            automa.add_func_as_worker("a", async |cx: Context| cx.ferry_to("wether", ()), start())
        },
        &expect!["automa `errors`, step 1: worker `a` ferried to `wether`, which does not exist; did you mean `weather`?"],
    )
    .await;
    shown(
        |automa| {
            many(automa)?;
            automa.add_func_as_worker("a", async |cx: Context| cx.remove_worker("wether"), start())
        },
        &expect!["automa `errors`, step 1: worker `a` asked for an impossible change: cannot remove `wether`: there is no such worker; did you mean `weather`?"],
    )
    .await;
    shown(
        |automa| {
            many(automa)?;
            let depend = async |cx: Context| cx.add_dependency("step_1", "wether");
            automa.add_func_as_worker("a", depend, start())
        },
        &expect!["automa `errors`, step 1: worker `a` asked for an impossible change: worker `step_1` depends on `wether`, which does not exist; did you mean `weather`?"],
    )
    .await;
    shown(
        |automa| {
            many(automa)?;
            automa.add_func_as_worker("a", async || (), after(["wether"]))
        },
        &expect!["automa `errors`: worker `a` depends on `wether`, which does not exist; did you mean `weather`?"],
    )
    .await;
}

fn mismatch() -> TypeMismatch {
    Value::new("x").get::<i32>().unwrap_err()
}

/// Those that are not provoked above, made of what they are made of.
#[test]
fn no_error_says_its_source_again() {
    let json = || serde_json::from_str::<i32>("x").unwrap_err();
    let boxed = || Box::new(Outer(Inner));
    let fault = || Fault::SelfDependency { worker: "a".into() };
    let opaque = || Value::new(Opaque::new(1)).to_json().unwrap_err();
    let automa = || "a".to_owned();
    let edit = || EditError::from(fault());
    let all: Vec<Box<dyn Error>> = vec![
        Box::new(mismatch()),
        Box::new(opaque()),
        Box::new(args!("x").get::<i32>(0).unwrap_err()),
        Box::new(InteractionError::Mismatch { id: "q".to_owned(), source: mismatch() }),
        Box::new(AnswerError::NotPaused { id: "q".to_owned() }),
        Box::new(FeedbackError::NoHandler { event: "E".to_owned() }),
        Box::new(fault()),
        Box::new(EditError::Nested { key: "a".into(), error: Box::new(edit()) }),
        Box::new(RunError::Output { automa: automa(), source: mismatch() }),
        Box::new(RunError::from(SnapshotError::from(json()))),
        Box::new(SnapshotError::NotSerializable {
            automa: automa(),
            worker: "a".into(),
            what: "its output",
            source: opaque(),
        }),
        Box::new(SnapshotError::Misfit { automa: automa(), source: Box::new(edit()) }),
        Box::new(SnapshotError::NotFollowing { step: 1, source: Some(json()) }),
        Box::new(StoreError::Open { store: automa(), source: boxed(), hint: "look" }),
        Box::new(StoreError::Backend { store: automa(), action: "read", source: boxed() }),
        Box::new(ddg_core::worker::TimedOut::new(Duration::from_secs(1))),
    ];
    for error in &all {
        check_law(&**error);
    }
}

#[test]
fn a_message_that_says_its_source_says_what_is_behind_it() {
    let error = StoreError::Backend {
        store: "s".to_owned(),
        action: "read",
        source: Box::new(Outer(Inner)),
    };
    assert_eq!(error.to_string(), "s could not read: the outer one: the inner one");
}
