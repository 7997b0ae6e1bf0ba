//! Checks that `merge`, `unpack` and `in_order` have lists to work with.

use crate::fault::Faults;
use crate::model::{Block, Mapping, Reference, Worker};
use crate::type_syntax::{is_map, is_scalar, type_text};

pub(super) fn check(block: &Block, faults: &mut Faults) {
    for worker in &block.workers {
        match worker.mapping {
            Mapping::Merge => check_merge(worker, faults),
            Mapping::Unpack => check_unpack(block, worker, faults),
            Mapping::AsIs | Mapping::Suppressed => {}
        }
        if worker.in_order {
            check_in_order(worker, faults);
        }
    }
}

fn check_merge(worker: &Worker, faults: &mut Faults) {
    let help = "take `Vec<T>`, where all dependencies give `T`, or a tuple with one type for each";
    match worker.positional_params().next() {
        None if worker.dependencies().is_empty() => {}
        None => faults.push_with_help(
            &worker.ident,
            "`merge` gives one list of all outputs, and no parameter takes it",
            help,
        ),
        Some(param) if is_scalar(&param.ty) || is_map(&param.ty) => {
            let message = format!(
                "`merge` gives one list of all outputs, but `{}` takes `{}` as `{}`",
                worker.method(),
                param.written,
                param.name(),
            );
            faults.push_with_help(&param.ty, message, help);
        }
        Some(_) => {}
    }
}

fn check_unpack(block: &Block, worker: &Worker, faults: &mut Faults) {
    match worker.dependencies() {
        [] => {}
        [dependency] => check_unpacked(block, dependency, faults),
        [_, second, ..] => faults.push_with_help(
            second,
            format_args!(
                "`unpack` spreads out the output of one dependency, and `{}` has {}",
                worker.method(),
                worker.dependencies().len(),
            ),
            "drop this one, or take each output as it is (without `unpack`) or all as one list \
             (`merge`)",
        ),
    }
}

fn check_unpacked(block: &Block, reference: &Reference, faults: &mut Faults) {
    let Some(dependency) = block.resolve(reference).map(|idx| &block.workers[idx]) else { return };
    let output = dependency.output.comparable();
    if let Some(ty) = output.filter(|ty| is_scalar(ty) && !dependency.output.is_unit()) {
        faults.push_with_help(
            reference,
            format_args!(
                "`unpack` spreads out a list or a map, but `{}` gives `{}`",
                dependency.method(),
                type_text(ty),
            ),
            "drop `unpack` to take the output as it is",
        );
    }
}

fn check_in_order(worker: &Worker, faults: &mut Faults) {
    if let Some(ty) = worker.output.comparable().filter(|ty| is_scalar(ty) || is_map(ty)) {
        let message = format!(
            "`in_order` scatters a list, but `{}` gives `{}`",
            worker.method(),
            type_text(ty),
        );
        let help = "return `Vec<T>` with one element for each worker that depends on this one, or \
                    drop `in_order`";
        if worker.output.is_unit() {
            faults.push_with_help(&worker.ident, message, help);
        } else {
            faults.push_with_help(ty, message, help);
        }
    }
}
