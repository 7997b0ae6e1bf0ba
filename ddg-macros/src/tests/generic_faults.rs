//! Tests of messages about the type parameters of an automa.

use expect_test::{Expect, expect};

use super::{check_faults, check_no_faults, code};
use crate::expand::expand;

#[track_caller]
fn check(generics: &str, worker: &str, expected: &Expect) {
    check_faults(&source(generics, worker), expected);
}

fn source(generics: &str, worker: &str) -> String {
    format!("#[automa] impl{generics} {{ #[worker(start)] {worker} }}")
}

#[test]
fn what_travels_is_data() {
    check(
        "<D> Agent<D>",
        "fn a(&self, x: D) {}",
        &expect![[r#"
        D
            `D` travels between workers, but it is not known to be `Clone`, `Serialize`, `DeserializeOwned`, `Send`, `Sync` and `'static`
            = help: write `D: ddg_core::Data`, which is enough
    "#]],
    );
    check(
        "<D: Clone + Send + Sync> Agent<D>",
        "fn a(&self) -> Vec<Option<D>> { vec![] }",
        &expect![[r#"
        D: Clone + Send + Sync
            `D` travels between workers, but it is not known to be `Serialize`, `DeserializeOwned` and `'static`
            = help: write `D: ddg_core::Data`, which is enough
    "#]],
    );
    check(
        "<D> Agent<D> where D: Copy + Serialize + Debug + Send + Sync + 'static",
        "fn a(&self, x: &[D]) {}",
        &expect![[r#"
            D
                `D` travels between workers, but it is not known to be `DeserializeOwned`
                = help: write `D: ddg_core::Data`, which is enough
        "#]],
    );
}

#[test]
fn held_values_outlive_the_run() {
    check(
        "<M> Agent<M>",
        "fn a(&self) -> Wrapper<M> { todo!() }",
        &expect![[r#"
        M
            an automa is shared by all its runs, but `M` is not known to be `'static`
            = help: write `M: Send + Sync + 'static`
    "#]],
    );
}

#[test]
fn bounds_that_may_imply_others_are_left_to_the_compiler() {
    for generics in [
        "<D: Data> Agent<D>",
        "<D: Model> Agent<D>",
        "<D> Agent<D> where D: Model",
        "<D: Clone + Serialize + DeserializeOwned + Send + Sync + 'static> Agent<D>",
        "<D: Copy + Serialize + for<'de> Deserialize<'de> + Send + Sync + 'static> Agent<D>",
    ] {
        check_no_faults(&source(generics, "fn a(&self, x: D) {}"));
    }
    check_no_faults(&source("<M: Send + 'static> Agent<M>", "fn a(&self, x: M::Answer) {}"));
}

#[test]
fn the_rest_of_the_block_has_the_bound() {
    let source = "impl<D> Agent<D> { #[worker(start)] fn a(&self, x: D) {} }";
    let expansion = expand(quote::quote!(), source.parse().expect("it consists of tokens"));
    let code = code(expansion);
    let declared = code.split("::ddg_core::Automa for").nth(1).expect("it is declared");
    assert!(
        declared.trim_start().starts_with("Agent<D>\nwhere\n    D: ::ddg_core::Data,\n"),
        "{code}"
    );
}
