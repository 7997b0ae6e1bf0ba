//! Tests of functions that cannot be tools.

use expect_test::expect;

use super::check_faults;

#[test]
fn it_is_a_free_function() {
    check_faults(
        "#[tool]
        /// Counts.
        async fn count(&self) -> u32 { self.n }",
        &expect![[r#"
            &self
                a tool is a free function, and this is a method
                = help: take what it needs of `self` as a `State<T>`, which the toolbox is given; or implement `Tool` for the type
        "#]],
    );
    check_faults(
        "#[tool] struct Weather;",
        &expect![[r#"
            struct
                #[tool] belongs on a function
                = help: write `#[tool] async fn weather(city: String) -> String { .. }`; an automa becomes a tool with `AutomaTool`
        "#]],
    );
}

#[test]
fn a_model_needs_a_description() {
    check_faults(
        "#[tool] async fn weather(city: String) {}",
        &expect![[r#"
        weather
            the tool `weather` has no description, by which a model chooses it
            = help: write a doc comment that says what it does and when to use it, or `#[tool(description = "..")]`
    "#]],
    );
    check_faults(
        "#[tool(description = \"\")] async fn weather() {}",
        &expect![[r#"
            ""
                `description` can't be empty
        "#]],
    );
    check_faults(
        "#[tool]
        ///
        async fn weather() {}",
        &expect![[r#"
            weather
                the tool `weather` has no description, by which a model chooses it
                = help: write a doc comment that says what it does and when to use it, or `#[tool(description = "..")]`
        "#]],
    );
}

#[test]
fn providers_refuse_other_names() {
    check_faults(
        "#[tool(name = \"look up\")] /** Looks. */ async fn look_up() {}",
        &expect![[r#"
        "look up"
            no tool can be named `look up`
            = help: a name is 1 to 64 letters (a to z), digits, `_` and `-`
    "#]],
    );
    check_faults(
        "#[tool] /** Looks. */ async fn größe() {}",
        &expect![[r#"
        größe
            no tool can be named `größe`
            = help: a name is 1 to 64 letters (a to z), digits, `_` and `-`; give it another with `#[tool(name = "..")]`
    "#]],
    );
    check_faults(
        &format!("#[tool] /** Looks. */ async fn {}() {{}}", "x".repeat(65)),
        &expect![[r#"
            xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                no tool can be named `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`
                = help: a name is 1 to 64 letters (a to z), digits, `_` and `-`; give it another with `#[tool(name = "..")]`
        "#]],
    );
}

#[test]
fn options_are_known_and_fit() {
    check_faults(
        "#[tool(inlin, name = 3, crate = \"agents\", timeout = 5)]
        /// Looks.
        async fn look() {}",
        &expect![[r#"
            inlin
                unknown option `inlin` of #[tool]
                = help: did you mean `inline`?
            timeout
                unknown option `timeout` of #[tool]
                = help: the options are `name`, `description`, `inline` and `crate`
            "agents"
                `crate` wants a path: write `crate = ::ddg_agentic`
            3
                `name` wants a string: write `name = "weather"`
        "#]],
    );
    check_faults(
        "#[tool(inline)] /** Looks. */ async fn look() {}",
        &expect![[r#"
        inline
            `inline` is for a sync function, and this is an `async fn`
            = help: drop `inline`, or drop the `async`
    "#]],
    );
}

#[test]
fn it_is_called_as_a_plain_function() {
    check_faults(
        "#[tool]
        /// Looks.
        const unsafe extern \"C\" fn look<'a, T, const N: usize>(at: &'a [T; N]) {}",
        &expect![[r#"
            const
                a tool is called for a model, as a plain `fn` or `async fn`: drop the `const`
            unsafe
                a tool is called for a model, as a plain `fn` or `async fn`: move the `unsafe` into the body
            extern "C"
                a tool is called for a model, as a plain `fn` or `async fn`: drop the `extern`
            T
                a tool can't be generic: a model does not say which type to call it with
                = help: name the type; an enum leaves the model a choice
            const N: usize
                a tool can't be generic: a model does not say which type to call it with
                = help: name the type; an enum leaves the model a choice
        "#]],
    );
}

#[test]
fn parameters_have_names_and_concrete_types() {
    check_faults(
        "#[tool]
        /// Looks.
        async fn look(
            (a, b): (u32, u32),
            at: impl Into<String>,
            what: &dyn Look,
            change: &mut Vec<u32>,
            for_ever: &'static str,
            part: Option<&str>,
            open: Vec<_>,
        ) {}",
        &expect![[r#"
            (a, b)
                a tool's parameter needs a plain name, by which a model gives it
                = help: write `name: T`, and take it apart in the body
            impl Into<String>
                a tool's parameter needs a concrete type, whose schema a model is told
                = help: name the type; an enum leaves the model a choice
            dyn Look
                a tool's parameter needs a concrete type, whose schema a model is told
                = help: name the type; an enum leaves the model a choice
            &mut Vec<u32>
                a tool can't change an argument in place: nobody would see it
                = help: take it by value (`mut x: T`)
            'static
                a tool borrows its arguments only while it runs
                = help: drop the `'static`, or take the argument by value
            &str
                a tool's argument is owned or borrowed as a whole, never in part
                = help: own what is inside (`String` for `&str`, `Vec<T>` for `&[T]`), and put one `&` in front of the whole type to borrow it
            _
                a tool's parameter needs a concrete type, whose schema a model is told
                = help: name the type; an enum leaves the model a choice
        "#]],
    );
}

#[test]
fn an_injected_parameter_is_not_filled_by_a_model() {
    check_faults(
        "#[tool]
        /// Looks.
        async fn look(
            #[default] cx: &Context,
            #[serde(rename = \"x\")] other: Context,
            /// Where.
            state: State,
            #[schemars(range(min = 1))] index: State<Index>,
        ) {}",
        &expect![[r##"
            #[default]
                no model gives this argument: drop the `#[default]`
            #[serde(rename = "x")]
                no model gives this argument: drop the `#[serde]`
            State
                a state is found by its type, and this does not name it
                = help: write `State<T>` with the type that the toolbox is given
            #[schemars(range(min = 1))]
                no model gives this argument: drop the `#[schemars]`
            other
                a tool has one context: drop this parameter
        "##]],
    );
}

#[test]
fn defaults_are_written_in_one_way_once() {
    check_faults(
        "#[tool]
        /// Looks.
        async fn look(#[default(3)] a: u32, #[default = 1] #[default] b: u32) {}",
        &expect![[r#"
            #[default(3)]
                a default is written `#[default = expr]`, or `#[default]`
            #[default]
                an argument has one default: drop this one
        "#]],
    );
}

#[test]
fn outputs_own_their_data() {
    check_faults(
        "#[tool] /** Looks. */ async fn look(at: &str) -> Option<&str> { None }",
        &expect![[r#"
            &str
                what a tool gives must own its data: it outlives the call
                = help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`
        "#]],
    );
    check_faults(
        "#[tool] /** Looks. */ async fn look(at: &str) -> Result<&str, Cow<'_, str>> { Ok(at) }",
        &expect![[r#"
            &str
                what a tool gives must own its data: it outlives the call
                = help: return `String` for `&str`, `Vec<T>` for `&[T]`, `T` for `&T`
        "#]],
    );
}
