//! Runs that begin inside other runs, and the attachments of a run.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ddg_core::checkpoint::{MemoryStore, StoredRuns};
use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::run::{ActiveRun, RunHandle};
use tokio::sync::Semaphore;

/// The active run, attached to itself.
struct Here(ActiveRun);

/// Counts its live instances.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(n: &Arc<AtomicUsize>) -> Self {
        n.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(n))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An automa with one worker, which calls `work`. Each run is attached to itself.
fn whole<F, Fut>(work: F) -> GraphAutoma
where
    F: Fn(ActiveRun) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<String, WorkerError>> + Send + 'static,
{
    let mut whole = GraphAutoma::new("whole");
    let work = move |cx: Context| {
        let here = cx.attached::<Here>().map(|here| work(here.0.clone()));
        async move { here.ok_or_else(|| WorkerError::msg("not attached"))?.await }
    };
    whole.add_func_as_worker("work", work, start().output()).unwrap();
    whole.attach(|run| Here(run.clone()));
    whole
}

fn part() -> GraphAutoma {
    let mut part = GraphAutoma::new("part");
    part.add_func_as_worker("path", async |cx: Context| cx.path().to_string(), start().output())
        .unwrap();
    part
}

/// [N5] Each run has one value, which nested runs share and which is dropped with the run.
#[tokio::test]
async fn what_is_attached_lives_as_long_as_its_run() {
    let n = Arc::new(AtomicUsize::new(0));
    let mut inner = GraphAutoma::new("inner");
    let look = async |cx: Context| cx.attached::<Counted>().map(|it| it.0.load(Ordering::SeqCst));
    inner.add_func_as_worker("look", look, start().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_func_as_worker("first", look, start()).unwrap();
    automa.add_worker("inner", inner, after(["first"]).suppressed().output()).unwrap();
    assert_eq!(automa.run(()).output::<Option<usize>>().await.unwrap(), None);

    let count = Arc::clone(&n);
    automa.attach(move |_| Counted::new(&count));
    for _ in 0..2 {
        assert_eq!(automa.run(()).output::<Option<usize>>().await.unwrap(), Some(1));
        assert_eq!(n.load(Ordering::SeqCst), 0);
    }
    let outcome = automa.run(()).await.unwrap();
    assert_eq!(n.load(Ordering::SeqCst), 0, "an outcome keeps nothing that was attached");
    drop(outcome);

    let mut waits = GraphAutoma::new("waits");
    let wait = async |cx: Context| {
        let _attached = cx.attached::<Counted>().is_some();
        std::future::pending::<()>().await;
    };
    waits.add_func_as_worker("wait", wait, start()).unwrap();
    let count = Arc::clone(&n);
    let mut run = Box::pin(waits.run(()).attach(move |_| Counted::new(&count)).outcome());
    assert!(futures::poll!(&mut run).is_pending());
    assert_eq!(n.load(Ordering::SeqCst), 1);
    drop(run);
    assert_eq!(n.load(Ordering::SeqCst), 0);
}

/// [N5] An attachment of one run replaces that of its automa. After the run has ended, a context
/// that was kept returns `None`, and not the attachment of a run around it.
#[tokio::test]
async fn what_is_attached_to_one_run_is_its_own() {
    let kept = Arc::new(Mutex::new(None));
    let mut inner = GraphAutoma::new("inner");
    let keep = Arc::clone(&kept);
    let look = move |cx: Context| {
        let found = cx.attached::<u32>().map(|number| *number);
        *keep.lock().unwrap() = Some(cx);
        async move { found }
    };
    inner.add_func_as_worker("look", look, start().output()).unwrap();
    inner.attach(|_| 1_u32);
    assert_eq!(inner.run(()).attach(|_| 2_u32).output::<Option<u32>>().await.unwrap(), Some(2));
    let mut outer = GraphAutoma::new("outer");
    outer.add_worker("inner", inner, start().output()).unwrap();
    outer.attach(|_| 3_u32);
    let later = async |cx: Context| cx.attached::<u32>().map(|number| *number);
    outer.add_func_as_worker("later", later, after(["inner"]).suppressed()).unwrap();
    assert_eq!(outer.run(()).output::<Option<u32>>().await.unwrap(), Some(1));
    let cx = kept.lock().unwrap().take().unwrap();
    assert_eq!(cx.attached::<u32>(), None);
}

/// [N6] A run inside another has a path, and the inputs, handlers and events of the run around it.
#[tokio::test]
async fn a_run_inside_is_seen_as_a_nested_one() {
    let mut part = GraphAutoma::new("part");
    let work = async |cx: Context| -> Result<String, WorkerError> {
        cx.post(7_u64);
        Ok(format!("{}: {:?}", cx.path(), cx.input::<String>("who")?))
    };
    part.add_func_as_worker("work", work, start().output()).unwrap();
    let mut whole = whole(move |run| {
        let part = part.run(()).inside(&run, "part-1").spawn();
        async move { Ok(part.output().await?) }
    });
    whole.declare_input("who");
    let posted = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&posted);
    let run = whole.run(args!(who = "Ada".to_owned()));
    let run = run.on_post(move |n: u64, from| heard.lock().unwrap().push(format!("{from}: {n}")));
    let mut events = run.events(EventFilter::all());
    assert_eq!(run.output::<String>().await.unwrap(), r#"part-1/work: Some("Ada")"#);
    assert_eq!(*posted.lock().unwrap(), ["part-1/work: 7"]);
    let mut inside = Vec::new();
    while let Some(event) = events.next().await {
        let event = event.unwrap();
        if event.automa.is_some() {
            inside.push(event.to_string().split_once(": ").unwrap().1.to_owned());
        }
    }
    assert_eq!(inside[0], "part-1: run of `part` started");
    assert!(inside.last().unwrap().starts_with("part-1: run finished"), "{inside:?}");
}

/// [N6] A run continues after the worker that began it, and the run around it, have ended.
#[tokio::test]
async fn a_run_inside_can_outlive_the_run_around_it() {
    let gate = Arc::new(Semaphore::new(0));
    let mut part = GraphAutoma::new("part");
    let opened = Arc::clone(&gate);
    let wait = move || {
        let gate = Arc::clone(&opened);
        async move { gate.acquire().await.unwrap().forget() }
    };
    part.add_func_as_worker("wait", wait, start().output()).unwrap();
    let (sender, mut handles) = tokio::sync::mpsc::unbounded_channel::<RunHandle>();
    let whole = whole(move |run| {
        sender.send(part.run(()).inside(&run, "part-1").spawn()).unwrap();
        async { Ok("done".to_owned()) }
    });
    assert_eq!(whole.run(()).output::<String>().await.unwrap(), "done");
    let handle = handles.recv().await.unwrap();
    assert!(!handle.is_finished());
    gate.add_permits(1);
    handle.output::<()>().await.unwrap();
}

/// [N6] An automa may run inside itself. Its callbacks then run once per worker.
#[tokio::test]
async fn an_automa_runs_inside_itself() {
    struct Count(Arc<AtomicUsize>);
    impl Callback for Count {
        async fn will_run(&self, _: &Context, _: &Args) -> Result<(), WorkerError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }
    let mut whole = GraphAutoma::new("whole");
    let work = async |deep: u32, cx: Context| -> Result<String, WorkerError> {
        let here = cx.attached::<Here>().unwrap();
        if deep == 0 {
            return Ok(cx.path().to_string());
        }
        let again = here.0.run_again((deep - 1,)).inside(&here.0, format!("level-{deep}"));
        Ok(again.output().await?)
    };
    whole.add_func_as_worker("work", work, start().output()).unwrap();
    whole.attach(|run| Here(run.clone()));
    let n_hooks = Arc::new(AtomicUsize::new(0));
    whole.add_callback(Count(Arc::clone(&n_hooks)));
    let path: String = whole.run((2_u32,)).output().await.unwrap();
    assert_eq!((path.as_str(), n_hooks.load(Ordering::SeqCst)), ("level-2/level-1/work", 3));
}

/// [N7] A run inside a stored run is stored under its path, read from there, and not run again.
#[tokio::test]
async fn a_run_inside_a_stored_one_is_stored_beside_it() {
    let store = MemoryStore::new();
    let whole = whole(move |run| {
        let part = part().run(args!()).inside(&run, "part-1");
        async move {
            let path = part.output::<String>().await?;
            let stored = run.stored_inside("part-1").await?;
            assert!(run.is_stored() && stored.is_some());
            assert!(run.stored_inside("part-2").await?.is_none());
            Ok(path)
        }
    });
    let path: String = whole.run(()).stored_in(&store, "run-7").output().await.unwrap();
    assert_eq!(path, "part-1/path");
    let runs = StoredRuns::new(&store);
    let ids: Vec<_> = runs.list(&Default::default()).await.unwrap();
    let mut ids: Vec<_> = ids.iter().map(|run| run.run.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["run-7", "run-7/part-1"]);
    assert!(runs.snapshot("run-7/part-1").await.unwrap().input("who").is_none());
}

/// [Q14] A run awaits what is registered before it pauses or ends because it was stopped. Changes of
/// local spaces are saved with it.
#[tokio::test]
async fn a_run_awaits_what_is_registered_before_it_pauses() {
    struct Registered;
    let mut automa = GraphAutoma::new("asks");
    let ask = async |cx: Context| {
        cx.attached::<Registered>();
        cx.interact_with_human::<u32>("How many?")
    };
    automa.add_func_as_worker("ask", ask, start().output()).unwrap();
    automa.attach(|run| {
        let space = run.local_space("ask").unwrap();
        run.before_pause(|| async move {
            tokio::task::yield_now().await;
            space.set("seen", 7_u32);
        });
        Registered
    });
    let paused = automa.run(()).await.unwrap();
    let json = serde_json::to_value(paused.snapshot().unwrap()).unwrap();
    assert_eq!(json["run"]["locals"]["ask"]["seen"], 7, "{json}");
    let answered = paused.answer_with(|_| 3).unwrap();
    assert_eq!(automa.resume(answered).output::<u32>().await.unwrap(), 3);
}

/// [N7] [Q4] The answers to the questions of a run inside a stored run are in the state of the outer
/// run. They count when the inner run continues from the store.
#[tokio::test]
async fn answers_in_a_snapshot_count_for_a_stored_run_inside_another() {
    let store = MemoryStore::new();
    let mut part = GraphAutoma::new("part");
    let n_begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_begun);
    let begin = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async {}
    };
    part.add_func_as_worker("begin", begin, start()).unwrap();
    let ask = async |cx: Context| cx.interact_with_human::<String>("Which?");
    part.add_func_as_worker("ask", ask, after(["begin"]).output()).unwrap();
    let part = Arc::new(part);
    let mut automa = GraphAutoma::new("whole");
    let work = move |cx: Context| {
        let (part, here) = (Arc::clone(&part), cx.attached::<Here>().unwrap().0.clone());
        async move {
            let run = match cx.resumed_inside(&"inner".into()) {
                Some(answered) => part.resume(answered),
                None => part.run(()),
            };
            let outcome = run.inside(&here, "inner").outcome().await?;
            match outcome.is_paused() {
                true => Err(cx.wait_inside("inner", outcome.snapshot()?).into()),
                false => Ok::<_, WorkerError>(outcome.into_output::<String>()?),
            }
        }
    };
    automa.add_func_as_worker("work", work, start().output()).unwrap();
    automa.attach(|run| Here(run.clone()));

    assert!(automa.run(()).stored_in(&store, "r").await.unwrap().is_paused());
    let runs = StoredRuns::new(&store);
    let question = runs.questions("r").await.unwrap().remove(0);
    assert_eq!(question.id, "inner/ask#1.1");
    runs.answer("r", &question.id, "this").await.unwrap();
    let said: String = automa.run(()).stored_in(&store, "r").output().await.unwrap();
    assert_eq!((said.as_str(), n_begun.load(Ordering::SeqCst)), ("this", 1));
}
