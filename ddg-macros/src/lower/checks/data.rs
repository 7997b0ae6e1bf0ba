//! Checks at each type whether it can travel, because the error that a method is not a worker
//! function would not say which type is wrong.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Type, spanned::Spanned};

use crate::lower::declaration::output_ty;
use crate::model::{Block, Role, Worker};
use crate::type_syntax::{find_dyn, is_surely_data};

pub(super) fn checks(block: &Block) -> TokenStream {
    let (mut asked, mut derived) = (Asked::default(), Asked::default());
    if let Role::Automa { .. } = &block.role {
        // The compiler checks the type of the automa's own output anyway.
        asked.0.push(output_ty(block).to_string());
    }
    let mut checks = TokenStream::new();
    for worker in &block.workers {
        if let Some(output) = worker.output.comparable()
            && asked.is_new(worker, output)
        {
            checks.extend(check(block, worker, output, "output"));
        }
        for param in worker.params.iter().filter(|param| !param.is_context()) {
            checks.extend(match param.is_argument() {
                true if asked.is_new(worker, &param.ty) => {
                    check(block, worker, &param.ty, "parameter")
                }
                false if derived.is_new(worker, &param.ty) => {
                    ask(block, worker, &param.ty, "derived")
                }
                _ => TokenStream::new(),
            });
        }
    }
    checks
}

/// The types checked so far, so that each is checked once, where it first occurs.
#[derive(Default)]
struct Asked(Vec<String>);

impl Asked {
    fn is_new(&mut self, worker: &Worker, ty: &Type) -> bool {
        let cfgs = &worker.cfgs;
        let text = quote!(#ty #(#cfgs)*).to_string();
        let is_new = !self.0.contains(&text);
        if is_new {
            self.0.push(text);
        }
        is_new
    }
}

fn check(block: &Block, worker: &Worker, ty: &Type, role: &str) -> TokenStream {
    if is_surely_data(ty) {
        return TokenStream::new();
    }
    ask(block, worker, ty, if find_dyn(ty).is_some() { "dyn_data" } else { role })
}

/// A call of this function of `ddg_core::check` for the type.
fn ask(block: &Block, worker: &Worker, ty: &Type, question: &str) -> TokenStream {
    let (krate, cfgs) = (&block.krate, &worker.cfgs);
    let span = Span::call_site().located_at(ty.span());
    let question = Ident::new(question, span);
    quote_spanned! {span=>
        #(#cfgs)*
        #krate::check::#question::<#ty>();
    }
}
