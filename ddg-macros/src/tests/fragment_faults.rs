//! Tests of invalid fragments.

use expect_test::expect;

use super::{check_faults, check_no_faults};

#[test]
fn an_entry_that_names_no_fragment() {
    check_faults(
        r##"#[automa(fragments = [tools, Self, self, Self::tools(), self.a.b, other.a])] impl Agent {}"##,
        &expect![[r#"
            tools
                this is not a fragment
                = help: write `Self::tools` for a block marked `#[automa(fragment = tools)]`, or `self.retrieval` for a field of type `Arc<Retrieval>` whose type is an automa
            Self
                this is not a fragment
                = help: write `Self::tools` for a block marked `#[automa(fragment = tools)]`, or `self.retrieval` for a field of type `Arc<Retrieval>` whose type is an automa
            self
                this is not a fragment
                = help: write `Self::tools` for a block marked `#[automa(fragment = tools)]`, or `self.retrieval` for a field of type `Arc<Retrieval>` whose type is an automa
            Self::tools()
                this is not a fragment
                = help: write `Self::tools` for a block marked `#[automa(fragment = tools)]`, or `self.retrieval` for a field of type `Arc<Retrieval>` whose type is an automa
            other.a
                this is not a fragment
                = help: write `Self::tools` for a block marked `#[automa(fragment = tools)]`, or `self.retrieval` for a field of type `Arc<Retrieval>` whose type is an automa
        "#]],
    );
}

#[test]
fn a_name_that_is_none() {
    check_faults(
        r##"#[automa(fragment = "tools")] impl Agent {}"##,
        &expect![[r#"
            "tools"
                `fragment` wants the name of the function that declares it: write `fragment = tools`
        "#]],
    );
}

#[test]
fn options_that_a_fragment_has_not() {
    check_faults(
        r##"#[automa(fragment = tools, name = "x", output = i64)] impl Agent {}"##,
        &expect![[r#"
            name
                a fragment has no `name` of its own
                = help: give it where the automa itself is declared
            output
                a fragment has no `output` of its own
                = help: give it where the automa itself is declared
        "#]],
    );
}

#[test]
fn nothing_to_override() {
    check_faults(
        r##"#[automa] impl Agent { #[worker(override)] fn f() {} }"##,
        &expect![[r#"
            override
                there is nothing to override: this automa has no fragments
                = help: drop `override`, or name the fragment in `#[automa(fragments = [..])]`
        "#]],
    );
}

#[test]
fn a_fragment_may_override_an_earlier_one() {
    check_no_faults(r##"#[automa(fragment)] impl Agent { #[worker(override)] fn f() {} }"##);
}
