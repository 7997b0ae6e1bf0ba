//! Checks whether outputs fit the parameters that they fill.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, Type, spanned::Spanned};

use crate::model::{Block, Mapping, Param, Passing, Role, Source, Worker};
use crate::type_syntax::{is_dynamic, is_optional, list_item, tuple_items, type_text};

/// An output or a part of it, and the parameter that it fills.
struct Fit<'a> {
    /// The reason for the fit, which is the name of the check.
    why: &'static str,
    given: &'a Type,
    taken: &'a Type,
    /// Whether the parameter borrows.
    is_borrowed: bool,
    /// The message if the types do not fit.
    message: String,
    cfgs: Vec<&'a Attribute>,
}

pub(super) fn checks(block: &Block) -> TokenStream {
    let fits = block.workers.iter().flat_map(|worker| {
        let mut fits = match worker.mapping {
            Mapping::AsIs => as_is(block, worker),
            Mapping::Merge => merged(block, worker),
            Mapping::Unpack => unpacked(block, worker),
            Mapping::Suppressed => Vec::new(),
        };
        fits.extend(injected(block, worker));
        fits.extend(result(block, worker));
        fits
    });
    fits.filter(|fit| !is_dynamic(fit.given) && !is_dynamic(fit.taken))
        // Types that are written alike are the same.
        .filter(|fit| type_text(fit.given) != type_text(fit.taken))
        .map(|fit| check(block, &fit))
        .collect()
}

fn check(block: &Block, fit: &Fit<'_>) -> TokenStream {
    let Fit { given, taken, message, cfgs, .. } = fit;
    let krate = &block.krate;
    let span = Span::call_site().located_at(taken.span());
    let why = Ident::new(fit.why, span);
    let borrow = fit.is_borrowed.then(|| quote_spanned!(span=> &));
    // The message becomes a format string.
    let message = message.replace('{', "{{").replace('}', "}}");
    quote_spanned! {span=>
        #(#cfgs)*
        #krate::check::#why!(#given => #borrow #taken, #message);
    }
}

/// The dependencies that give something, up to the first that is not of this block. The positions
/// after it are unknown.
fn dependencies<'a>(block: &'a Block, worker: &'a Worker) -> impl Iterator<Item = &'a Worker> {
    worker
        .dependencies()
        .iter()
        .map_while(|reference| block.resolve(reference))
        .map(|worker_idx| &block.workers[worker_idx])
}

fn as_is<'a>(block: &'a Block, worker: &'a Worker) -> Vec<Fit<'a>> {
    let giving = dependencies(block, worker).filter(|dependency| !dependency.output.is_unit());
    giving
        .zip(worker.positional_params())
        .filter_map(|(dependency, param)| {
            let output = dependency.output.comparable()?;
            let (method, given) = (dependency.method(), type_text(output));
            if !dependency.in_order {
                let what = format!("`{method}` gives `{given}`");
                return Some(fit("dependency", dependency, output, worker, param, &what));
            }
            let item = list_item(output)?;
            let what = format!("`{method}` scatters the elements of `{given}`");
            Some(fit("dealt", dependency, item, worker, param, &what))
        })
        .collect()
}

fn merged<'a>(block: &'a Block, worker: &'a Worker) -> Vec<Fit<'a>> {
    let Some(param) = worker.positional_params().next() else {
        return Vec::new();
    };
    let all_known = worker.dependencies().iter().all(|entry| block.resolve(entry).is_some());
    let tuple = tuple_items(&param.ty).filter(|_| all_known);
    let elements = dependencies(block, worker).enumerate().filter_map(|(place, dependency)| {
        let output = dependency.output.comparable().filter(|_| !dependency.in_order)?;
        let taken = match &tuple {
            Some(items) => items.get(place).copied()?,
            None => list_item(&param.ty)?,
        };
        // A unit output becomes null in the list.
        if dependency.output.is_unit() && is_optional(taken) {
            return None;
        }
        let what = format!("`{}` gives `{}`", dependency.method(), type_text(output));
        let fit = fit("merged", dependency, output, worker, param, &what);
        Some(Fit { taken, is_borrowed: false, ..fit })
    });
    elements.collect()
}

fn unpacked<'a>(block: &'a Block, worker: &'a Worker) -> Vec<Fit<'a>> {
    let [reference] = worker.dependencies() else {
        return Vec::new();
    };
    let Some(dependency) = block.resolve(reference).map(|idx| &block.workers[idx]) else {
        return Vec::new();
    };
    let Some(output) = dependency.output.comparable().filter(|_| !dependency.in_order) else {
        return Vec::new();
    };
    let tuple = tuple_items(output);
    let params = worker.positional_params().enumerate().filter_map(|(place, param)| {
        let given = match &tuple {
            Some(items) => items.get(place).copied()?,
            None => list_item(output)?,
        };
        let what = format!(
            "`{}` gives `{}`, and this is its element {place}",
            dependency.method(),
            type_text(output),
        );
        Some(fit("unpacked", dependency, given, worker, param, &what))
    });
    params.collect()
}

fn injected<'a>(block: &'a Block, worker: &'a Worker) -> Vec<Fit<'a>> {
    let injected = worker.params.iter().filter_map(|param| {
        let Source::From { worker: reference, .. } = &param.source else {
            return None;
        };
        let from = &block.workers[block.resolve(reference)?];
        let output = from.output.comparable()?;
        // A unit output becomes `None`.
        if from.output.is_unit() && is_optional(&param.ty) {
            return None;
        }
        let what = format!("`{}` gives `{}`", from.method(), type_text(output));
        Some(fit("injected", from, output, worker, param, &what))
    });
    injected.collect()
}

fn result<'a>(block: &'a Block, worker: &'a Worker) -> Option<Fit<'a>> {
    let Role::Automa { output: Some(result), .. } = &block.role else {
        return None;
    };
    worker.output_option()?;
    let output = worker.output.comparable()?;
    // A unit output becomes `None`.
    if worker.output.is_unit() && is_optional(result) {
        return None;
    }
    let message = format!(
        "the automa's output is `{}`, but `{}` gives `{}`",
        type_text(result),
        worker.method(),
        type_text(output),
    );
    let cfgs = worker.cfgs.iter().collect();
    Some(Fit { why: "result", given: output, taken: result, is_borrowed: false, message, cfgs })
}

/// The fit of the output of `from` with a parameter of `worker`.
fn fit<'a>(
    why: &'static str,
    from: &'a Worker,
    given: &'a Type,
    worker: &'a Worker,
    param: &'a Param,
    what: &str,
) -> Fit<'a> {
    let message = format!(
        "`{}` takes `{}` as `{}`, but {what}",
        worker.method(),
        param.written,
        param.name(),
    );
    Fit {
        why,
        given,
        taken: &param.ty,
        is_borrowed: param.passing == Passing::Shared,
        message,
        cfgs: from.cfgs.iter().chain(&worker.cfgs).collect(),
    }
}
