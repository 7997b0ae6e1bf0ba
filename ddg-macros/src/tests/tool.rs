//! Golden tests of `#[tool]`.

mod faults;
mod faulty;
mod injected;
mod options;
mod params;
mod sync;

use expect_test::Expect;
use proc_macro2::TokenStream;

use super::{attribute_and_item, render};
use crate::fault::Faults;
use crate::tool::expand_collecting;

/// Checks what follows the function itself in the expansion.
#[track_caller]
fn check_expansion(source: &str, expected: &Expect) {
    let (expansion, faults) = expand(source);
    assert_eq!(render(&faults), "");
    let mut file: syn::File = syn::parse2(expansion).expect("the expansion consists of items");
    file.items.remove(0);
    expected.assert_eq(&prettyplease::unparse(&file));
}

/// Checks the messages, each with the tokens that it points at.
#[track_caller]
fn check_faults(source: &str, expected: &Expect) {
    let (_, faults) = expand(source);
    expected.assert_eq(&render(&faults));
}

/// The expansion of an item with `#[tool]` as its first attribute.
#[track_caller]
fn expand(source: &str) -> (TokenStream, Faults) {
    let (attr, item) = attribute_and_item(source);
    let mut faults = Faults::default();
    let expansion = expand_collecting(attr, item, &mut faults);
    (expansion, faults)
}
