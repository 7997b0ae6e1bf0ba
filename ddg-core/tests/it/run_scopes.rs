//! Runs that workers begin by themselves get what the scope around them attaches, wherever they are
//! begun and however deep they are.

use std::sync::Arc;

use ddg_core::prelude::*;
use ddg_core::run::RunScope;

/// What a run has from its scope.
struct Who(&'static str);

fn who(cx: &Context) -> Option<String> {
    cx.attached::<Who>().map(|who| who.0.to_owned())
}

/// An automa that says who it is for.
fn asking() -> GraphAutoma {
    let mut automa = GraphAutoma::new("asking");
    let ask = async |cx: Context| who(&cx);
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    automa
}

async fn asked(automa: &GraphAutoma) -> Option<String> {
    automa.run(()).output().await.unwrap()
}

fn ada() -> RunScope {
    RunScope::new().attach(|_| Who("ada"))
}

/// An automa whose only worker is `worker`.
fn of<F, Fut>(worker: F) -> GraphAutoma
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Option<String>> + Send + 'static,
{
    let mut automa = GraphAutoma::new("of");
    automa.add_func_as_worker("only", worker, start().output()).unwrap();
    automa
}

#[tokio::test]
async fn a_run_has_the_scope_in_which_it_was_created_wherever_it_is_begun() {
    let automa = asking();
    assert_eq!(asked(&automa).await, None);
    assert_eq!(ada().enter(asked(&automa)).await.as_deref(), Some("ada"));
    let created = ada().in_scope(|| automa.run(()));
    let begun = tokio::spawn(created.output::<Option<String>>().into_future());
    assert_eq!(begun.await.unwrap().unwrap().as_deref(), Some("ada"));
    let handle = ada().in_scope(|| automa.run(()).spawn());
    let outcome = handle.await.unwrap();
    assert_eq!(outcome.into_output::<Option<String>>().unwrap().as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_scope_holds_for_the_runs_that_a_run_in_it_leads_to() {
    let inner = Arc::new(asking());
    let middle = Arc::new(of(move || {
        let inner = Arc::clone(&inner);
        async move { asked(&inner).await }
    }));
    let outer = of(move || {
        let middle = Arc::clone(&middle);
        async move { asked(&middle).await }
    });
    assert_eq!(ada().enter(asked(&outer)).await.as_deref(), Some("ada"));
    assert_eq!(asked(&outer).await, None);
}

/// With several workers at once, which may be in tasks of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_workers_of_an_automa_are_in_its_scope() {
    let inner = Arc::new(asking());
    let mut nested = GraphAutoma::new("nested");
    for n in 0..20 {
        let inner = Arc::clone(&inner);
        let ask = move || {
            let inner = Arc::clone(&inner);
            async move { asked(&inner).await }
        };
        nested.add_func_as_worker(format!("ask_{n}"), ask, start()).unwrap();
    }
    let blocking = Arc::clone(&inner);
    let ask = move || {
        let runtime = tokio::runtime::Handle::current();
        runtime.block_on(asked(&blocking))
    };
    nested.add_func_as_worker("blocking", ask, start()).unwrap();
    let all = async |all: Vec<Option<String>>| all;
    let keys = (0..20).map(|n| format!("ask_{n}")).chain(["blocking".to_owned()]);
    nested.add_func_as_worker("all", all, after(keys).merge().output()).unwrap();

    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("nested", nested, start().output()).unwrap();
    outer.run_scope(|_| ada());
    let heard: Vec<Option<String>> = outer.run(()).output().await.unwrap();
    assert_eq!(heard.len(), 21);
    assert!(heard.iter().all(|who| who.as_deref() == Some("ada")), "{heard:?}");
}

#[tokio::test]
async fn an_empty_scope_ends_that_around_it() {
    let automa = asking();
    let apart = ada().enter(async { RunScope::new().enter(asked(&automa)).await });
    assert_eq!(apart.await, None);
    // A task is in the scope that it is given.
    let spawned = ada().enter(async move {
        let (scope, lost) = (RunScope::current(), automa.clone());
        let given = tokio::spawn(async move { scope.enter(asked(&automa)).await });
        let lost = tokio::spawn(async move { asked(&lost).await });
        (given.await.unwrap(), lost.await.unwrap())
    });
    assert_eq!(spawned.await, (Some("ada".to_owned()), None));
}
