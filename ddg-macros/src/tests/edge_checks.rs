//! Which types the compiler is asked to compare.

use super::{expand_source, generated};

#[track_caller]
fn check(workers: &str, expected: &[&str]) {
    let (expansion, faults) = expand_source(&format!("#[automa] impl Agent {{ {workers} }}"));
    assert!(faults.is_empty(), "{workers}");
    let code = generated(expansion).split_whitespace().collect::<Vec<_>>().join(" ");
    let checks: Vec<&str> = code
        .split("::ddg_core::check::dependency::<")
        .skip(1)
        .filter_map(|check| check.split_once(", _"))
        .map(|(types, _)| types.trim())
        .collect();
    assert_eq!(checks, expected, "{workers}");
}

const SOURCES: &str = "
    #[worker(start)] fn number() -> i64 { 0 }
    #[worker(start)] fn text() -> Result<String, E> { todo!() }
    #[worker(start)] fn nothing() {}
    #[worker(start)] fn value() -> ddg_core::Value { todo!() }
    #[worker(start)] fn stream() -> impl Stream<Item = i64> { todo!() }
    #[worker(start, in_order)] fn dealt() -> Vec<i64> { todo!() }";

#[track_caller]
fn check_edges(worker: &str, expected: &[&str]) {
    check(&format!("{SOURCES} {worker}"), expected);
}

#[test]
fn outputs_meet_parameters_in_order() {
    check_edges(
        "#[worker(dependencies = [number, nothing, text])]
        fn sink(a: u8, cx: Context, #[from(text)] b: String, c: &str) {}",
        &["i64, u8", "String, ::std::sync::Arc<::std::string::String>"],
    );
    check_edges(
        "#[worker(dependencies = [text])] fn sink(a: Option<&'static str>, b: i64) {}",
        &["String, Option<&'static str>"],
    );
}

#[test]
fn what_has_no_type_is_left_out() {
    check_edges(
        "#[worker(dependencies = [value, stream, dealt, number, text])]
        fn sink(a: i64, b: ItemStream<i64>, c: i64, d: &Value, e: String) {}",
        &["String, String"],
    );
    check_edges(
        "#[worker(dependencies = [number, text, text_list])]
        fn sink(a: Option<Value>, b: Option<serde_json::Value>, c: Vec<Value>) {}
        #[worker(start)] fn text_list() -> Vec<String> { vec![] }",
        &[],
    );
}

#[test]
fn behind_an_unknown_dependency_no_position_is_known() {
    check_edges(
        r#"#[worker(dependencies = [number, dynamic("elsewhere"), text])]
        fn sink(a: i64, b: i64, c: i64) {}"#,
        &["i64, i64"],
    );
}

#[test]
fn other_mappings_are_left_out() {
    for mapping in ["merge", "unpack", "suppressed"] {
        check_edges(
            &format!("#[worker(dependencies = [number], {mapping})] fn s(a: u8) {{}}"),
            &[],
        );
    }
}
