//! Parses the return type of a worker's method.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{
    GenericArgument, GenericParam, Generics, PathArguments, ReturnType, Type, TypeImplTrait,
    TypeParamBound, spanned::Spanned,
};

use crate::fault::Faults;
use crate::model::Output;
use crate::type_syntax::{find_reference, find_unnamed, last_segment, peel, type_text};

/// Parses the return type of a method that `borrows` from its call, in an impl with these generics.
pub(super) fn parse_output(
    output: &ReturnType,
    borrows: bool,
    generics: &Generics,
    faults: &mut Faults,
) -> Output {
    let ReturnType::Type(_, ty) = output else {
        return Output::unit();
    };
    let success = success(ty);
    if let Ok(text) = success
        && is_static_text(text)
    {
        // The engine passes a literal on as the type that owns its text.
        return Output::text(text.span());
    }
    if let Some(borrow) = find_reference(ty) {
        let is_in_error = success.is_ok_and(|success| find_reference(success).is_none());
        let message = if is_in_error {
            "a worker's error must own its data: it outlives the call, and may be what a run ends with"
        } else {
            "a worker's output must own its data: it outlives the call and goes to any worker"
        };
        let help = "return `String` for `&str`, `Vec<T>` for `&[T]`, `T` or `Arc<T>` for `&T`";
        faults.push_with_help(borrow, message, help);
        return Output::Refused;
    }
    refuse_bare_error(ty, faults);
    let ty = match success {
        Ok(ty) => peel(ty),
        Err(result) => {
            faults.push_with_help(
                result,
                format_args!("`{result}` hides the type of the worker's output"),
                "write it out: `Result<T, E>`",
            );
            return Output::Refused;
        }
    };
    match ty {
        Type::ImplTrait(opaque) => stream(opaque, borrows, generics, faults),
        ty => match find_unnamed(ty) {
            Some(unnamed) => refuse_unnamed(unnamed, faults),
            None => Output::Value(ty.clone()),
        },
    }
}

fn refuse_unnamed(unnamed: impl ToTokens, faults: &mut Faults) -> Output {
    faults.push_with_help(
        unnamed,
        "a worker gives a value whose type has a name, or a stream of such values",
        "write `T`, `Result<T, E>` or `impl Stream<Item = T>`; to give a future make the worker \
         an `async fn`",
    );
    Output::Refused
}

fn is_static_text(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(reference) => {
            reference.mutability.is_none()
                && reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static")
                && matches!(peel(&reference.elem), Type::Path(path) if path.path.is_ident("str"))
        }
        _ => false,
    }
}

/// Refuses `Box<dyn Error>`, which can't be sent to another thread and is not an error itself.
fn refuse_bare_error(ty: &Type, faults: &mut Faults) {
    let Some(boxed) = type_arguments(ty).into_iter().flatten().nth(1) else { return };
    let Some(Type::TraitObject(object)) = type_arguments(boxed).into_iter().flatten().next() else {
        return;
    };
    let names = || {
        object.bounds.iter().filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) => Some(&bound.path.segments.last()?.ident),
            _ => None,
        })
    };
    if names().any(|name| name == "Error") && !names().any(|name| name == "Send") {
        faults.push_with_help(
            boxed,
            format_args!("`{}` can't leave the thread that it was made on", type_text(boxed)),
            "return `Box<dyn Error + Send + Sync>`, a `WorkerError`, or an error type of your own",
        );
    }
}

/// The `E` of a return type `Result<T, E>`.
pub(super) fn error_of(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else { return None };
    last_segment(ty).filter(|segment| segment.ident == "Result")?;
    type_arguments(ty)?.nth(1).cloned()
}

/// The `T` of a `Result<T, E>`, or the type itself. A `Result` without arguments is an error.
fn success(ty: &Type) -> Result<&Type, &Ident> {
    let Some(segment) = last_segment(ty).filter(|segment| segment.ident == "Result") else {
        return Ok(ty);
    };
    type_arguments(ty).into_iter().flatten().next().ok_or(&segment.ident)
}

/// The types in the angle brackets of a type.
fn type_arguments(ty: &Type) -> Option<impl Iterator<Item = &Type>> {
    let PathArguments::AngleBracketed(arguments) = &last_segment(ty)?.arguments else {
        return None;
    };
    Some(arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }))
}

fn stream(
    opaque: &TypeImplTrait,
    borrows: bool,
    generics: &Generics,
    faults: &mut Faults,
) -> Output {
    let Some(item) = opaque.bounds.iter().find_map(stream_item) else {
        return refuse_unnamed(opaque, faults);
    };
    if let Some(unnamed) = find_unnamed(item) {
        return refuse_unnamed(unnamed, faults);
    }
    if borrows && !opaque.bounds.iter().any(lets_go) {
        faults.push_with_help(
            opaque,
            "a worker's stream outlives the call that made it, so it can't borrow from it",
            format_args!(
                "add `+ {}` to the type, and clone into the stream what it needs",
                nothing_captured(generics)
            ),
        );
    }
    Output::Stream(item.clone())
}

/// The `T` of `Stream<Item = T>`.
fn stream_item(bound: &TypeParamBound) -> Option<&Type> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let segment = bound.path.segments.last().filter(|segment| segment.ident == "Stream")?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Item" => Some(&assoc.ty),
        _ => None,
    })
}

/// Whether the bound says what is captured. Captured lifetimes were refused before.
fn lets_go(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::PreciseCapture(_))
}

fn nothing_captured(generics: &Generics) -> String {
    let params: Vec<String> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(param.ident.to_string()),
            GenericParam::Const(param) => Some(param.ident.to_string()),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    format!("use<{}>", params.join(", "))
}
