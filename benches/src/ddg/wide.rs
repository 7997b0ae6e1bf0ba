//! One step of many: what it costs per unit, and whether that grows with how many there are.

use ddg_core::event::EventFilter;
use ddg_core::prelude::*;
use ddg_core::snapshot::Snapshot;
use futures::FutureExt;

use crate::subject::Prepare;

/// `n` workers that start together.
///
/// # Errors
/// Never, but for a defect.
pub fn kickoffs(n: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("kickoffs");
    for worker in 0..n {
        automa.add_func_as_worker(worker.to_string(), async || {}, start())?;
    }
    Ok(automa)
}

/// A worker that jumps to another `n` times at once.
///
/// # Errors
/// Never, but for a defect.
pub fn ferries(n: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("ferries");
    let jump = move |cx: Context| async move {
        (0..n as u64).for_each(|number| cx.ferry_to("take", (number,)));
    };
    automa.add_func_as_worker("jump", jump, start())?;
    automa.add_func_as_worker("take", async |_: u64| {}, free())?;
    Ok(automa)
}

/// `n` workers that each ask a person; a run pauses.
///
/// # Errors
/// Never, but for a defect.
pub fn questions(n: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("questions");
    for worker in 0..n {
        let ask = async |cx: Context| -> Result<bool, WorkerError> {
            Ok(cx.interact_with_human("Go on?")?)
        };
        automa.add_func_as_worker(worker.to_string(), ask, start())?;
    }
    Ok(automa)
}

/// A paused run with `n` questions, and their ids.
///
/// # Errors
/// Never, but for a defect.
///
/// # Panics
/// If the run does not pause at once.
pub fn asked(n: usize) -> Result<(Snapshot, Vec<String>), BuildError> {
    let automa = questions(n)?;
    let paused = automa.run(()).outcome().now_or_never().expect("no worker waits");
    let paused = paused.expect("it runs");
    let ids = paused.questions().into_iter().map(|question| question.id).collect();
    Ok((paused.snapshot().expect("all of it has a JSON form"), ids))
}

/// Rounds that answer `n` questions, each by its id.
///
/// # Errors
/// Never, but for a defect.
pub fn answers(n: usize) -> Result<Prepare, BuildError> {
    let (paused, ids) = asked(n)?;
    Ok(Box::new(move || {
        let (mut paused, ids) = (paused.clone(), ids.clone());
        Box::pin(async move {
            for id in &ids {
                paused.answer(id, true).expect("it was asked");
            }
        })
    }))
}

/// A worker that deals `n` elements out to as many, and one that removes these while they run.
///
/// # Errors
/// Never, but for a defect.
pub fn removals(n: usize) -> Result<GraphAutoma, BuildError> {
    let mut automa = GraphAutoma::new("removals");
    let deal = move || async move { (0..n as u64).collect::<Vec<_>>() };
    automa.add_func_as_worker("deal", deal, start().in_order())?;
    automa.add_func_as_worker("before", async |cx: Context| cx.ferry_to("sweep", ()), start())?;
    let sweep = move |cx: Context| async move {
        (0..n).for_each(|worker| cx.remove_worker(worker.to_string()));
    };
    automa.add_func_as_worker("sweep", sweep, free())?;
    for worker in 0..n {
        automa.add_func_as_worker(worker.to_string(), async |_: u64| {}, after(["deal"]))?;
    }
    Ok(automa)
}

/// Rounds of `jumps` jumps with `subscribers` that take every event when the run has ended.
///
/// # Errors
/// Never, but for a defect.
pub fn watched(jumps: usize, subscribers: usize) -> Result<Prepare, BuildError> {
    let automa = super::jumps::automa()?;
    let filter = EventFilter::all().buffer(usize::MAX);
    Ok(Box::new(move || {
        let run = automa.run((jumps as u64,));
        let streams: Vec<_> = (0..subscribers).map(|_| run.events(filter.clone())).collect();
        let run = run.outcome();
        Box::pin(async move {
            run.await.expect("it runs");
            for mut stream in streams {
                while let Some(event) = stream.next().await {
                    event.expect("all events are kept");
                }
            }
        })
    }))
}
