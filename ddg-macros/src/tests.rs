//! Golden tests: the expansions of `#[automa]` and `#[tool]`, and the message of each fault.

mod block_faults;
mod cfg;
mod cycles;
mod detached;
mod edge_checks;
mod faulty_block;
mod fragment_faults;
mod fragments;
mod from_faults;
mod generic_faults;
mod generics;
mod injection;
mod keys;
mod lone_worker;
mod mapping_faults;
mod method_faults;
mod option_faults;
mod options;
mod output_faults;
mod output_type;
mod param_faults;
mod params;
mod references;
mod streams;
mod sum100;
mod surplus;
mod syntax_errors;
mod tool;
mod two_outputs;

use expect_test::Expect;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Meta;

use crate::expand::expand_collecting;
use crate::fault::Faults;

/// Checks what follows the user's own block in the expansion of `#[automa] impl ..`.
#[track_caller]
fn check_expansion(source: &str, expected: &Expect) {
    let (expansion, faults) = expand_source(source);
    assert_eq!(render(&faults), "");
    expected.assert_eq(&generated(expansion));
}

/// Checks the messages for `#[automa] impl ..`, each with the tokens that it points at.
#[track_caller]
fn check_faults(source: &str, expected: &Expect) {
    let (_, faults) = expand_source(source);
    expected.assert_eq(&render(&faults));
}

#[track_caller]
fn check_no_faults(source: &str) {
    let (_, faults) = expand_source(source);
    assert_eq!(render(&faults), "");
}

/// Checks the messages for a method with this text between two others, `start` and `other`.
#[track_caller]
fn check_method_faults(method: &str, expected: &Expect) {
    check_faults(
        &format!(
            "#[automa]
            impl Agent {{
                #[worker(start)]
                async fn start(&self, x: i64) -> i64 {{ x }}
                {method}
                #[worker]
                async fn other(&self, x: i64) -> i64 {{ x }}
            }}"
        ),
        expected,
    );
}

/// The expansion of an item with `#[automa]` as its first attribute.
#[track_caller]
fn expand_source(source: &str) -> (TokenStream, Faults) {
    let (attr, item) = attribute_and_item(source);
    let mut faults = Faults::default();
    let expansion = expand_collecting(attr, item, &mut faults);
    (expansion, faults)
}

/// The content of the parentheses of the first attribute, and the item after it.
#[track_caller]
fn attribute_and_item(source: &str) -> (TokenStream, TokenStream) {
    let tokens: TokenStream = source.parse().expect("the source consists of tokens");
    let mut tokens = tokens.into_iter();
    let pound = tokens.next().expect("the source begins with an attribute");
    assert_eq!(pound.to_string(), "#");
    let attribute = tokens.next().expect("the source begins with an attribute");
    let attribute: TokenStream = [pound, attribute].into_iter().collect();
    let attr = match parse_attribute(attribute) {
        Meta::List(list) => list.tokens,
        Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
    };
    (attr, tokens.collect())
}

fn parse_attribute(tokens: TokenStream) -> Meta {
    let parser = syn::Attribute::parse_outer;
    let mut attributes = syn::parse::Parser::parse2(parser, tokens).expect("it is an attribute");
    attributes.remove(0).meta
}

/// All items except the user's own, as code.
fn generated(expansion: TokenStream) -> String {
    let mut file: syn::File = syn::parse2(expansion).expect("the expansion consists of items");
    let own = file.items.remove(0);
    assert!(!own.to_token_stream().to_string().contains("worker ("), "attributes are stripped");
    prettyplease::unparse(&file)
}

/// All items as code.
fn code(expansion: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(expansion).expect("the expansion consists of items"))
}

/// Formats each fault as `tokens | message`.
fn render(faults: &Faults) -> String {
    let render = |error: &syn::Error| {
        let at = error.span().source_text().unwrap_or_default();
        let at: Vec<&str> = at.split_whitespace().collect();
        let at = if at.is_empty() { "#[automa]".to_owned() } else { at.join(" ") };
        format!("{at}\n    {}\n", error.to_string().replace('\n', "\n    "))
    };
    faults.iter().map(render).collect()
}
