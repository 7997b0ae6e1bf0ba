//! Tests of the output type of a run.

use super::{expand_source, generated};

#[track_caller]
fn check(attr: &str, workers: &str, expected: &str) {
    let source = format!("#[automa({attr})] impl Agent {{ {workers} }}");
    let (expansion, faults) = expand_source(&source);
    assert!(faults.is_empty(), "{workers}");
    let code = generated(expansion);
    let line = code.lines().find_map(|line| line.trim().strip_prefix("type Output = "));
    assert_eq!(line, Some(format!("{expected};").as_str()), "{workers}");
}

#[test]
fn it_is_that_of_the_output_workers() {
    check("", "#[worker(output)] fn a() -> Vec<i64> { todo!() }", "Vec<i64>");
    check("", "#[worker(output)] fn a() -> anyhow::Result<String> { todo!() }", "String");
    check("", "#[worker(output)] fn a() {}", "()");
    check(
        "",
        "#[worker(output)] fn a() -> impl Stream<Item = u8> { todo!() }",
        "::ddg_core::values::ItemStream<u8>",
    );
    check(
        "",
        "#[worker(output)] fn a() -> i64 { 0 } #[worker(output)] fn b() -> Result<i64, E> { Ok(0) }",
        "i64",
    );
}

#[test]
fn it_is_a_value_when_they_differ() {
    check(
        "",
        "#[worker(output)] fn a() -> i64 { 0 } #[worker(output)] fn b() -> u8 { 0 }",
        "::ddg_core::Value",
    );
}

#[test]
fn it_is_nothing_without_output_workers() {
    check("", "#[worker(start)] fn a() -> i64 { 0 }", "()");
    check("fragments = [Self::b]", "#[worker(start)] fn a() -> i64 { 0 }", "::ddg_core::Value");
}

#[test]
fn it_can_be_named() {
    let named = "<HashMap<String, i64> as ::ddg_core::check::Travels>::Itself";
    check("output = HashMap<String, i64>", "#[worker(start)] fn a() {}", named);
    check("crate = crate, fragments = [Self::b]", "", "crate::Value");
}

#[test]
fn a_static_text_is_a_string() {
    check("", "#[worker(output)] fn a() -> &'static str { \"\" }", "::std::string::String");
    check(
        "",
        "#[worker(output)] fn a() -> Result<&'static str, E> { Ok(\"\") }",
        "::std::string::String",
    );
}
