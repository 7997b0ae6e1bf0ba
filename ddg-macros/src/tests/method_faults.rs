//! Tests of methods that cannot be workers.

use expect_test::expect;

use super::check_method_faults;

#[test]
fn an_exclusive_receiver() {
    check_method_faults(
        r##"#[worker] async fn f(&mut self) {}"##,
        &expect![[r#"
        &mut self
            a worker runs concurrently with others, so all of them share `self`
            = help: take `&self`, and keep changing state in `cx.local()` or behind a lock
    "#]],
    );
}

#[test]
fn an_owned_receiver() {
    check_method_faults(
        r##"#[worker] async fn f(self) {}"##,
        &expect![[r#"
        self
            a worker runs concurrently with others, so all of them share `self`
            = help: take `&self`, and keep changing state in `cx.local()` or behind a lock
    "#]],
    );
}

#[test]
fn a_typed_receiver() {
    check_method_faults(
        r##"#[worker] async fn f(self: Arc<Self>) {}"##,
        &expect![[r#"
            self: Arc<Self>
                a worker runs concurrently with others, so all of them share `self`
                = help: take `&self`, and keep changing state in `cx.local()` or behind a lock
        "#]],
    );
}

#[test]
fn generics() {
    check_method_faults(
        r##"#[worker] async fn f<'a, T: Data, const N: usize>(&'a self, x: [T; N]) {}"##,
        &expect![[r#"
            T: Data
                a worker can't be generic: the engine would not know which type to call it with
                = help: make the automa generic instead: `impl<T> MyAutoma<T>`
            const N: usize
                a worker can't be generic: the engine would not know which type to call it with
                = help: make the automa generic instead: `impl<N> MyAutoma<N>`
        "#]],
    );
}

#[test]
fn qualifiers() {
    check_method_faults(
        r##"#[worker] const unsafe extern "C" fn f() {}"##,
        &expect![[r#"
            const
                a worker is called by the engine, as a plain `fn` or `async fn`: drop the `const`
            unsafe
                a worker is called by the engine, as a plain `fn` or `async fn`: move the `unsafe` into the body
            extern "C"
                a worker is called by the engine, as a plain `fn` or `async fn`: drop the `extern`
        "#]],
    );
}

#[test]
fn too_many_parameters() {
    check_method_faults(
        r##"#[worker] fn f(a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A, i: A, j: A, k: A, l: A, m: A, n: A) {}"##,
        &expect![[r#"
            m: A
                a worker has at most 12 parameters
                = help: gather what belongs together in a struct
        "#]],
    );
}

#[test]
fn two_contexts() {
    check_method_faults(
        r##"#[worker] fn f(a: &Context, b: Context) {}"##,
        &expect![[r#"
            b
                a worker has one context: drop this parameter
        "#]],
    );
}

#[test]
fn worker_on_another_item() {
    check_method_faults(
        r##"#[worker] const X: i64 = 0; #[worker] type T = i64;"##,
        &expect![[r#"
            #[worker]
                #[worker] belongs on a method
            #[worker]
                #[worker] belongs on a method
        "#]],
    );
}

#[test]
fn from_on_a_method_that_is_not_a_worker() {
    check_method_faults(
        r##"fn f(&self, #[from(start)] x: i64) {}"##,
        &expect![[r#"
        #[from(start)]
            #[from] injects into a worker, and this method is none
            = help: mark the method with `#[worker]`, or drop the `#[from]`
    "#]],
    );
}
