//! Parses the parameters of a worker's method.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{
    Pat, PatType, Path, Type, TypeReference, parse_quote, parse_quote_spanned, spanned::Spanned,
};

use super::from::{parse_context, parse_from, parse_input};
use crate::fault::Faults;
use crate::model::{Param, Passing, Source};
use crate::type_syntax::{ends_in, find_borrow, find_unnamed, last_segment, peel, type_text};

const NAMELESS: &str = "a worker's parameter needs a plain name, because arguments are also given \
                        by name";

const NAME_IT: &str = "write `name: T`, and take it apart in the body";

/// Parses a parameter.
///
/// A refused parameter stays in the list, so that the positions of later ones are right.
pub(super) fn parse_param(param: &PatType, krate: &Path, faults: &mut Faults) -> Param {
    let from = parse_from(&param.attrs, faults);
    let input = parse_input(&param.attrs, faults);
    let context = parse_context(&param.attrs, faults);
    let named: Vec<_> = [("from", &from), ("input", &input), ("context", &context)]
        .into_iter()
        .filter_map(|(name, source)| source.is_some().then_some(name))
        .collect();
    if let [first, second, ..] = named[..] {
        let message = format!("`#[{first}]` and `#[{second}]` fill the same parameter: drop one");
        faults.push(&param.pat, message);
    }
    let ident = name(&param.pat, faults);
    let refused = || (parse_quote!(#krate::Value), Passing::Owned);
    let (ty, passing) = passing(&param.ty, faults).unwrap_or_else(refused);
    let source = if is_context(&ty) {
        if let [name, ..] = named[..] {
            let message = format!("the context is always given: drop the `#[{name}]`");
            faults.push(&param.pat, message);
        }
        Source::Context
    } else {
        from.or(input).or(context).unwrap_or(Source::Argument)
    };
    // What is made from the context is made for this call, so the call owns it.
    let passing = match (&source, passing) {
        (Source::Derived, Passing::Shared) => Passing::Borrowed,
        (_, passing) => passing,
    };
    Param { ident, source, passing, ty, written: type_text(&param.ty) }
}

fn name(pat: &Pat, faults: &mut Faults) -> Ident {
    match pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
        other => {
            faults.push_with_help(other, NAMELESS, NAME_IT);
            parse_quote!(nameless)
        }
    }
}

/// The type that a caller gives, and how the method takes it.
fn passing(ty: &Type, faults: &mut Faults) -> Option<(Type, Passing)> {
    match peel(ty) {
        Type::Reference(reference) => borrowed(reference, faults),
        owned => {
            refuse_unnamed(owned, faults)?;
            refuse_inner_borrow(owned, faults)?;
            Some((ty.clone(), Passing::Owned))
        }
    }
}

fn borrowed(reference: &TypeReference, faults: &mut Faults) -> Option<(Type, Passing)> {
    if reference.mutability.is_some() {
        faults.push_with_help(
            reference,
            "a worker can't change an argument in place: other workers may hold the same value",
            "take it by value (`mut x: T`) and return what became of it",
        );
        return None;
    }
    if let Some(lifetime) =
        reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static")
    {
        faults.push_with_help(
            lifetime,
            "a worker borrows its arguments only while it runs",
            "drop the `'static`, or take the argument by value",
        );
        return None;
    }
    let elem = &*reference.elem;
    refuse_unnamed(elem, faults)?;
    refuse_inner_borrow(elem, faults)?;
    let span = Span::call_site().located_at(elem.span());
    Some(match peel(elem) {
        Type::Path(path) if path.path.is_ident("str") => {
            (parse_quote_spanned!(span=> ::std::string::String), Passing::Shared)
        }
        Type::Slice(slice) => {
            let item = &slice.elem;
            (parse_quote_spanned!(span=> ::std::vec::Vec<#item>), Passing::Shared)
        }
        _ if is_context(elem) || ends_in(elem, "Arc") => (elem.clone(), Passing::Borrowed),
        _ => (elem.clone(), Passing::Shared),
    })
}

fn refuse_unnamed(ty: &Type, faults: &mut Faults) -> Option<()> {
    let unnamed = match peel(ty) {
        Type::TraitObject(object) => object.to_token_stream(),
        ty => match find_unnamed(ty) {
            Some(unnamed) => unnamed,
            None => return Some(()),
        },
    };
    faults.push_with_help(
        unnamed,
        "a worker's parameter needs a concrete type, into which outputs and inputs are turned",
        "name the type; where it has to stay open make the automa generic: \
         `impl<T: Trait> MyAutoma<T>`",
    );
    None
}

fn refuse_inner_borrow(ty: &Type, faults: &mut Faults) -> Option<()> {
    let Some(borrow) = find_borrow(ty) else {
        return Some(());
    };
    faults.push_with_help(
        borrow,
        "a worker's argument is owned or borrowed as a whole, never in part",
        "own what is inside (`String` for `&str`, `Vec<T>` for `&[T]`), and put one `&` in front \
         of the whole type to borrow it",
    );
    None
}

/// Whether this is the engine's `Context`, which is recognised by its name.
fn is_context(ty: &Type) -> bool {
    last_segment(ty)
        .is_some_and(|segment| segment.ident == "Context" && segment.arguments.is_none())
}
