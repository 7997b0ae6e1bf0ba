//! Questions about a type as it is written, which is all that a macro sees of it.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Expr, GenericArgument, Lifetime, ParenthesizedGenericArguments, PathArguments, PathSegment,
    TraitBound, Type, TypeFnPtr, TypeImplTrait, TypeInfer, TypeReference, TypeTraitObject,
    visit::{self, Visit},
};

/// Removes parentheses, and the invisible groups that `macro_rules!` leaves, around the type.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        other => other,
    }
}

/// The last segment of a path type: `Result<T>` in `anyhow::Result<T>`.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Whether the type is a path that ends in `name`.
pub(crate) fn ends_in(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// Whether the content of the type is known only at run time: `Value`, `Vec<Value>`,
/// `Option<Value>`, of this engine or of `serde_json`.
pub(crate) fn is_dynamic(ty: &Type) -> bool {
    let Some(segment) = last_segment(ty) else { return false };
    match &segment.arguments {
        PathArguments::AngleBracketed(inner)
            if segment.ident == "Vec" || segment.ident == "Option" =>
        {
            inner
                .args
                .iter()
                .any(|inner| matches!(inner, GenericArgument::Type(ty) if ends_in(ty, "Value")))
        }
        _ => segment.ident == "Value",
    }
}

/// The first reference or lifetime in the type that is not `'static`.
pub(crate) fn find_borrow(ty: &Type) -> Option<TokenStream> {
    let mut finder = BorrowFinder { found: None, also_static: false };
    finder.visit_type(ty);
    finder.found
}

/// The first reference in the type, of any lifetime, or lifetime that is not `'static`.
pub(crate) fn find_reference(ty: &Type) -> Option<TokenStream> {
    let mut finder = BorrowFinder { found: None, also_static: true };
    finder.visit_type(ty);
    finder.found
}

/// The first `impl Trait` or `_` in the type.
pub(crate) fn find_unnamed(ty: &Type) -> Option<TokenStream> {
    let mut finder = UnnamedFinder { found: None };
    finder.visit_type(ty);
    finder.found
}

/// The first `dyn Trait` in the type outside an `Opaque`, which may contain anything.
pub(crate) fn find_dyn(ty: &Type) -> Option<TokenStream> {
    let mut finder = DynFinder { found: None };
    finder.visit_type(ty);
    finder.found
}

/// The type of the elements, if the name of the type is that of a list: `T` for `Vec<T>`, `&[T]`
/// and `Arc<VecDeque<T>>`.
pub(crate) fn list_item(ty: &Type) -> Option<&Type> {
    match peel(ty) {
        Type::Slice(slice) => Some(&slice.elem),
        Type::Array(array) => Some(&array.elem),
        ty => {
            let (name, inner) = generic(ty)?;
            if LISTS.iter().any(|list| name == list) {
                Some(inner)
            } else {
                list_item(wrapped(ty)?)
            }
        }
    }
}

/// The types of a tuple's elements; `None` for `()`.
pub(crate) fn tuple_items(ty: &Type) -> Option<Vec<&Type>> {
    match peel(ty) {
        Type::Tuple(tuple) if !tuple.elems.is_empty() => Some(tuple.elems.iter().collect()),
        Type::Tuple(_) => None,
        ty => tuple_items(wrapped(ty)?),
    }
}

/// Whether the type is an `Option`.
pub(crate) fn is_optional(ty: &Type) -> bool {
    ends_in(ty, "Option")
}

/// Whether the name of the type says that values are neither lists nor maps.
pub(crate) fn is_scalar(ty: &Type) -> bool {
    match peel(ty) {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        ty => match wrapped(ty) {
            Some(inner) => is_scalar(inner),
            None => is_one_of(ty, &SCALARS),
        },
    }
}

/// Whether the name of the type is that of a map.
pub(crate) fn is_map(ty: &Type) -> bool {
    let name = last_segment(ty).map(|segment| segment.ident.to_string());
    name.is_some_and(|name| MAPS.contains(&&*name)) || wrapped(ty).is_some_and(is_map)
}

/// Whether the type is certain to be data, because it consists of scalars, lists and options.
pub(crate) fn is_surely_data(ty: &Type) -> bool {
    match peel(ty) {
        Type::Tuple(tuple) => tuple.elems.len() <= 12 && tuple.elems.iter().all(is_surely_data),
        ty => match generic(ty) {
            Some((name, inner)) => {
                let is_known = LISTS.iter().chain(&WRAPPERS).any(|known| name == known);
                is_known && is_surely_data(inner)
            }
            None => is_one_of(ty, &SCALARS) || is_one_of(ty, &["Value"]),
        },
    }
}

/// The type as people write it: without spaces between tokens, and without the paths that the macro
/// has added.
pub(crate) fn type_text(ty: &Type) -> String {
    let mut text = String::new();
    write_tokens(peel(ty).to_token_stream(), &mut text);
    for path in ["::std::string::", "::std::vec::"] {
        if let Some(name) = text.strip_prefix(path) {
            text = name.to_owned();
        }
    }
    text
}

const SCALARS: [&str; 18] = [
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize", "str", "String",
];
const LISTS: [&str; 5] = ["Vec", "VecDeque", "HashSet", "BTreeSet", "IndexSet"];
const MAPS: [&str; 3] = ["HashMap", "BTreeMap", "IndexMap"];
const WRAPPERS: [&str; 3] = ["Option", "Arc", "Box"];

fn is_one_of(ty: &Type, names: &[&str]) -> bool {
    last_segment(ty).is_some_and(|segment| {
        segment.arguments.is_none() && names.iter().any(|name| segment.ident == name)
    })
}

/// The name of a type, and its first type argument.
fn generic(ty: &Type) -> Option<(&Ident, &Type)> {
    let segment = last_segment(ty)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    let inner = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some((&segment.ident, inner?))
}

/// The `T` in `Arc<T>`, `Option<T>` or `Box<T>`.
fn wrapped(ty: &Type) -> Option<&Type> {
    let (name, inner) = generic(ty)?;
    WRAPPERS.iter().any(|wrapper| name == wrapper).then_some(inner)
}

fn write_tokens(tokens: TokenStream, text: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_word = matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_));
        let last_word = text.rsplit(|letter: char| !is_in_word(letter)).next();
        if is_word && text.ends_with(is_in_word)
            || last_word.is_some_and(|word| matches!(word, "mut" | "dyn" | "impl" | "as"))
        {
            text.push(' ');
        }
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write_tokens(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                separator @ (',' | ';') if tokens.peek().is_some() => {
                    text.push(separator);
                    text.push(' ');
                }
                '+' => text.push_str(" + "),
                '=' => text.push_str(" = "),
                '-' => text.push_str(" -"),
                '>' if text.ends_with(" -") => text.push_str("> "),
                other => text.push(other),
            },
            word => text.push_str(&word.to_string()),
        }
    }
}

fn is_in_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

struct BorrowFinder {
    found: Option<TokenStream>,
    /// Whether a `'static` reference counts as well.
    also_static: bool,
}

impl BorrowFinder {
    fn note(&mut self, borrow: &impl ToTokens) {
        self.found.get_or_insert_with(|| borrow.to_token_stream());
    }
}

impl<'ast> Visit<'ast> for BorrowFinder {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        match &reference.lifetime {
            Some(lifetime) if lifetime.ident == "static" && !self.also_static => {
                self.visit_type(&reference.elem);
            }
            _ => self.note(reference),
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.note(lifetime);
        }
    }

    // The lifetimes in `fn(&T)`, `dyn Fn(&T)` and `dyn for<'a> Tr<'a>` belong to a later call.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}

    fn visit_trait_bound(&mut self, bound: &'ast TraitBound) {
        if bound.lifetimes.is_none() {
            visit::visit_trait_bound(self, bound);
        }
    }

    // Skips the length of an array.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}

struct UnnamedFinder {
    found: Option<TokenStream>,
}

struct DynFinder {
    found: Option<TokenStream>,
}

impl<'ast> Visit<'ast> for DynFinder {
    fn visit_type_trait_object(&mut self, object: &'ast TypeTraitObject) {
        self.found.get_or_insert_with(|| object.to_token_stream());
    }

    fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
        if segment.ident != "Opaque" {
            visit::visit_path_segment(self, segment);
        }
    }

    // Skips the length of an array.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}

impl<'ast> Visit<'ast> for UnnamedFinder {
    fn visit_type_impl_trait(&mut self, opaque: &'ast TypeImplTrait) {
        self.found.get_or_insert_with(|| opaque.to_token_stream());
    }

    fn visit_type_infer(&mut self, open: &'ast TypeInfer) {
        self.found.get_or_insert_with(|| open.to_token_stream());
    }

    // Skips the length of an array.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}

#[cfg(test)]
mod tests {
    use super::{
        ends_in, find_borrow, find_dyn, find_unnamed, is_surely_data, list_item, type_text,
    };

    #[track_caller]
    fn check(ty: &str, expected: Option<&str>) {
        let ty = syn::parse_str(ty).expect("the test gives a type");
        assert_eq!(find_borrow(&ty).map(|borrow| borrow.to_string()).as_deref(), expected);
    }

    #[test]
    fn borrows_are_found() {
        check("&str", Some("& str"));
        check("Option<&'a T>", Some("& 'a T"));
        check("(i64, Cow<'a, str>)", Some("'a"));
        check("Box<dyn Error + '_>", Some("'_"));
        check("&'static [&str]", Some("& str"));
    }

    #[test]
    fn owned_types_have_none() {
        check("Vec<Option<i64>>", None);
        check("&'static str", None);
        check("Box<dyn Error + 'static>", None);
        check("fn(&str) -> &str", None);
        check("Box<dyn Fn(&str) -> String>", None);
        check("Box<dyn for<'a> Tr<'a>>", None);
    }

    #[test]
    fn unnamed_types_are_found_at_any_depth() {
        let find = |ty| {
            let ty = syn::parse_str(ty).expect("the test gives a type");
            find_unnamed(&ty).map(|unnamed| unnamed.to_string())
        };
        assert_eq!(find("Vec<(i64, impl Tr)>").as_deref(), Some("impl Tr"));
        assert_eq!(find("[_; N]").as_deref(), Some("_"));
        assert_eq!(find("Vec<Box<dyn Tr>>"), None);
    }

    #[test]
    fn types_read_as_they_were_written() {
        for ty in [
            "&str",
            "&'a mut [u8; 3]",
            "Vec<Option<(i64, String)>>",
            "Box<dyn Fn(&str) -> String + Send + 'static>",
            "impl Stream<Item = <M as Model>::Answer>",
            "(i64,)",
        ] {
            let parsed = syn::parse_str(ty).expect("the test gives a type");
            assert_eq!(type_text(&parsed), ty);
        }
    }

    #[test]
    fn lists_are_known_by_their_names() {
        let item = |ty| {
            let ty = syn::parse_str(ty).expect("the test gives a type");
            list_item(&ty).map(type_text)
        };
        assert_eq!(item("Vec<u8>").as_deref(), Some("u8"));
        assert_eq!(item("Arc<std::collections::VecDeque<Hit>>").as_deref(), Some("Hit"));
        assert_eq!(item("[u8; 4]").as_deref(), Some("u8"));
        assert_eq!(item("HashMap<String, u8>"), None);
        assert_eq!(item("Hits"), None);
    }

    #[test]
    fn types_that_are_surely_data_are_built_of_std() {
        let is_data = |ty| is_surely_data(&syn::parse_str(ty).expect("the test gives a type"));
        assert!(is_data("Vec<Option<(i64, String)>>"));
        assert!(is_data("()"));
        assert!(!is_data("Vec<Hit>"));
        assert!(!is_data("fn(i64)"));
        assert!(!is_data("T"));
    }

    #[test]
    fn a_trait_object_is_found_unless_it_is_opaque() {
        let find = |ty| {
            let ty = syn::parse_str(ty).expect("the test gives a type");
            find_dyn(&ty).is_some()
        };
        assert!(find("Arc<dyn Model>"));
        assert!(find("Vec<Box<dyn Fn(i64) -> i64 + Send>>"));
        assert!(!find("Opaque<Arc<dyn Model>>"));
    }

    #[test]
    fn the_last_segment_counts() {
        let ty = syn::parse_str("(serde_json::Value)").expect("it is a type");
        assert!(ends_in(&ty, "Value"));
        assert!(!ends_in(&ty, "serde_json"));
    }
}
