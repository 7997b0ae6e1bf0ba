//! Names in nested automata are looked up in the automata around.

use ddg_core::Key;
use serde::{Deserialize, Serialize};

use super::*;

#[derive(Clone, Serialize, Deserialize)]
struct Times {
    by: u64,
}

impl Worker for Times {
    type Output = u64;

    async fn run(&self, args: Args, _: &Context) -> Result<u64, WorkerError> {
        Ok(args.get::<u64>(0)? * self.by)
    }
}

/// A nested automa to which a worker of the automa around it adds another one, and which then asks.
fn growing(add: impl Fn(&Context) + Send + Sync + Clone + 'static) -> GraphAutoma {
    let mut inner = GraphAutoma::new("inner");
    let ask = async |x: u64, cx: Context| -> Result<u64, WorkerError> {
        Ok(x + cx.interact_with_human::<u64>("How many?")?)
    };
    inner.add_func_as_worker("ask", ask, start()).unwrap();
    inner.add_func_as_worker("last", async |x: u64| x, free().output()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.register_worker::<Times>("times").unwrap();
    automa.declare_func("triple", async |x: u64| x * 3, free()).unwrap();
    let plan = move |x: u64, cx: Context| {
        add(&cx);
        x
    };
    automa.add_func_as_worker("plan", plan, start().inline()).unwrap();
    automa.add_worker("inner", inner, after(["plan"]).output()).unwrap();
    automa
}

async fn asked_and_answered(add: impl Fn(&Context) + Send + Sync + Clone + 'static) -> u64 {
    let paused = growing(add.clone()).run(args!(1_u64)).await.unwrap();
    let answered = paused.answer_with(|_| 4_u64).unwrap();
    let json = serde_json::to_string(&answered).unwrap();
    let again = growing(add).resume(serde_json::from_str(&json).unwrap());
    again.output().await.unwrap()
}

/// [D1]
#[tokio::test]
async fn a_nested_automa_that_grew_by_a_type_of_the_outer_one_can_pause() {
    let output = asked_and_answered(|cx| {
        let inner = cx.nested("inner").unwrap();
        inner.add_worker("times", Times { by: 7 }, after(["ask"]));
        inner.add_dependency("last", "times");
    });
    assert_eq!(output.await, 35);
}

/// [D1] [E12]
#[tokio::test]
async fn a_function_of_the_outer_automa_is_placed_in_a_nested_one() {
    let output = asked_and_answered(|cx| {
        let inner = cx.nested("inner").unwrap();
        inner.add_func_as_worker("times", Key::from("triple"), after(["ask"]));
        inner.add_dependency("last", "times");
    });
    assert_eq!(output.await, 15);
}

/// [D1] [E12] Also by a worker of the nested automa itself.
#[tokio::test(start_paused = true)]
async fn a_nested_automa_places_functions_of_the_automata_around_it() {
    leave_at_every_write(Way::default(), |effects| {
        let mut inner = GraphAutoma::new("inner");
        let pass = passing(effects);
        let plan = move |x: u64, cx: Context| {
            cx.add_func_as_worker("three", Key::from("triple"), after(["plan"]));
            cx.add_worker("seven", Times { by: 7 }, after(["three"]));
            cx.add_dependency("last", "seven");
            pass(x, cx)
        };
        inner.add_func_as_worker("plan", plan, start().inline()).unwrap();
        inner.add_func_as_worker("last", passing(effects), free().inline().output()).unwrap();
        let mut middle = GraphAutoma::new("middle");
        middle.add_worker("inner", inner, start().output()).unwrap();
        let mut automa = GraphAutoma::new("outer");
        automa.register_worker::<Times>("times").unwrap();
        let pass = passing(effects);
        automa
            .declare_func("triple", move |x: u64, cx: Context| pass(x * 3, cx), free().inline())
            .unwrap();
        automa.add_worker("middle", middle, start().output()).unwrap();
        automa
    })
    .await;
}

/// [E12]
#[tokio::test]
async fn a_name_that_nobody_around_has_declared_is_still_an_error() {
    let automa = growing(|cx| {
        cx.nested("inner").unwrap().add_func_as_worker("x", Key::from("nobody"), free());
    });
    let error = automa.run(args!(1_u64)).await.unwrap_err().to_string();
    assert!(error.contains("`nobody` was not declared"), "{error}");
}
