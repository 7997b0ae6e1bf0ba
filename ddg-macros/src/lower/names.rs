//! Names in generated code.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

/// The variable of the automa. It is hygienic, so a parameter may have the same name.
pub(super) fn this() -> Ident {
    Ident::new("this", Span::mixed_site())
}

/// The variable of the graph that the automa is declared in.
pub(super) fn graph() -> Ident {
    Ident::new("graph", Span::mixed_site())
}

/// Converts a name to a constant's: `fetch_page` and `fetchPage` to `FETCH_PAGE`.
pub(super) fn screaming(method: &Ident) -> Ident {
    let name = method.unraw().to_string();
    let mut screaming = String::new();
    let mut follows_lowercase = false;
    for letter in name.chars() {
        if follows_lowercase && letter.is_uppercase() {
            screaming.push('_');
        }
        follows_lowercase = letter.is_lowercase();
        screaming.extend(letter.to_uppercase());
    }
    Ident::new(&screaming, method.span())
}

/// An expression of the user in which `self` is the automa that is being declared.
pub(super) fn with_this(expr: &impl ToTokens) -> TokenStream {
    replace_self(expr.to_token_stream())
}

fn replace_self(tokens: TokenStream) -> TokenStream {
    let replace = |token| match token {
        TokenTree::Ident(ident) if ident == "self" => {
            TokenTree::Ident(Ident::new("this", Span::mixed_site().located_at(ident.span())))
        }
        TokenTree::Group(group) => {
            let mut replaced = Group::new(group.delimiter(), replace_self(group.stream()));
            replaced.set_span(group.span());
            TokenTree::Group(replaced)
        }
        other => other,
    };
    tokens.into_iter().map(replace).collect()
}
