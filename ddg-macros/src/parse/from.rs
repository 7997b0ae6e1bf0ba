//! Parses `#[from("key", default = expr)]` on a parameter.

use syn::{Attribute, Expr, Meta, Token, parse::ParseStream};

use super::{
    entry::ungroup,
    options::{Grammar, Options, Shape},
    reference::parse_reference,
};
use crate::fault::Faults;
use crate::model::Source;

const GRAMMAR: Grammar =
    Grammar { attribute: "#[from]", options: &[("default", Shape::Expr("default = 0"))] };

/// The attributes of a parameter that say what fills it.
pub(super) const FILLED_BY: [&str; 3] = ["from", "input", "context"];

/// Reads where a parameter with these attributes is injected from, if it is.
pub(super) fn parse_from(attrs: &[Attribute], faults: &mut Faults) -> Option<Source> {
    let mut froms = attrs.iter().filter(|attr| attr.path().is_ident("from"));
    let first = froms.next()?;
    for other in froms {
        faults.push(other, "a parameter is injected from one worker: drop this `#[from]`");
    }
    match parse_attribute(first, faults) {
        Ok((worker, options)) => {
            let default = options.expr("default").cloned().map(Box::new);
            parse_reference(&worker, faults).map(|worker| Source::From { worker, default })
        }
        Err(error) => {
            faults.push_error(error);
            None
        }
    }
}

/// Whether a parameter with these attributes is filled by the run's inputs alone.
pub(super) fn parse_input(attrs: &[Attribute], faults: &mut Faults) -> Option<Source> {
    let attr = attrs.iter().find(|attr| attr.path().is_ident("input"))?;
    if !matches!(attr.meta, Meta::Path(_)) {
        faults.push_with_help(
            attr,
            "`#[input]` has no options",
            "the parameter takes the run's input that is called like it",
        );
    }
    Some(Source::Input)
}

/// Whether a parameter with these attributes is made from the context.
pub(super) fn parse_context(attrs: &[Attribute], faults: &mut Faults) -> Option<Source> {
    let attr = attrs.iter().find(|attr| attr.path().is_ident("context"))?;
    if !matches!(attr.meta, Meta::Path(_)) {
        faults.push_with_help(
            attr,
            "`#[context]` has no options",
            "the type of the parameter says how it is made from the context",
        );
    }
    Some(Source::Derived)
}

/// Whether the attribute is our `#[from]`, `#[input]` or `#[context]`.
pub(super) fn is_from(attr: &Attribute) -> bool {
    FILLED_BY.iter().any(|name| attr.path().is_ident(name))
}

/// Parses the name of the worker and the options after it.
fn parse_attribute(attr: &Attribute, faults: &mut Faults) -> syn::Result<(Expr, Options)> {
    match &attr.meta {
        Meta::List(list) if !list.tokens.is_empty() => {
            list.parse_args_with(|input: ParseStream<'_>| {
                let worker = ungroup(input.parse()?);
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
                Ok((worker, Options::parse(input, &GRAMMAR, faults)))
            })
        }
        _ => Err(syn::Error::new_spanned(attr, "which worker? Write `#[from(\"key\")]`")),
    }
}
