//! Parses the impl block and its methods.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, FnArg, GenericParam, ImplItem, ItemImpl, Signature};

use super::{
    automa::{AutomaOptions, parse_automa_options},
    from::{FILLED_BY, is_from},
    worker::{cfgs, parse_unreadable, parse_worker},
};
use crate::fault::Faults;
use crate::model::{Block, Worker};
use crate::syntax::{
    BlockItem, Function, ImplBlock, has_keyword, kind_token, with_stream, without_attributes,
};
use crate::type_syntax::find_borrow;

/// Parses `#[automa(attr)] item`.
///
/// Returns the item without this crate's attributes, and the block, unless the item can't be one at
/// all.
pub(crate) fn parse_block(
    attr: TokenStream,
    item: TokenStream,
    faults: &mut Faults,
) -> (TokenStream, Option<Block>) {
    let Some(mut impl_block) = ImplBlock::parse(item.clone()) else {
        // The compiler reports an impl with a syntax error before its braces.
        if !has_keyword(&item, "impl") {
            faults.push_with_help(
                kind_token(&item),
                "#[automa] belongs on an inherent impl block",
                "write `#[automa] impl MyAutoma { .. }`, with methods marked `#[worker]`",
            );
        }
        return (strip_workers(item), None);
    };
    let head = &impl_block.head;
    let block = is_inherent_and_owned(head, faults).then(|| {
        let AutomaOptions { krate, role, fragments } =
            parse_automa_options(attr, &head.self_ty, faults);
        let mut block = Block {
            krate,
            role,
            fragments,
            generics: head.generics.clone(),
            self_ty: (*head.self_ty).clone(),
            cfgs: cfgs(&head.attrs),
            workers: Vec::new(),
            unreadable: Vec::new(),
            other_methods: Vec::new(),
        };
        for item in &impl_block.items {
            parse_item(item, &mut block, faults);
        }
        block
    });
    impl_block.items.iter_mut().for_each(strip_attributes);
    (impl_block.into_token_stream(), block)
}

/// Removes `#[from]` from the parameters of a method; returns any other `item` as it is.
pub(crate) fn strip_from_attributes(item: TokenStream) -> TokenStream {
    match syn::parse2::<Function>(item.clone()) {
        Ok(mut method) => {
            strip_from(&mut method.sig);
            method.into_token_stream()
        }
        Err(_) => item,
    }
}

fn is_inherent_and_owned(item_impl: &ItemImpl, faults: &mut Faults) -> bool {
    if let Some((path, _)) = &item_impl.trait_ {
        faults.push_with_help(
            path,
            "#[automa] belongs on an inherent impl block, not on the impl of a trait",
            "move the workers to `impl MyAutoma { .. }`; `Automa` is implemented for you",
        );
        return false;
    }
    let lifetime = item_impl.generics.params.iter().find_map(|param| match param {
        GenericParam::Lifetime(param) => Some(param.to_token_stream()),
        GenericParam::Type(_) | GenericParam::Const(_) => None,
    });
    let Some(borrow) = lifetime.or_else(|| find_borrow(&item_impl.self_ty)) else {
        return true;
    };
    faults.push_with_help(
        borrow,
        "an automa is shared by all its runs, so it must be 'static",
        "own what it borrows, or share it in an `Arc`",
    );
    false
}

fn parse_item(item: &BlockItem, block: &mut Block, faults: &mut Faults) {
    match item {
        BlockItem::Function(method) => parse_method_item(method, block, faults),
        BlockItem::Other(item) => refuse_workers(attributes(item), faults),
        BlockItem::Unreadable(item) => {
            let Some(attr) = item.attrs.iter().find(|attr| is_worker(attr)) else { return };
            let worker = parse_unreadable(attr, item, &block.generics, faults);
            block.unreadable.extend(worker);
        }
    }
}

fn attributes(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

fn parse_method_item(method: &Function, block: &mut Block, faults: &mut Faults) {
    let mut attrs = method.attrs.iter().filter(|attr| is_worker(attr));
    let Some(attr) = attrs.next() else {
        refuse_injection(&method.sig, faults);
        block.other_methods.push(method.sig.ident.clone());
        return;
    };
    for second in attrs {
        faults.push(second, "a method is one worker: put all options in one `#[worker(..)]`");
    }
    let worker = parse_worker(attr, method, &block.generics, &block.krate, faults);
    if !is_repeated(&worker, block) {
        block.workers.push(worker);
    }
}

/// Whether the block has this method already, which the compiler reports itself.
fn is_repeated(worker: &Worker, block: &Block) -> bool {
    worker.cfgs.is_empty()
        && block.workers.iter().any(|other| other.ident == worker.ident && other.cfgs.is_empty())
}

fn refuse_workers(attrs: &[Attribute], faults: &mut Faults) {
    for attr in attrs.iter().filter(|attr| is_worker(attr)) {
        faults.push(attr, "#[worker] belongs on a method");
    }
}

fn refuse_injection(signature: &Signature, faults: &mut Faults) {
    let params = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Receiver(_) => None,
        FnArg::Typed(param) => Some(param),
    });
    for attr in params.flat_map(|param| &param.attrs).filter(|attr| is_from(attr)) {
        let name = attr.path().to_token_stream();
        faults.push_with_help(
            attr,
            format!("#[{name}] injects into a worker, and this method is none"),
            format!("mark the method with `#[worker]`, or drop the `#[{name}]`"),
        );
    }
}

fn strip_attributes(item: &mut BlockItem) {
    match item {
        BlockItem::Function(method) => {
            method.attrs.retain(|attr| !is_worker(attr));
            strip_from(&mut method.sig);
        }
        BlockItem::Other(item) => match &mut **item {
            ImplItem::Const(item) => item.attrs.retain(|attr| !is_worker(attr)),
            ImplItem::Type(item) => item.attrs.retain(|attr| !is_worker(attr)),
            ImplItem::Macro(item) => item.attrs.retain(|attr| !is_worker(attr)),
            _ => {}
        },
        BlockItem::Unreadable(item) => {
            item.attrs.retain(|attr| !is_worker(attr));
            item.strip_params(&FILLED_BY);
        }
    }
}

/// Removes this crate's attributes inside the braces of an item that cannot be parsed further.
fn strip_workers(item: TokenStream) -> TokenStream {
    let strip = |token| match token {
        TokenTree::Group(group) => with_stream(
            &group,
            without_attributes(group.stream(), &["worker", "from", "input", "context"]),
        ),
        other => other,
    };
    item.into_iter().map(strip).collect()
}

fn strip_from(signature: &mut Signature) {
    for input in &mut signature.inputs {
        if let FnArg::Typed(param) = input {
            param.attrs.retain(|attr| !is_from(attr));
        }
    }
}

/// Whether the attribute is `#[worker]`, by any path.
fn is_worker(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|segment| segment.ident == "worker")
}
