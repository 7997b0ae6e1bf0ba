//! Checks that every worker that is named exists, and can be waited for.

use crate::fault::Faults;
use crate::model::{Block, Form, Placement, Reference, Source, Worker};
use crate::suggestion::{enumerate, nearest};

pub(super) fn check(block: &Block, faults: &mut Faults) {
    for (worker_idx, worker) in block.workers.iter().enumerate() {
        check_dependencies(block, worker_idx, worker, faults);
        for param in &worker.params {
            if let Source::From { worker: reference, .. } = &param.source
                && is_unknown(block, reference)
            {
                report_unknown(block, reference, |_| true, faults);
            }
        }
    }
}

fn check_dependencies(block: &Block, worker_idx: usize, worker: &Worker, faults: &mut Faults) {
    let dependencies = worker.dependencies();
    for (entry, reference) in dependencies.iter().enumerate() {
        let key = block.key_of(reference);
        if dependencies[..entry].iter().any(|earlier| block.key_of(earlier) == key) {
            faults
                .push(reference, format_args!("`{key}` is named twice: one dependency is enough"));
            continue;
        }
        match block.resolve(reference) {
            Some(dependency) if dependency == worker_idx => faults.push_with_help(
                reference,
                format_args!("`{key}` waits for itself, so it would never run"),
                "drop the dependency; to run again, a worker ferries to itself with `cx.ferry_to`",
            ),
            Some(dependency) if is_detached(&block.workers[dependency]) => faults.push_with_help(
                reference,
                format_args!("`{key}` is detached, so there is nothing to wait for yet"),
                "add the dependency when you place it, or make it an ordinary worker",
            ),
            None if is_unknown(block, reference) => {
                let is_candidate =
                    |other: &Worker| other.ident != worker.ident && !is_detached(other);
                report_unknown(block, reference, is_candidate, faults);
            }
            Some(_) | None => {}
        }
    }
}

fn is_detached(worker: &Worker) -> bool {
    matches!(worker.placement, Placement::Detached)
}

fn is_unknown(block: &Block, reference: &Reference) -> bool {
    !matches!(reference.form, Form::Dynamic)
        && block.resolve(reference).is_none()
        && !block.is_unreadable(reference)
}

fn report_unknown(
    block: &Block,
    reference: &Reference,
    is_candidate: impl Fn(&Worker) -> bool,
    faults: &mut Faults,
) {
    let text = &reference.text;
    if let Form::Method(method) = &reference.form
        && block.other_methods.contains(method)
    {
        faults.push_with_help(
            reference,
            format_args!("the method `{text}` is not a worker"),
            "mark it with `#[worker]`",
        );
        return;
    }
    let known = known_workers(block, reference, is_candidate);
    let elsewhere = if block.shares_its_automa() {
        "a worker of another fragment"
    } else {
        "a worker that is added at run time"
    };
    faults.push_with_help(
        reference,
        format_args!("this block has no worker `{text}`"),
        format_args!("{known}\n= help: {elsewhere} is written `dynamic(\"{text}\")`"),
    );
}

/// The worker that may have been meant, or the existing workers.
fn known_workers(
    block: &Block,
    reference: &Reference,
    is_candidate: impl Fn(&Worker) -> bool,
) -> String {
    let candidates = block.workers.iter().filter(|worker| is_candidate(worker));
    let names: Vec<String> = candidates
        .map(|worker| match reference.form {
            Form::Method(_) => worker.method(),
            Form::Key | Form::Dynamic => worker.key.text.clone(),
        })
        .collect();
    let names = || names.iter().map(String::as_str);
    match (nearest(&reference.text, names()), names().count()) {
        (Some(name), _) => format!("did you mean `{name}`?"),
        (None, 0) => "there are no others".to_owned(),
        (None, 1) => format!("there is only {}", enumerate(names())),
        (None, _) => format!("there are {}", enumerate(names())),
    }
}
