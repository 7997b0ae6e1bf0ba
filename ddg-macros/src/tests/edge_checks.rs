//! Tests of the types that the compiler is asked to compare.

use super::{expand_source, generated, render};

#[track_caller]
fn check(workers: &str, expected: &[&str]) {
    check_automa("", workers, expected);
}

/// Checks which types are compared, each as `why given => taken`.
#[track_caller]
fn check_automa(attr: &str, workers: &str, expected: &[&str]) {
    let (expansion, faults) =
        expand_source(&format!("#[automa({attr})] impl Agent {{ {workers} }}"));
    assert_eq!(render(&faults), "", "{workers}");
    let code = generated(expansion).split_whitespace().collect::<Vec<_>>().join(" ");
    let checks: Vec<String> = code
        .split("::ddg_core::check::")
        .skip(1)
        .filter_map(|check| check.split_once(", \"")?.0.split_once("!("))
        .map(|(why, types)| {
            format!("{why} {}", types.trim().replace(' ', "").replace("=>", " => "))
        })
        .collect();
    assert_eq!(checks, expected, "{workers}");
}

const SOURCES: &str = "
    #[worker(start)] fn number() -> i64 { 0 }
    #[worker(start)] fn text() -> Result<String, WorkerError> { todo!() }
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
        fn sink(a: u8, cx: Context, #[from(text)] b: String, c: &[u8]) {}",
        &["dependency i64 => u8", "dependency String => &::std::vec::Vec<u8>"],
    );
    check_edges(
        "#[worker(dependencies = [text])] fn sink(a: Option<&'static str>, b: i64) {}",
        &["dependency String => Option<&'staticstr>"],
    );
}

#[test]
fn types_that_are_written_alike_are_not_compared() {
    check_edges(
        "#[worker(dependencies = [number, text])] fn sink(a: i64, b: &str) {}
        #[worker(dependencies = [text])] fn sink_2(a: &String) {}",
        &[],
    );
}

#[test]
fn outputs_without_a_comparable_type_are_left_out() {
    check_edges(
        "#[worker(dependencies = [value, stream, dealt, number, text])]
        fn sink(a: i64, b: ItemStream<i64>, c: i64, d: &Value, e: Text) {}",
        &["dependency String => Text"],
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
        fn sink(a: u8, b: u8, c: u8) {}"#,
        &["dependency i64 => u8"],
    );
}

#[test]
fn a_scattered_list_meets_parameters_with_its_elements() {
    check_edges(
        "#[worker(dependencies = [dealt])] fn sink(a: u8) {}
        #[worker(dependencies = [number, dealt])] fn sink_2(a: i64, b: &str) {}",
        &["dealt i64 => u8", "dealt i64 => &::std::string::String"],
    );
}

#[test]
fn merged_outputs_meet_the_elements_of_the_list() {
    let merge = |param: &str| {
        format!("#[worker(dependencies = [number, nothing, text], merge)] fn sink(a: {param}) {{}}")
    };
    let all = ["merged i64 => T", "merged () => T", "merged String => T"];
    check_edges(&merge("Vec<T>"), &all);
    check_edges(&merge("&[T]"), &all);
    check_edges(&merge("Arc<VecDeque<T>>"), &all);
    check_edges(&merge("(A, (), B)"), &["merged i64 => A", "merged String => B"]);
    // A unit output becomes null in the list.
    let given = ["merged i64 => Option<T>", "merged String => Option<T>"];
    check_edges(&merge("Vec<Option<T>>"), &given);
    check_edges(&merge("Vec<Value>"), &[]);
    check_edges(&merge("Gathered"), &[]);
}

#[test]
fn elements_that_are_spread_out_meet_parameters() {
    check_edges(
        "#[worker(start)] fn pair() -> (u8, String) { todo!() }
        #[worker(dependencies = [pair], unpack)] fn sink(a: A, b: &str, c: C) {}",
        &["unpacked u8 => A"],
    );
    check_edges(
        "#[worker(start)] fn list() -> Vec<u8> { todo!() }
        #[worker(dependencies = [list], unpack)] fn sink(a: A, b: &B) {}",
        &["unpacked u8 => A", "unpacked u8 => &B"],
    );
    check_edges(
        "#[worker(dependencies = [report], unpack)] fn sink(a: u8) {}
        #[worker(start)] fn report() -> Report { todo!() }",
        &[],
    );
}

#[test]
fn injected_outputs_meet_their_parameters() {
    check_edges(
        "#[worker] fn sink(
            #[from(number)] a: u8,
            #[from(text, default = String::new())] b: Arc<str>,
            #[from(nothing)] c: Option<u8>,
            #[from(value)] d: u8,
            #[from(dealt)] e: Vec<u8>,
        ) {}",
        &["injected i64 => u8", "injected String => Arc<str>", "injected Vec<i64> => Vec<u8>"],
    );
}

#[test]
fn outputs_meet_the_output_of_the_automa() {
    check_automa(
        "output = Report",
        "#[worker(start, output)] fn a() -> Report { todo!() }
        #[worker(start, output)] fn b() -> Result<String, WorkerError> { todo!() }
        #[worker(start, output)] fn c() -> Value { todo!() }
        #[worker(start)] fn d() -> u8 { todo!() }",
        &["result String => Report"],
    );
    check_automa("output = Option<u8>", "#[worker(start, output)] fn a() {}", &[]);
}

#[test]
fn suppressed_outputs_meet_nothing() {
    check_edges("#[worker(dependencies = [number], suppressed)] fn s(a: u8) {}", &[]);
}
