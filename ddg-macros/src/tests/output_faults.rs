//! Tests of return types that cannot be outputs.

use expect_test::expect;

use super::check_method_faults;

#[test]
fn a_borrow() {
    check_method_faults(
        r##"#[worker] fn f(&self) -> &str { todo!() }"##,
        &expect![[r#"
            &str
                a worker's output must own its data: it outlives the call and goes to any worker
                = help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` or `Arc<T>` for `&T`
        "#]],
    );
}

#[test]
fn a_borrow_inside() {
    check_method_faults(
        r##"#[worker] fn f(&self) -> Result<Vec<Text<'_>>, E> { todo!() }"##,
        &expect![[r#"
            '_
                a worker's output must own its data: it outlives the call and goes to any worker
                = help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` or `Arc<T>` for `&T`
        "#]],
    );
}

#[test]
fn a_borrow_in_the_items() {
    check_method_faults(
        r##"#[worker] fn f() -> impl Stream<Item = &u8> { todo!() }"##,
        &expect![[r#"
            &u8
                a worker's output must own its data: it outlives the call and goes to any worker
                = help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` or `Arc<T>` for `&T`
        "#]],
    );
}

#[test]
fn a_result_without_its_type() {
    check_method_faults(
        r##"#[worker] fn f() -> fmt::Result { todo!() }"##,
        &expect![[r#"
            Result
                `Result` hides the type of the worker's output
                = help: write it out: `Result<T, E>`
        "#]],
    );
}

#[test]
fn a_future() {
    check_method_faults(
        r##"#[worker] fn f() -> impl Future<Output = i64> + Send { todo!() }"##,
        &expect![[r#"
            impl Future<Output = i64> + Send
                a worker gives a value whose type has a name, or a stream of such values
                = help: write `T`, `Result<T, E>` or `impl Stream<Item = T>`; to give a future make the worker an `async fn`
        "#]],
    );
}

#[test]
fn a_stream_without_its_items() {
    check_method_faults(
        r##"#[worker] fn f() -> impl Stream { todo!() }"##,
        &expect![[r#"
            impl Stream
                a worker gives a value whose type has a name, or a stream of such values
                = help: write `T`, `Result<T, E>` or `impl Stream<Item = T>`; to give a future make the worker an `async fn`
        "#]],
    );
}

#[test]
fn an_open_type() {
    check_method_faults(
        r##"#[worker] fn f() -> _ { todo!() }"##,
        &expect![[r#"
        _
            a worker gives a value whose type has a name, or a stream of such values
            = help: write `T`, `Result<T, E>` or `impl Stream<Item = T>`; to give a future make the worker an `async fn`
    "#]],
    );
}

#[test]
fn a_static_text_is_a_text_and_other_borrows_are_none() {
    check_method_faults(
        r##"#[worker] fn a(&self) -> &'static str { "" }
        #[worker] fn b(&self) -> Result<&'static str, E> { todo!() }
        #[worker] fn c(&self) -> Option<&'static str> { None }
        #[worker] fn d(&self) -> &'static [u8] { &[] }
        #[worker] fn e(&self) -> Result<i64, &'static str> { Ok(0) }"##,
        &expect![[r#"
            &'static str
                a worker's output must own its data: it outlives the call and goes to any worker
                = help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` or `Arc<T>` for `&T`
            &'static [u8]
                a worker's output must own its data: it outlives the call and goes to any worker
                = help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` or `Arc<T>` for `&T`
            &'static str
                a worker's error must own its data: it outlives the call, and may be what a run ends with
                = help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` or `Arc<T>` for `&T`
        "#]],
    );
}

#[test]
fn an_error_can_leave_its_thread() {
    check_method_faults(
        r##"#[worker] fn a(&self) -> Result<i64, Box<dyn Error>> { todo!() }
        #[worker] fn b(&self) -> Result<i64, Box<dyn std::error::Error + 'static>> { todo!() }
        #[worker] fn c(&self) -> Result<i64, Box<dyn Error + Send + Sync>> { todo!() }
        #[worker] fn d(&self) -> Result<i64, anyhow::Error> { todo!() }"##,
        &expect![[r#"
            Box<dyn Error>
                `Box<dyn Error>` can't leave the thread that it was made on
                = help: return `Box<dyn Error + Send + Sync>`, a `WorkerError`, or an error type of your own
            Box<dyn std::error::Error + 'static>
                `Box<dyn std::error::Error + 'static>` can't leave the thread that it was made on
                = help: return `Box<dyn Error + Send + Sync>`, a `WorkerError`, or an error type of your own
        "#]],
    );
}
