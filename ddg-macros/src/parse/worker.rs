//! Parses the options of `#[worker]`.

use proc_macro2::Ident;
use syn::{
    Attribute, Expr, Generics, Meta, Path, ReturnType, Token, ext::IdentExt, parse::ParseStream,
};

use super::{
    method::parse_method,
    options::{Grammar, Options, Shape},
    output::parse_output,
    reference::parse_reference,
};
use crate::fault::Faults;
use crate::model::{Declaration, Key, Mapping, Placement, Pool, UnreadableWorker, Worker};
use crate::suggestion::enumerate;
use crate::syntax::{Function, Unreadable};

const DEPENDENCIES: &str = "dependencies = [start]";
const CALLBACKS: &str = "callbacks = [Timing]";
const KEY: &str = r#"key = "my worker""#;
const MAPPINGS: [&str; 4] = ["as_is", "merge", "unpack", "suppressed"];
const POOLS: [&str; 2] = ["blocking", "inline"];
const OPTIONS_OF_DETACHED: [&str; 7] =
    ["detached", "key", "timeout", "retry", "blocking", "inline", "callbacks"];

const GRAMMAR: Grammar = Grammar {
    attribute: "#[worker]",
    options: &[
        ("start", Shape::Flag),
        ("output", Shape::Flag),
        ("dependencies", Shape::Expr(DEPENDENCIES)),
        ("as_is", Shape::Flag),
        ("merge", Shape::Flag),
        ("unpack", Shape::Flag),
        ("suppressed", Shape::Flag),
        ("in_order", Shape::Flag),
        ("after_loops", Shape::Flag),
        ("timeout", Shape::Expr("timeout = Duration::from_secs(30)")),
        ("retry", Shape::Expr("retry = Retry::times(3)")),
        ("blocking", Shape::Flag),
        ("inline", Shape::Flag),
        ("callbacks", Shape::Expr(CALLBACKS)),
        ("key", Shape::Expr(KEY)),
        ("detached", Shape::Flag),
        ("override", Shape::Flag),
    ],
};

/// Parses the worker that `attr` makes of `method`, in an impl with these generics.
pub(super) fn parse_worker(
    attr: &Attribute,
    method: &Function,
    generics: &Generics,
    krate: &Path,
    faults: &mut Faults,
) -> Worker {
    let options = options(attr, faults);
    if options.name("detached").is_some() {
        refuse_placing(&options, faults);
    }
    let mapping = mapping(&options, faults);
    let pool = pool(&options, method, faults);
    let signature = parse_method(method, generics, krate, faults);
    Worker {
        ident: method.sig.ident.clone(),
        vis: method.vis.clone(),
        cfgs: cfgs(&method.attrs),
        key: key(&options, &method.sig.ident, faults),
        placement: placement(&options, faults),
        mapping,
        in_order: options.name("in_order").is_some(),
        after_loops: options.name("after_loops").is_some(),
        takes_self: signature.takes_self,
        is_async: signature.is_async,
        params: signature.params,
        output: signature.output,
        error: signature.error,
        timeout: options.expr("timeout").cloned(),
        retry: options.expr("retry").cloned(),
        pool,
        callbacks: options.list("callbacks", CALLBACKS, faults),
    }
}

/// Parses what is readable of a worker with a syntax error in its head, if it has a name.
pub(super) fn parse_unreadable(
    attr: &Attribute,
    method: &Unreadable,
    generics: &Generics,
    faults: &mut Faults,
) -> Option<UnreadableWorker> {
    let ident = method.function()?;
    let options = options(attr, faults);
    let output = match method.return_type() {
        Some(ty) => ReturnType::Type(<Token![->]>::default(), Box::new(ty)),
        None => ReturnType::Default,
    };
    Some(UnreadableWorker {
        ident: ident.clone(),
        vis: method.vis.clone(),
        cfgs: cfgs(&method.attrs),
        key: key(&options, ident, faults),
        is_output: options.name("output").is_some(),
        output: parse_output(&output, false, generics, faults),
    })
}

/// The `#[cfg]`s among the attributes.
pub(crate) fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect()
}

fn options(attr: &Attribute, faults: &mut Faults) -> Options {
    let parsed = match &attr.meta {
        Meta::Path(_) => Ok(Options::default()),
        Meta::List(list) => list
            .parse_args_with(|input: ParseStream<'_>| Ok(Options::parse(input, &GRAMMAR, faults))),
        Meta::NameValue(pair) => Err(syn::Error::new_spanned(
            pair,
            "options stand in parentheses: write `#[worker(start)]`",
        )),
    };
    parsed.unwrap_or_else(|error| {
        faults.push_error(error);
        Options::default()
    })
}

fn refuse_placing(options: &Options, faults: &mut Faults) {
    let allowed = |name: &_| OPTIONS_OF_DETACHED.iter().any(|option| *name == option);
    for name in options.names().filter(|name| !allowed(name)) {
        faults.push_with_help(
            name,
            format_args!("a detached worker gets `{name}` when it is placed, at run time"),
            format_args!(
                "beside `detached` only {} are allowed",
                enumerate(OPTIONS_OF_DETACHED.into_iter().skip(1))
            ),
        );
    }
}

fn mapping(options: &Options, faults: &mut Faults) -> Mapping {
    let reason = "the outputs of dependencies become arguments in one way";
    match options.one_of(&MAPPINGS, reason, faults) {
        Some(name) if name == "merge" => Mapping::Merge,
        Some(name) if name == "unpack" => Mapping::Unpack,
        Some(name) if name == "suppressed" => Mapping::Suppressed,
        _ => Mapping::AsIs,
    }
}

fn pool(options: &Options, method: &Function, faults: &mut Faults) -> Option<Pool> {
    let name = options.one_of(&POOLS, "a worker runs in one place", faults)?;
    if method.sig.asyncness.is_some() {
        faults.push_with_help(
            name,
            format_args!("`{name}` is for a sync worker, and this is an `async fn`"),
            format_args!("drop `{name}`, or drop the `async`"),
        );
    }
    Some(if name == "blocking" { Pool::Blocking } else { Pool::Inline })
}

fn key(options: &Options, method: &Ident, faults: &mut Faults) -> Key {
    let literal = options.string("key", KEY, faults);
    let text = match &literal {
        Some(literal) => literal.value(),
        None => method.unraw().to_string(),
    };
    Key { text, literal }
}

fn placement(options: &Options, faults: &mut Faults) -> Placement {
    if options.name("detached").is_some() {
        return Placement::Detached;
    }
    let dependencies: Vec<Expr> = options.list("dependencies", DEPENDENCIES, faults);
    Placement::Placed {
        declaration: match options.name("override") {
            Some(name) => Declaration::Override(name.clone()),
            None => Declaration::Added,
        },
        start: options.name("start").cloned(),
        output: options.name("output").cloned(),
        dependencies: dependencies
            .iter()
            .filter_map(|dependency| parse_reference(dependency, faults))
            .collect(),
    }
}
