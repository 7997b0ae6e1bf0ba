//! Parses the signature of a worker's method.

use syn::{
    FnArg, GenericParam, Generics, Path, Receiver, ReceiverKind, Safety, Signature, Type,
    parse_quote,
};

use super::{
    output::{error_of, parse_output},
    param::parse_param,
};
use crate::fault::Faults;
use crate::model::{Output, Param, Passing};
use crate::syntax::Function;

/// Maximum number of parameters of a worker.
const MAX_PARAMS: usize = 12;

/// The information in a signature.
pub(super) struct Method {
    pub(super) takes_self: bool,
    pub(super) is_async: bool,
    pub(super) params: Vec<Param>,
    pub(super) output: Output,
    pub(super) error: Option<Type>,
}

/// Parses the signature of a method in an impl with these generics.
pub(super) fn parse_method(
    method: &Function,
    generics: &Generics,
    krate: &Path,
    faults: &mut Faults,
) -> Method {
    let signature = &method.sig;
    refuse_qualifiers(signature, faults);
    let mut takes_self = false;
    let mut params: Vec<Param> = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(receiver) => {
                takes_self = true;
                check_receiver(receiver, faults);
            }
            FnArg::Typed(param) => params.push(parse_param(param, krate, faults)),
        }
    }
    refuse_surplus(signature, faults);
    refuse_second_context(&params, faults);
    let borrows = takes_self || params.iter().any(|param| param.passing != Passing::Owned);
    let mut output = parse_output(&signature.output, borrows, generics, faults);
    if refuse_generics(signature, faults) {
        // The code generated for the worker can't name the method's generics.
        params.iter_mut().for_each(|param| param.ty = parse_quote!(#krate::Value));
        output = Output::Refused;
    }
    let error = error_of(&signature.output);
    Method { takes_self, is_async: signature.asyncness.is_some(), params, output, error }
}

fn refuse_qualifiers(signature: &Signature, faults: &mut Faults) {
    let reason = "a worker is called by the engine, as a plain `fn` or `async fn`";
    if let Some(constness) = &signature.constness {
        faults.push(constness, format_args!("{reason}: drop the `const`"));
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        faults.push(unsafety, format_args!("{reason}: move the `unsafe` into the body"));
    }
    if let Some(abi) = &signature.abi {
        faults.push(abi, format_args!("{reason}: drop the `extern`"));
    }
}

/// Reports generics of the method, and returns whether there are any.
fn refuse_generics(signature: &Signature, faults: &mut Faults) -> bool {
    let mut is_refused = false;
    for param in &signature.generics.params {
        let ident = match param {
            GenericParam::Type(param) => &param.ident,
            GenericParam::Const(param) => &param.ident,
            GenericParam::Lifetime(_) => continue,
        };
        is_refused = true;
        faults.push_with_help(
            param,
            "a worker can't be generic: the engine would not know which type to call it with",
            format_args!("make the automa generic instead: `impl<{ident}> MyAutoma<{ident}>`"),
        );
    }
    is_refused
}

fn check_receiver(receiver: &Receiver, faults: &mut Faults) {
    if let ReceiverKind::Reference(_, _, None) = receiver.kind {
        return;
    }
    faults.push_with_help(
        receiver,
        "a worker runs concurrently with others, so all of them share `self`",
        "take `&self`, and keep changing state in `cx.local()` or behind a lock",
    );
}

fn refuse_surplus(signature: &Signature, faults: &mut Faults) {
    let mut params = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
    if let Some(surplus) = params.nth(MAX_PARAMS) {
        faults.push_with_help(
            surplus,
            format_args!("a worker has at most {MAX_PARAMS} parameters"),
            "gather what belongs together in a struct",
        );
    }
}

fn refuse_second_context(params: &[Param], faults: &mut Faults) {
    let contexts = params.iter().filter(|param| param.is_context());
    for second in contexts.skip(1) {
        faults.push(&second.ident, "a worker has one context: drop this parameter");
    }
}
