//! Parses the syntax that all attributes share: `name, name = value, ..`.

use proc_macro2::{Ident, TokenTree};
use syn::{
    Expr, Token, Type,
    ext::IdentExt,
    parse::{ParseStream, discouraged::Speculative},
};

use crate::fault::Faults;

/// An entry of an attribute's list.
pub(super) struct Entry {
    pub(super) name: Ident,
    pub(super) value: Option<Value>,
}

/// The value after the `=` of an entry.
pub(super) enum Value {
    Expr(Expr),
    Type(Type),
}

/// Parses all entries. Reports what can't be parsed, and continues after the next comma.
///
/// A value is an expression, or a type if `is_type` says so for its name.
pub(super) fn parse_entries(
    input: ParseStream<'_>,
    is_type: impl Fn(&Ident) -> bool,
    faults: &mut Faults,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        // A fork, because a failed parse inside brackets would leave the whole input unusable.
        let attempt = input.fork();
        match parse_entry(&attempt, &is_type) {
            Ok(entry) => {
                input.advance_to(&attempt);
                entries.push(entry);
            }
            Err(error) => {
                faults.push_error(error);
                skip_entry(input);
            }
        }
    }
    entries
}

/// Removes the invisible group that `macro_rules!` leaves around the expression.
pub(super) fn ungroup(expr: Expr) -> Expr {
    match expr {
        Expr::Group(group) => ungroup(*group.expr),
        other => other,
    }
}

fn parse_entry(input: ParseStream<'_>, is_type: impl Fn(&Ident) -> bool) -> syn::Result<Entry> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected the name of an option"));
    }
    let name = input.call(Ident::parse_any)?;
    let value = match input.parse::<Option<Token![=]>>()? {
        None => None,
        Some(_) if is_type(&name) => Some(Value::Type(input.parse()?)),
        Some(_) => Some(Value::Expr(ungroup(input.parse()?))),
    };
    if input.parse::<Option<Token![,]>>()?.is_none() && !input.is_empty() {
        let expected = if value.is_some() { "`,`" } else { "`,` or `=`" };
        return Err(input.error(format!("expected {expected} after the option `{name}`")));
    }
    Ok(Entry { name, value })
}

/// Skips everything up to and including the next comma.
fn skip_entry(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            break;
        }
    }
}
