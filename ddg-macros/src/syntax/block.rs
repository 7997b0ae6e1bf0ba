//! An impl block with a parsed head and parsed items.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, ImplItem, ItemImpl,
    parse::{ParseStream, Parser, discouraged::Speculative},
};

use super::{Function, Unreadable, with_stream};

/// An impl block in which any item may have a syntax error.
///
/// It is written with the erroneous items in a block of their own, because the compiler drops what
/// follows an error.
pub(crate) struct ImplBlock {
    /// The tokens before the braces, parsed as an impl without items.
    pub(crate) head: ItemImpl,
    /// The tokens before the braces.
    head_tokens: Vec<TokenTree>,
    /// The inner attributes of the block.
    inner_attrs: Vec<Attribute>,
    pub(crate) items: Vec<BlockItem>,
    braces: Group,
}

/// An item of an impl block.
pub(crate) enum BlockItem {
    Function(Box<Function>),
    /// A constant, a type or a macro.
    Other(Box<ImplItem>),
    Unreadable(Unreadable),
}

impl ImplBlock {
    /// Parses an impl block. `None` for any other item, and for an error before the braces.
    pub(crate) fn parse(item: TokenStream) -> Option<Self> {
        let mut head_tokens: Vec<TokenTree> = item.into_iter().collect();
        let braces = match head_tokens.pop()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => group,
            _ => return None,
        };
        let no_items = TokenTree::Group(Group::new(Delimiter::Brace, TokenStream::new()));
        let head = head_tokens.iter().cloned().chain([no_items]).collect();
        let head = syn::parse2(head).ok()?;
        let (inner_attrs, items) = parse_items.parse2(braces.stream()).ok()?;
        Some(Self { head, head_tokens, inner_attrs, items, braces })
    }
}

impl ToTokens for ImplBlock {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let is_readable = |item: &&BlockItem| !matches!(item, BlockItem::Unreadable(_));
        self.block_of(self.items.iter().filter(is_readable)).to_tokens(tokens);
        // An item without a body is left out, because there is nothing else in it for the compiler
        // to check.
        let unreadable: Vec<&BlockItem> = self
            .items
            .iter()
            .filter(|item| matches!(item, BlockItem::Unreadable(item) if item.has_body()))
            .collect();
        if !unreadable.is_empty() {
            self.block_of(unreadable.into_iter()).to_tokens(tokens);
        }
    }
}

impl ImplBlock {
    fn block_of<'a>(&self, items: impl Iterator<Item = &'a BlockItem>) -> TokenStream {
        let (head, inner_attrs) = (&self.head_tokens, &self.inner_attrs);
        let braces = with_stream(&self.braces, quote!(#(#inner_attrs)* #(#items)*));
        quote!(#(#head)* #braces)
    }
}

impl ToTokens for BlockItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Function(function) => function.to_tokens(tokens),
            Self::Other(item) => item.to_tokens(tokens),
            Self::Unreadable(item) => item.to_tokens(tokens),
        }
    }
}

fn parse_items(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Vec<BlockItem>)> {
    let inner_attrs = input.call(Attribute::parse_inner)?;
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(parse_item(input)?);
    }
    Ok((inner_attrs, items))
}

fn parse_item(input: ParseStream<'_>) -> syn::Result<BlockItem> {
    // A fork, because a failed parse inside brackets would leave the whole input unusable.
    let fork = input.fork();
    let parsed = if Function::begins(&fork) {
        fork.parse().map(|function| BlockItem::Function(Box::new(function)))
    } else {
        fork.parse().map(|item| BlockItem::Other(Box::new(item)))
    };
    match parsed {
        Ok(item) => {
            input.advance_to(&fork);
            Ok(item)
        }
        Err(_) => input.parse().map(BlockItem::Unreadable),
    }
}
