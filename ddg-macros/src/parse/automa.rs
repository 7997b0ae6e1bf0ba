//! Parses the options of `#[automa]`.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, LitStr, Path, Type, parse_quote};

use super::options::{Grammar, Options, Shape};
use crate::fault::Faults;
use crate::model::{Fragment, Role};
use crate::type_syntax::last_segment;

const NAME: &str = r#"name = "my automa""#;
const CRATE: &str = "crate = ::ddg_core";
const FRAGMENTS: &str = "fragments = [Self::tools, self.retrieval]";

const GRAMMAR: Grammar = Grammar {
    attribute: "#[automa]",
    options: &[
        ("name", Shape::Expr(NAME)),
        ("output", Shape::Type("output = T")),
        ("fragments", Shape::Expr(FRAGMENTS)),
        ("fragment", Shape::FlagOrExpr),
        ("crate", Shape::Expr(CRATE)),
    ],
};

/// The options of `#[automa(..)]`.
pub(super) struct AutomaOptions {
    pub(super) krate: Path,
    pub(super) role: Role,
    pub(super) fragments: Vec<Fragment>,
}

/// Parses the options of `#[automa(tokens)] impl self_ty`.
pub(super) fn parse_automa_options(
    tokens: TokenStream,
    self_ty: &Type,
    faults: &mut Faults,
) -> AutomaOptions {
    let parser = |input: ParseStream<'_>| Ok(Options::parse(input, &GRAMMAR, faults));
    let options = parser.parse2(tokens).unwrap_or_else(|error| {
        faults.push_error(error);
        Options::default()
    });
    let fragments = options.list("fragments", FRAGMENTS, faults);
    AutomaOptions {
        krate: krate(&options, faults),
        role: role(&options, self_ty, faults),
        fragments: fragments.into_iter().filter_map(|entry| fragment(entry, faults)).collect(),
    }
}

fn krate(options: &Options, faults: &mut Faults) -> Path {
    match options.expr("crate") {
        Some(Expr::Path(path)) if path.qself.is_none() => return path.path.clone(),
        Some(other) => faults.push(other, format_args!("`crate` wants a path: write `{CRATE}`")),
        None => {}
    }
    parse_quote!(::ddg_core)
}

fn role(options: &Options, self_ty: &Type, faults: &mut Faults) -> Role {
    let Some(fragment) = options.name("fragment") else {
        return Role::Automa {
            name: name(options, self_ty, faults),
            output: options.ty("output").cloned().map(Box::new),
        };
    };
    for given in ["name", "output"].into_iter().filter_map(|option| options.name(option)) {
        let message = format!("a fragment has no `{given}` of its own");
        faults.push_with_help(given, message, "give it where the automa itself is declared");
    }
    match options.expr("fragment") {
        None => Role::Fragment(fragment.clone()),
        Some(name) => Role::Fragment(fragment_name(name, faults).unwrap_or(fragment).clone()),
    }
}

fn fragment_name<'a>(name: &'a Expr, faults: &mut Faults) -> Option<&'a syn::Ident> {
    let ident = match name {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    };
    if ident.is_none() {
        faults.push(
            name,
            "`fragment` wants the name of the function that declares it: write `fragment = tools`",
        );
    }
    ident
}

/// The name of the automa: the option, else the identifier of the type.
fn name(options: &Options, self_ty: &Type, faults: &mut Faults) -> LitStr {
    if let Some(name) = options.string("name", NAME, faults) {
        return name;
    }
    match last_segment(self_ty) {
        Some(segment) => LitStr::new(&segment.ident.to_string(), segment.ident.span()),
        None => {
            faults.push(self_ty, "#[automa] needs a type of your own: a struct or an enum");
            parse_quote!("")
        }
    }
}

fn fragment(entry: Expr, faults: &mut Faults) -> Option<Fragment> {
    match entry {
        Expr::Path(path) if is_associated_function(&path.path) => Some(Fragment::Block(path)),
        Expr::Field(field) if is_in_self(&field.base) => Some(Fragment::Field(field)),
        other => {
            faults.push_with_help(
                other,
                "this is not a fragment",
                "write `Self::tools` for a block marked `#[automa(fragment = tools)]`, or \
                 `self.retrieval` for a field of type `Arc<Retrieval>` whose type is an automa",
            );
            None
        }
    }
}

fn is_associated_function(path: &Path) -> bool {
    path.segments.len() == 2 && path.segments[0].ident == "Self"
}

fn is_in_self(expr: &Expr) -> bool {
    match expr {
        Expr::Field(field) => is_in_self(&field.base),
        Expr::Path(path) => path.path.is_ident("self"),
        _ => false,
    }
}
