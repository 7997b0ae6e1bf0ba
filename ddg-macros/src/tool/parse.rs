//! Parses the tokens of a function into its model.

mod output;
mod param;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericParam, Lit, Meta, Path, Safety, Signature,
    parse::{ParseStream, Parser},
    parse_quote,
};

use super::model::{Call, Param, Source, Tool};
use crate::fault::Faults;
use crate::parse::{Grammar, Options, Shape, cfgs};
use crate::syntax::{Function, Unreadable, has_keyword, kind_token};

const NAME: &str = r#"name = "weather""#;
const DESCRIPTION: &str = r#"description = "Tells the weather.""#;
const CRATE: &str = "crate = ::ddg_agentic";

const GRAMMAR: Grammar = Grammar {
    attribute: "#[tool]",
    options: &[
        ("name", Shape::Expr(NAME)),
        ("description", Shape::Expr(DESCRIPTION)),
        ("inline", Shape::Flag),
        ("crate", Shape::Expr(CRATE)),
    ],
};

/// The item of a `#[tool]`.
pub(super) enum Parsed {
    /// A function that can be a tool.
    Tool(Box<Tool>),
    /// A function with a syntax error in its head. Little more than its name is known.
    Unreadable(Box<Tool>),
    /// Something else.
    Nothing,
}

/// Parses `#[tool(attr)] item`. Also returns the item without this crate's attributes.
pub(super) fn parse_tool(
    attr: TokenStream,
    item: TokenStream,
    faults: &mut Faults,
) -> (TokenStream, Parsed) {
    let Ok(mut function) = syn::parse2::<Function>(item.clone()) else {
        return parse_unreadable(attr, item, faults);
    };
    let is_free = is_free(&function.sig, faults);
    let tool = if is_free {
        Parsed::Tool(Box::new(read(attr, &function, faults)))
    } else {
        Parsed::Nothing
    };
    for input in &mut function.sig.inputs {
        if let FnArg::Typed(param) = input {
            param.attrs.retain(|attr| !param::is_ours(attr));
        }
    }
    (function.into_token_stream(), tool)
}

fn parse_unreadable(
    attr: TokenStream,
    item: TokenStream,
    faults: &mut Faults,
) -> (TokenStream, Parsed) {
    if !has_keyword(&item, "fn") {
        faults.push_with_help(
            kind_token(&item),
            "#[tool] belongs on a function",
            "write `#[tool] async fn weather(city: String) -> String { .. }`; an automa becomes a \
             tool with `AutomaTool`",
        );
        return (item, Parsed::Nothing);
    }
    // The compiler reports what is wrong with it.
    let Ok(mut function) = syn::parse2::<Unreadable>(item.clone()) else {
        return (item, Parsed::Nothing);
    };
    let parsed = match function.function() {
        Some(ident) => Parsed::Unreadable(Box::new(Tool {
            krate: krate(&options(attr, faults), faults),
            ident: ident.clone(),
            vis: function.vis.clone(),
            cfgs: cfgs(&function.attrs),
            name: None,
            description: None,
            params: Vec::new(),
            call: Call::Async,
            fallible: false,
        })),
        None => Parsed::Nothing,
    };
    function.strip_params(&param::OURS);
    (function.into_token_stream(), parsed)
}

fn options(attr: TokenStream, faults: &mut Faults) -> Options {
    let parser = |input: ParseStream<'_>| Ok(Options::parse(input, &GRAMMAR, faults));
    parser.parse2(attr).unwrap_or_else(|error| {
        faults.push_error(error);
        Options::default()
    })
}

fn read(attr: TokenStream, function: &Function, faults: &mut Faults) -> Tool {
    let options = options(attr, faults);
    let signature = &function.sig;
    refuse_qualifiers(signature, faults);
    refuse_generics(signature, faults);
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(param) => Some(param),
        FnArg::Receiver(_) => None,
    });
    let params: Vec<_> = typed.map(|param| param::parse_param(param, faults)).collect();
    refuse_second_context(&params, faults);
    let description = match options.name("description") {
        None => docs(&function.attrs),
        // `string` reports a value that is not text.
        Some(_) => {
            let text = options.string("description", DESCRIPTION, faults);
            Some(text.map(|text| text.value()).unwrap_or_default())
        }
    };
    Tool {
        krate: krate(&options, faults),
        ident: signature.ident.clone(),
        vis: function.vis.clone(),
        cfgs: cfgs(&function.attrs),
        name: options.string("name", NAME, faults),
        description,
        params,
        call: call(&options, signature, faults),
        fallible: output::is_result(&signature.output, faults),
    }
}

fn is_free(signature: &Signature, faults: &mut Faults) -> bool {
    let Some(receiver) = signature.receiver() else { return true };
    faults.push_with_help(
        receiver,
        "a tool is a free function, and this is a method",
        "take what it needs of `self` as a `State<T>`, which the toolbox is given; or implement \
         `Tool` for the type",
    );
    false
}

fn krate(options: &Options, faults: &mut Faults) -> Path {
    match options.expr("crate") {
        Some(Expr::Path(path)) if path.qself.is_none() => return path.path.clone(),
        Some(other) => faults.push(other, format_args!("`crate` wants a path: write `{CRATE}`")),
        None => {}
    }
    parse_quote!(::ddg_agentic)
}

fn call(options: &Options, signature: &Signature, faults: &mut Faults) -> Call {
    let inline = options.name("inline");
    if signature.asyncness.is_none() {
        return if inline.is_some() { Call::Inline } else { Call::Blocking };
    }
    if let Some(inline) = inline {
        faults.push_with_help(
            inline,
            "`inline` is for a sync function, and this is an `async fn`",
            "drop `inline`, or drop the `async`",
        );
    }
    Call::Async
}

fn refuse_qualifiers(signature: &Signature, faults: &mut Faults) {
    let reason = "a tool is called for a model, as a plain `fn` or `async fn`";
    if let Some(constness) = &signature.constness {
        faults.push(constness, format_args!("{reason}: drop the `const`"));
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        faults.push(unsafety, format_args!("{reason}: move the `unsafe` into the body"));
    }
    if let Some(abi) = &signature.abi {
        faults.push(abi, format_args!("{reason}: drop the `extern`"));
    }
}

fn refuse_generics(signature: &Signature, faults: &mut Faults) {
    for param in &signature.generics.params {
        if matches!(param, GenericParam::Type(_) | GenericParam::Const(_)) {
            faults.push_with_help(
                param,
                "a tool can't be generic: a model does not say which type to call it with",
                "name the type; an enum leaves the model a choice",
            );
        }
    }
}

fn refuse_second_context(params: &[Param], faults: &mut Faults) {
    let contexts = params.iter().filter(|param| matches!(param.source, Source::Context));
    for second in contexts.skip(1) {
        faults.push(&second.ident, "a tool has one context: drop this parameter");
    }
}

/// The doc comment, if it is not empty.
fn docs(attrs: &[Attribute]) -> Option<String> {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let text: Vec<_> =
        lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    let text = text.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}
