//! A function or method with a parsed head, and its body as tokens.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Abi, Attribute, Signature, Token, Visibility,
    parse::{Parse, ParseStream},
    token::Brace,
};

/// A function or method with any body.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// The braces with their content, or the `;` of a function without a body.
    body: TokenTree,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = input.parse()?;
        let sig = input.parse()?;
        if !input.peek(Brace) && !input.peek(Token![;]) {
            return Err(input.error("expected the body of the function"));
        }
        Ok(Self { attrs, vis, defaultness, sig, body: input.parse()? })
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, defaultness, sig, body } = self;
        attrs.iter().for_each(|attr| attr.to_tokens(tokens));
        vis.to_tokens(tokens);
        defaultness.to_tokens(tokens);
        sig.to_tokens(tokens);
        body.to_tokens(tokens);
    }
}

impl Function {
    /// Whether a function begins here, whatever follows its `fn`.
    pub(crate) fn begins(input: ParseStream<'_>) -> bool {
        let fork = input.fork();
        let begins = || -> syn::Result<bool> {
            fork.call(Attribute::parse_outer)?;
            fork.parse::<Visibility>()?;
            fork.parse::<Option<Token![default]>>()?;
            fork.parse::<Option<Token![const]>>()?;
            fork.parse::<Option<Token![async]>>()?;
            fork.parse::<Option<Token![unsafe]>>()?;
            fork.parse::<Option<Abi>>()?;
            Ok(fork.peek(Token![fn]))
        };
        begins().unwrap_or(false)
    }
}
