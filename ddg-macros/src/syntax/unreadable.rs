//! An item with a syntax error in its head: kept as it is, and read as far as possible.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Token, Type, Visibility,
    parse::{Parse, ParseStream, discouraged::Speculative},
};

use super::{is_braces, is_ident, is_punct, without_attributes};

/// An item that can't be parsed.
pub(crate) struct Unreadable {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    rest: Vec<TokenTree>,
}

impl Parse for Unreadable {
    /// Takes everything up to the end of the item: a body, a `;`, or the start of another
    /// attribute.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = attempt(input, Attribute::parse_outer).unwrap_or_default();
        let vis = attempt(input, Visibility::parse).unwrap_or(Visibility::Inherited);
        let mut rest: Vec<TokenTree> = Vec::new();
        let mut has_begun = !attrs.is_empty() || !matches!(vis, Visibility::Inherited);
        while !input.is_empty() && (!has_begun || !input.peek(Token![#])) {
            let token = input.parse()?;
            let ends = is_braces(&token) || is_punct(&token, ';');
            rest.push(token);
            has_begun = true;
            if ends {
                break;
            }
        }
        Ok(Self { attrs, vis, rest })
    }
}

impl Unreadable {
    /// Whether the item ends in braces.
    pub(crate) fn has_body(&self) -> bool {
        self.rest.last().is_some_and(is_braces)
    }

    /// The name of the function, if the item is readable up to there.
    pub(crate) fn function(&self) -> Option<&Ident> {
        let fn_token = self.rest.iter().position(|token| is_ident(token, "fn"))?;
        match self.rest.get(fn_token + 1)? {
            TokenTree::Ident(ident) => Some(ident),
            _ => None,
        }
    }

    /// The type after `->`, if it is readable.
    pub(crate) fn return_type(&self) -> Option<Type> {
        let arrow = self
            .rest
            .windows(2)
            .position(|pair| is_punct(&pair[0], '-') && is_punct(&pair[1], '>'))?;
        let behind = self.rest[arrow + 2..].iter();
        let ty: TokenStream = behind
            .take_while(|token| !is_braces(token) && !is_ident(token, "where"))
            .cloned()
            .collect();
        syn::parse2(ty).ok()
    }

    /// Removes attributes of these names from the parameters.
    pub(crate) fn strip_params(&mut self, names: &[&str]) {
        let rest = std::mem::take(&mut self.rest).into_iter().collect();
        self.rest = without_attributes(rest, names).into_iter().collect();
    }
}

impl ToTokens for Unreadable {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.attrs.iter().for_each(|attr| attr.to_tokens(tokens));
        self.vis.to_tokens(tokens);
        tokens.extend(self.rest.iter().cloned());
    }
}

/// Parses, and consumes nothing on failure.
fn attempt<T>(
    input: ParseStream<'_>,
    parser: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> Option<T> {
    let fork = input.fork();
    let parsed = parser(&fork).ok()?;
    input.advance_to(&fork);
    Some(parsed)
}
