//! Questions to a type as it is written; a macro sees no more of it than that.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Expr, GenericArgument, Lifetime, ParenthesizedGenericArguments, PathArguments, PathSegment,
    TraitBound, Type, TypeFnPtr, TypeImplTrait, TypeInfer, TypeReference,
    visit::{self, Visit},
};

/// The type without parentheses and the invisible groups that `macro_rules!` leaves.
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

/// Whether what values of the type are is known only at run time: `Value`, `Vec<Value>`,
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
    let mut finder = BorrowFinder { found: None };
    finder.visit_type(ty);
    finder.found
}

/// The first `impl Trait` or `_` in the type.
pub(crate) fn find_unnamed(ty: &Type) -> Option<TokenStream> {
    let mut finder = UnnamedFinder { found: None };
    finder.visit_type(ty);
    finder.found
}

struct BorrowFinder {
    found: Option<TokenStream>,
}

impl BorrowFinder {
    fn note(&mut self, borrow: &impl ToTokens) {
        self.found.get_or_insert_with(|| borrow.to_token_stream());
    }
}

impl<'ast> Visit<'ast> for BorrowFinder {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        match &reference.lifetime {
            Some(lifetime) if lifetime.ident == "static" => self.visit_type(&reference.elem),
            _ => self.note(reference),
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.note(lifetime);
        }
    }

    // The lifetimes in `fn(&T)`, `dyn Fn(&T)` and `dyn for<'a> Tr<'a>` are those of a later call.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}

    fn visit_trait_bound(&mut self, bound: &'ast TraitBound) {
        if bound.lifetimes.is_none() {
            visit::visit_trait_bound(self, bound);
        }
    }

    // The length of an array.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}

struct UnnamedFinder {
    found: Option<TokenStream>,
}

impl<'ast> Visit<'ast> for UnnamedFinder {
    fn visit_type_impl_trait(&mut self, opaque: &'ast TypeImplTrait) {
        self.found.get_or_insert_with(|| opaque.to_token_stream());
    }

    fn visit_type_infer(&mut self, open: &'ast TypeInfer) {
        self.found.get_or_insert_with(|| open.to_token_stream());
    }

    // The length of an array.
    fn visit_expr(&mut self, _: &'ast Expr) {}
}

#[cfg(test)]
mod tests {
    use super::{ends_in, find_borrow, find_unnamed};

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
    fn the_last_segment_counts() {
        let ty = syn::parse_str("(serde_json::Value)").expect("it is a type");
        assert!(ends_in(&ty, "Value"));
        assert!(!ends_in(&ty, "serde_json"));
    }
}
