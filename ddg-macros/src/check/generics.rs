//! Checks the bounds of an automa's type parameters, as far as the traits are well known.

use proc_macro2::Ident;
use quote::quote;
use syn::{
    GenericParam, Generics, Type, TypeParam, TypeParamBound, WherePredicate, parse_quote,
    visit::{self, Visit},
};

use crate::fault::Faults;
use crate::model::{Block, Output};
use crate::suggestion::enumerate;
use crate::type_syntax::peel;

/// The bounds of data, in the order of the definition.
const DATA: [&str; 6] = ["Clone", "Serialize", "DeserializeOwned", "Send", "Sync", "'static"];

/// Traits that have none of these as supertraits.
const OTHERS: [&str; 11] = [
    "Sized",
    "Unpin",
    "Debug",
    "Display",
    "Default",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Hash",
    "ToString",
];

pub(super) fn check(block: &Block, faults: &mut Faults) {
    for Lacking { param, travels, missing } in lacking(block) {
        let ident = &param.ident;
        let missing = enumerate(missing.iter().copied());
        if travels {
            let krate = &block.krate;
            let data = quote!(#krate::Data).to_string().replace(' ', "");
            faults.push_with_help(
                param,
                format_args!(
                    "`{ident}` travels between workers, but it is not known to be {missing}"
                ),
                format_args!("write `{ident}: {}`, which is enough", data.trim_start_matches(':')),
            );
        } else {
            faults.push_with_help(
                param,
                format_args!("an automa is shared by all its runs, but `{ident}` is not known to be {missing}"),
                format_args!("write `{ident}: Send + Sync + 'static`"),
            );
        }
    }
}

/// The generics with the missing bounds added, so that a block refused for them gives no second
/// error.
pub(crate) fn completed(block: &Block) -> Generics {
    let mut generics = block.generics.clone();
    for Lacking { param, travels, .. } in lacking(block) {
        let (krate, ident) = (&block.krate, &param.ident);
        let bound: WherePredicate = if travels {
            parse_quote!(#ident: #krate::Data)
        } else {
            parse_quote!(#ident: ::core::marker::Send + ::core::marker::Sync + 'static)
        };
        generics.make_where_clause().predicates.push(bound);
    }
    generics
}

/// A type parameter with missing bounds.
struct Lacking<'a> {
    param: &'a TypeParam,
    /// Whether values of the type travel between workers.
    travels: bool,
    missing: Vec<&'static str>,
}

fn lacking(block: &Block) -> impl Iterator<Item = Lacking<'_>> {
    block.generics.params.iter().filter_map(|param| {
        let GenericParam::Type(param) = param else { return None };
        let travels = travels(block, &param.ident);
        let bounds = known_bounds(&block.generics, param)?;
        let is_missing = |bound: &&str| !bounds.contains(bound);
        let missing: Vec<&str> = if travels {
            DATA.into_iter().filter(is_missing).collect()
        } else {
            // Whether `Send` and `Sync` are needed depends on the fields of the automa.
            ["'static"].into_iter().filter(is_missing).collect()
        };
        (!missing.is_empty()).then_some(Lacking { param, travels, missing })
    })
}

/// The bounds of data that a parameter has; `None` if another trait may imply any of them.
fn known_bounds(generics: &Generics, param: &TypeParam) -> Option<Vec<&'static str>> {
    let mut known = Vec::new();
    let of_where = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let of_where = of_where.filter_map(|predicate| match predicate {
        WherePredicate::Type(predicate) if is_param(&predicate.bounded_ty, &param.ident) => {
            Some(&predicate.bounds)
        }
        _ => None,
    });
    for bound in param.bounds.iter().chain(of_where.flatten()) {
        match bound {
            TypeParamBound::Lifetime(lifetime) if lifetime.ident == "static" => {
                known.push("'static");
            }
            TypeParamBound::Trait(bound) => {
                let name = &bound.path.segments.last()?.ident;
                if name == "Copy" {
                    known.push("Clone");
                } else if name == "Deserialize" {
                    known.push("DeserializeOwned");
                } else if let Some(data) = DATA.into_iter().find(|data| name == data) {
                    known.push(data);
                } else if !OTHERS.iter().any(|other| name == other) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(known)
}

fn is_param(ty: &Type, ident: &Ident) -> bool {
    matches!(peel(ty), Type::Path(path) if path.path.is_ident(ident))
}

/// Whether a worker takes or gives the parameter itself, alone or in a container of std.
fn travels(block: &Block, ident: &Ident) -> bool {
    let mut finder = Finder { ident, found: false };
    for worker in &block.workers {
        for param in worker.params.iter().filter(|param| param.is_argument()) {
            finder.visit_type(&param.ty);
        }
        match &worker.output {
            Output::Value(ty) | Output::Stream(ty) => finder.visit_type(ty),
            Output::Refused => {}
        }
    }
    finder.found
}

struct Finder<'a> {
    ident: &'a Ident,
    found: bool,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        const TRANSPARENT: [&str; 9] = [
            "Option", "Vec", "VecDeque", "Arc", "Box", "HashMap", "BTreeMap", "HashSet", "BTreeSet",
        ];
        if path.path.is_ident(self.ident) {
            self.found = true;
        } else if let Some(last) = path.path.segments.last()
            && TRANSPARENT.iter().any(|name| last.ident == name)
        {
            visit::visit_path_segment(self, last);
        }
    }
}
