//! Items with parsed heads and unparsed bodies.
//!
//! The compiler has parsed an item before it passes the item to a macro, and parses the expansion
//! again, so it reports syntax errors itself. The macro reports none, keeps every token, and reads
//! what it can of the rest.

mod block;
mod function;
mod unreadable;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

pub(crate) use self::block::{BlockItem, ImplBlock};
pub(crate) use self::function::Function;
pub(crate) use self::unreadable::Unreadable;

/// The token that names the kind of the item (`struct`, `fn`, ..), or else the first token.
pub(crate) fn kind_token(item: &TokenStream) -> Option<TokenTree> {
    const KINDS: [&str; 7] = ["struct", "enum", "union", "trait", "fn", "mod", "type"];
    let is_kind = |token: &TokenTree| KINDS.iter().any(|kind| is_ident(token, kind));
    let mut head = item.clone().into_iter().take_while(|token| !is_braces(token));
    head.find(is_kind).or_else(|| item.clone().into_iter().next())
}

/// Whether one of the tokens before the item's braces is this keyword.
pub(crate) fn has_keyword(item: &TokenStream, keyword: &str) -> bool {
    let mut head = item.clone().into_iter().take_while(|token| !is_braces(token));
    head.any(|token| is_ident(&token, keyword))
}

/// Removes attributes of these names from the tokens, also inside parentheses.
pub(crate) fn without_attributes(tokens: TokenStream, names: &[&str]) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_ours = |next: &TokenTree| is_attribute(next, names);
        if is_punct(&token, '#') && tokens.next_if(is_ours).is_some() {
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                let stripped = without_attributes(group.stream(), names);
                // A new group has no closing token of its own for messages to point at, so an
                // unchanged group is kept.
                let is_same =
                    stripped.clone().into_iter().count() == group.stream().into_iter().count();
                if is_same { group.into() } else { with_stream(&group, stripped) }
            }
            other => other,
        });
    }
    kept.into_iter().collect()
}

/// The group with other tokens inside.
pub(crate) fn with_stream(group: &Group, stream: TokenStream) -> TokenTree {
    let mut changed = Group::new(group.delimiter(), stream);
    changed.set_span(group.span());
    changed.into()
}

/// Whether these are the brackets of an attribute with one of these names, by any path.
fn is_attribute(token: &TokenTree, names: &[&str]) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let path = group.stream().into_iter().take_while(|token| !matches!(token, TokenTree::Group(_)));
    let last = path.filter(|token| matches!(token, TokenTree::Ident(_))).last();
    group.delimiter() == Delimiter::Bracket
        && last.is_some_and(|last| names.iter().any(|name| is_ident(&last, name)))
}

fn is_braces(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn is_punct(token: &TokenTree, expected: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == expected)
}

fn is_ident(token: &TokenTree, expected: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == expected)
}
