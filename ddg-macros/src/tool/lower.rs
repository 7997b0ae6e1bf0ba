//! Lowers a checked function to the plain calls that make it a tool.
//!
//! Lowering cannot fail, because every fault has been reported before.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, LitStr, ext::IdentExt, spanned::Spanned};

use super::model::{Absent, Call, Param, Source, Tool};

/// Generates the type beside the function and its `tool()`.
pub(super) fn lower(tool: &Tool) -> TokenStream {
    let krate = &tool.krate;
    let (name, description) = (tool.name(), tool.description.as_deref().unwrap_or_default());
    let defaults = tool.params.iter().filter_map(default);
    let arguments = arguments(tool);
    let function = function(tool);
    let needs = tool.params.iter().filter_map(|param| match &param.source {
        Source::State(ty) => Some(quote_spanned!(ty.span()=> .needs::<#ty>())),
        Source::Input(docs) => {
            let (ty, name, docs) = (&param.ty, param.name(), docs.as_deref().unwrap_or_default());
            Some(quote_spanned!(ty.span()=> .reads::<#ty>(#name, #docs)))
        }
        Source::Model { .. } | Source::Context | Source::Turn => None,
    });
    let body = quote! {
        #(#defaults)*
        #arguments
        #krate::__private::FuncTool::new(#name, #description, #function) #(#needs)*
    };
    beside(tool, &quote!(impl #krate::tool::Tool), &body)
}

/// Generates what other code may refer to, for a function with faults. It never runs, because the
/// faults are compile errors.
pub(super) fn stub(tool: &Tool) -> TokenStream {
    let krate = &tool.krate;
    let output = quote!(::std::sync::Arc<dyn #krate::tool::Tool>);
    beside(tool, &output, &quote!(::core::unimplemented!()))
}

fn beside(tool: &Tool, output: &TokenStream, body: &TokenStream) -> TokenStream {
    let Tool { ident, vis, cfgs, .. } = tool;
    let doc = format!(" The tool `{}`.", tool.name());
    quote! {
        #(#cfgs)*
        #[doc = #doc]
        #[allow(non_camel_case_types, dead_code)]
        #vis struct #ident {}

        #(#cfgs)*
        impl #ident {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis fn tool() -> #output {
                #body
            }
        }
    }
}

/// The struct that a model's arguments are deserialised into.
fn arguments(tool: &Tool) -> TokenStream {
    let krate = &tool.krate;
    let serde = path(&quote!(#krate::__private::serde));
    let schemars = path(&quote!(#krate::__private::schemars));
    let fields = given_by_model(tool).map(|(param, attrs)| {
        let Param { ident, ty, .. } = param;
        let default = match &param.source {
            Source::Model { default: Some(Absent::Default), .. } => quote!(#[serde(default)]),
            Source::Model { default: Some(Absent::Expr(_)), .. } => {
                let function = default_ident(param).to_string();
                quote!(#[serde(default = #function)])
            }
            _ => TokenStream::new(),
        };
        quote!(#(#attrs)* #default #ident: #ty)
    });
    quote! {
        #[derive(
            #krate::__private::serde::Deserialize,
            #krate::__private::schemars::JsonSchema,
        )]
        #[serde(crate = #serde, deny_unknown_fields)]
        #[schemars(crate = #schemars)]
        struct __Arguments { #(#fields),* }
    }
}

/// The function that returns a default.
fn default(param: &Param) -> Option<TokenStream> {
    let Source::Model { default: Some(Absent::Expr(expr)), .. } = &param.source else {
        return None;
    };
    let (ident, ty) = (default_ident(param), &param.ty);
    Some(quote_spanned! {expr.span()=>
        fn #ident() -> #ty {
            #expr
        }
    })
}

fn default_ident(param: &Param) -> Ident {
    format_ident!("__default_{}", param.ident.unraw())
}

/// The closure that calls the function.
///
/// The variables in it are hygienic, because a parameter may have the name of the function.
fn function(tool: &Tool) -> TokenStream {
    let (krate, ident) = (&tool.krate, &tool.ident);
    let (arguments, given) = (local("arguments"), local("given"));
    let injected = tool.params.iter().filter_map(|param| {
        let name = bound(param);
        match &param.source {
            Source::Model { .. } => None,
            Source::Input(_) => {
                let (ty, input) = (&param.ty, param.name());
                Some(quote_spanned!(ty.span()=> let #name = #given.input::<#ty>(#input)?;))
            }
            Source::Context => Some(quote!(let #name = #given.context().clone();)),
            Source::Turn => Some(quote!(let #name = #krate::__private::turn(#given)?;)),
            Source::State(ty) => {
                Some(quote_spanned!(ty.span()=> let #name = #given.state::<#ty>()?;))
            }
        }
    });
    let passed = tool.params.iter().map(|param| {
        let value = match (&param.source, &param.ident) {
            (Source::Model { .. }, field) => quote!(#arguments.#field),
            (Source::Input(_) | Source::Context | Source::Turn | Source::State(_), _) => {
                bound(param).into_token_stream()
            }
        };
        if param.borrowed { quote!(&#value) } else { value }
    });
    let call = quote_spanned!(ident.span()=> #ident(#(#passed),*));
    let into = if tool.fallible { quote!(result) } else { quote!(output) };
    let into = quote_spanned!(ident.span()=> #krate::__private::#into);
    let called = match tool.call {
        Call::Async => quote!(#into(#call.await)),
        Call::Inline => quote!(#into(#call)),
        Call::Blocking => quote!(#krate::__private::blocking(move || #into(#call)).await),
    };
    let is_model = |param: &Param| matches!(param.source, Source::Model { .. });
    let used = |is_used, name: &Ident| if is_used { quote!(#name) } else { quote!(_) };
    let taken = used(tool.params.iter().any(is_model), &arguments);
    let beside = used(!tool.params.iter().all(is_model), &given);
    quote! {
        |#taken: __Arguments, #beside| {
            ::std::boxed::Box::pin(async move {
                #(#injected)*
                #called
            })
        }
    }
}

/// The variable for the context or a state.
fn bound(param: &Param) -> Ident {
    let mut ident = param.ident.clone();
    ident.set_span(Span::mixed_site().located_at(ident.span()));
    ident
}

/// The parameters that a model fills, each with its attributes.
fn given_by_model(tool: &Tool) -> impl Iterator<Item = (&Param, &[Attribute])> {
    tool.params.iter().filter_map(|param| match &param.source {
        Source::Model { attrs, .. } => Some((param, attrs.as_slice())),
        Source::Input(_) | Source::Context | Source::Turn | Source::State(_) => None,
    })
}

/// A hygienic name, which cannot collide with a parameter.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A path as the text that serde expects.
fn path(path: &TokenStream) -> LitStr {
    let text: String = path.to_string().split_whitespace().collect();
    LitStr::new(&text, Span::call_site())
}
