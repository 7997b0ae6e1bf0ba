//! Every message that a misused `#[automa]` gives, as the compiler prints it.

#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
