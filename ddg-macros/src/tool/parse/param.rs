//! Parses the parameters of a tool.

use proc_macro2::{Ident, Span};
use quote::ToTokens;
use syn::{
    Attribute, GenericArgument, Meta, Pat, PatType, PathArguments, Type, TypeReference,
    parse_quote, parse_quote_spanned, spanned::Spanned,
};

use super::docs;
use crate::fault::Faults;
use crate::tool::model::{Absent, Param, Source};
use crate::type_syntax::{find_borrow, find_unnamed, last_segment, peel};

/// The attributes of parameters that this crate reads.
pub(super) const OURS: [&str; 5] = ["default", "doc", "input", "serde", "schemars"];

/// Parses a parameter. A refused parameter stays in the list.
pub(super) fn parse_param(param: &PatType, faults: &mut Faults) -> Param {
    let ident = name(&param.pat, faults);
    let refused = || (parse_quote!(()), false);
    let (ty, borrowed) = owned(&param.ty, faults).unwrap_or_else(refused);
    let source = match injected(&ty, faults) {
        Some(source) => {
            refuse_model_attrs(&param.attrs, faults);
            source
        }
        None if is_input(&param.attrs, faults) => {
            let others = param.attrs.iter().filter(|attr| !attr.path().is_ident("input"));
            refuse_model_attrs(others, faults);
            Source::Input(docs(&param.attrs))
        }
        None => Source::Model {
            attrs: param.attrs.iter().filter(|attr| is_for_field(attr)).cloned().collect(),
            default: default(&param.attrs, faults),
        },
    };
    Param { ident, source, ty, borrowed }
}

/// Whether the attribute is for the model and not for the compiler.
pub(super) fn is_ours(attr: &Attribute) -> bool {
    OURS.iter().any(|name| attr.path().is_ident(name))
}

fn is_for_field(attr: &Attribute) -> bool {
    is_ours(attr) && !attr.path().is_ident("default")
}

fn name(pat: &Pat, faults: &mut Faults) -> Ident {
    match pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => pat.ident.clone(),
        other => {
            faults.push_with_help(
                other,
                "a tool's parameter needs a plain name, by which a model gives it",
                "write `name: T`, and take it apart in the body",
            );
            parse_quote!(nameless)
        }
    }
}

/// The owned type, and whether the function borrows it.
fn owned(ty: &Type, faults: &mut Faults) -> Option<(Type, bool)> {
    match peel(ty) {
        Type::Reference(reference) => borrowed(reference, faults).map(|ty| (ty, true)),
        ty => {
            check_owned(ty, faults)?;
            Some((ty.clone(), false))
        }
    }
}

fn borrowed(reference: &TypeReference, faults: &mut Faults) -> Option<Type> {
    if reference.mutability.is_some() {
        faults.push_with_help(
            reference,
            "a tool can't change an argument in place: nobody would see it",
            "take it by value (`mut x: T`)",
        );
        return None;
    }
    if let Some(lifetime) =
        reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static")
    {
        faults.push_with_help(
            lifetime,
            "a tool borrows its arguments only while it runs",
            "drop the `'static`, or take the argument by value",
        );
        return None;
    }
    let elem = &*reference.elem;
    check_owned(elem, faults)?;
    let span = Span::call_site().located_at(elem.span());
    Some(match peel(elem) {
        Type::Path(path) if path.path.is_ident("str") => {
            parse_quote_spanned!(span=> ::std::string::String)
        }
        Type::Slice(slice) => {
            let item = &slice.elem;
            parse_quote_spanned!(span=> ::std::vec::Vec<#item>)
        }
        other => other.clone(),
    })
}

fn check_owned(ty: &Type, faults: &mut Faults) -> Option<()> {
    let unnamed = match peel(ty) {
        Type::TraitObject(object) => Some(object.to_token_stream()),
        ty => find_unnamed(ty),
    };
    if let Some(unnamed) = unnamed {
        faults.push_with_help(
            unnamed,
            "a tool's parameter needs a concrete type, whose schema a model is told",
            "name the type; an enum leaves the model a choice",
        );
        return None;
    }
    if let Some(borrow) = find_borrow(ty) {
        faults.push_with_help(
            borrow,
            "a tool's argument is owned or borrowed as a whole, never in part",
            "own what is inside (`String` for `&str`, `Vec<T>` for `&[T]`), and put one `&` in \
             front of the whole type to borrow it",
        );
        return None;
    }
    Some(())
}

/// The context, the turn and states, which are recognised by their names.
fn injected(ty: &Type, faults: &mut Faults) -> Option<Source> {
    let segment = last_segment(ty)?;
    if segment.ident == "Context" && segment.arguments.is_none() {
        return Some(Source::Context);
    }
    if segment.ident == "Turn" && segment.arguments.is_none() {
        return Some(Source::Turn);
    }
    if segment.ident != "State" {
        return None;
    }
    let state = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.first(),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    };
    match state {
        Some(GenericArgument::Type(state)) => Some(Source::State(Box::new(state.clone()))),
        _ => {
            faults.push_with_help(
                segment,
                "a state is found by its type, and this does not name it",
                "write `State<T>` with the type that the toolbox is given",
            );
            Some(Source::State(parse_quote!(())))
        }
    }
}

/// Whether a parameter with these attributes is filled by the run's input of its name.
fn is_input(attrs: &[Attribute], faults: &mut Faults) -> bool {
    let Some(attr) = attrs.iter().find(|attr| attr.path().is_ident("input")) else { return false };
    if !matches!(attr.meta, Meta::Path(_)) {
        faults.push_with_help(
            attr,
            "`#[input]` has no options",
            "the parameter takes the run's input that is called like it",
        );
    }
    true
}

fn refuse_model_attrs<'a>(attrs: impl IntoIterator<Item = &'a Attribute>, faults: &mut Faults) {
    let about_models = |attr: &&Attribute| is_ours(attr) && !attr.path().is_ident("doc");
    for attr in attrs.into_iter().filter(about_models) {
        let name = attr.path().to_token_stream();
        faults.push(attr, format_args!("no model gives this argument: drop the `#[{name}]`"));
    }
}

fn default(attrs: &[Attribute], faults: &mut Faults) -> Option<Absent> {
    let mut defaults = attrs.iter().filter(|attr| attr.path().is_ident("default"));
    let attr = defaults.next()?;
    for second in defaults {
        faults.push(second, "an argument has one default: drop this one");
    }
    match &attr.meta {
        Meta::Path(_) => Some(Absent::Default),
        Meta::NameValue(pair) => Some(Absent::Expr(Box::new(pair.value.clone()))),
        Meta::List(_) => {
            faults.push(attr, "a default is written `#[default = expr]`, or `#[default]`");
            None
        }
    }
}
