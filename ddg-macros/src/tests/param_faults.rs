//! Tests of parameters that cannot be filled.

use expect_test::expect;

use super::check_method_faults;

#[test]
fn an_exclusive_borrow() {
    check_method_faults(
        r##"#[worker] fn f(x: &mut Vec<i64>) {}"##,
        &expect![[r#"
        &mut Vec<i64>
            a worker can't change an argument in place: other workers may hold the same value
            = help: take it by value (`mut x: T`) and return what became of it
    "#]],
    );
}

#[test]
fn types_without_a_name() {
    check_method_faults(
        r##"#[worker] fn f(a: impl Into<i64>, b: &impl Tr, c: &dyn Tr, d: &(dyn Tr + Send)) {}"##,
        &expect![[r#"
            impl Into<i64>
                a worker's parameter needs a concrete type, into which outputs and inputs are turned
                = help: name the type; where it has to stay open make the automa generic: `impl<T: Trait> MyAutoma<T>`
            impl Tr
                a worker's parameter needs a concrete type, into which outputs and inputs are turned
                = help: name the type; where it has to stay open make the automa generic: `impl<T: Trait> MyAutoma<T>`
            dyn Tr
                a worker's parameter needs a concrete type, into which outputs and inputs are turned
                = help: name the type; where it has to stay open make the automa generic: `impl<T: Trait> MyAutoma<T>`
            dyn Tr + Send
                a worker's parameter needs a concrete type, into which outputs and inputs are turned
                = help: name the type; where it has to stay open make the automa generic: `impl<T: Trait> MyAutoma<T>`
        "#]],
    );
}

#[test]
fn patterns() {
    check_method_faults(
        r##"#[worker] fn f((a, b): (i64, i64), _: i64, ref x: i64, y @ 1: i64, Point { z }: Point) {}"##,
        &expect![[r#"
            (a, b)
                a worker's parameter needs a plain name, because arguments are also given by name
                = help: write `name: T`, and take it apart in the body
            _
                a worker's parameter needs a plain name, because arguments are also given by name
                = help: write `name: T`, and take it apart in the body
            ref x
                a worker's parameter needs a plain name, because arguments are also given by name
                = help: write `name: T`, and take it apart in the body
            y @ 1
                a worker's parameter needs a plain name, because arguments are also given by name
                = help: write `name: T`, and take it apart in the body
            Point { z }
                a worker's parameter needs a plain name, because arguments are also given by name
                = help: write `name: T`, and take it apart in the body
        "#]],
    );
}

#[test]
fn a_borrow_for_ever() {
    check_method_faults(
        r##"#[worker] fn f(x: &'static str) {}"##,
        &expect![[r#"
        'static
            a worker borrows its arguments only while it runs
            = help: drop the `'static`, or take the argument by value
    "#]],
    );
}

#[test]
fn a_borrow_inside() {
    check_method_faults(
        r##"#[worker] fn f(a: Option<&str>, b: &[&str], c: Cow<'_, str>, d: Text<'static>) {}"##,
        &expect![[r#"
            &str
                a worker's argument is owned or borrowed as a whole, never in part
                = help: own what is inside (`String` for `&str`, `Vec<T>` for `&[T]`), and put one `&` in front of the whole type to borrow it
            &str
                a worker's argument is owned or borrowed as a whole, never in part
                = help: own what is inside (`String` for `&str`, `Vec<T>` for `&[T]`), and put one `&` in front of the whole type to borrow it
            '_
                a worker's argument is owned or borrowed as a whole, never in part
                = help: own what is inside (`String` for `&str`, `Vec<T>` for `&[T]`), and put one `&` in front of the whole type to borrow it
        "#]],
    );
}

#[test]
fn a_context_is_not_injected_from() {
    check_method_faults(
        r##"#[worker] fn f(#[from(start)] cx: &Context) {}"##,
        &expect![[r#"
            cx
                the context is always given: drop the `#[from]`
        "#]],
    );
}
