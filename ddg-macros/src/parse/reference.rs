//! Parses references to workers: `start`, `"start"` and `dynamic("start")`.

use quote::ToTokens;
use syn::{Expr, ExprCall, Lit, ext::IdentExt};

use super::entry::ungroup;
use crate::fault::Faults;
use crate::model::{Form, Reference};

/// Parses a reference to a worker.
pub(super) fn parse_reference(expr: &Expr, faults: &mut Faults) -> Option<Reference> {
    let named = match expr {
        Expr::Path(path) => path
            .path
            .get_ident()
            .map(|method| (method.unraw().to_string(), Form::Method(method.clone()))),
        Expr::Lit(_) => string(expr).map(|key| (key, Form::Key)),
        Expr::Call(call) => dynamic_key(call).map(|key| (key, Form::Dynamic)),
        _ => None,
    };
    match named {
        Some((text, _)) if text.is_empty() => {
            faults.push(expr, "the key of a worker can't be empty");
            None
        }
        Some((text, form)) => Some(Reference { text, form, tokens: expr.to_token_stream() }),
        None => {
            faults.push_with_help(
                expr,
                "this names no worker",
                "write a method of this block (`start`), a key (`\"start\"`), or \
                 `dynamic(\"start\")` for a worker that this block doesn't declare",
            );
            None
        }
    }
}

fn dynamic_key(call: &ExprCall) -> Option<String> {
    let Expr::Path(function) = &*call.func else {
        return None;
    };
    match call.args.first() {
        Some(key) if function.path.is_ident("dynamic") && call.args.len() == 1 => {
            string(&ungroup(key.clone()))
        }
        _ => None,
    }
}

fn string(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(string) => Some(string.value()),
            _ => None,
        },
        _ => None,
    }
}
