//! `#[from("key", default = expr)]` on a parameter.

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

/// Reads where a parameter with these attributes is injected from, if it is.
pub(super) fn parse_from(attrs: &[Attribute], faults: &mut Faults) -> Option<Source> {
    let mut froms = attrs.iter().filter(|attr| is_from(attr));
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

/// Whether the attribute is our `#[from]`.
pub(super) fn is_from(attr: &Attribute) -> bool {
    attr.path().is_ident("from")
}

/// The worker's name and the options behind it.
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
