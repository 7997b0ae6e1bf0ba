//! Nested automata that the run has edited or created are saved with the run.

use ddg_core::Key;
use ddg_core::prelude::*;

use super::{Multiply, elsewhere, planned, stopped, through_json};

/// An automa with a nested one, `inner`, that doubles and then adds one.
pub(super) fn with_nested(plan: impl Fn(&Context) + Send + Sync + 'static) -> GraphAutoma {
    let mut inner = GraphAutoma::new("pipeline");
    inner.add_func_as_worker("double", async |x: i64| x * 2, start()).unwrap();
    inner.add_func_as_worker("plus_1", async |x: i64| x + 1, after(["double"])).unwrap();
    inner.declare_func("minus_1", async |x: i64| x - 1, free()).unwrap();
    let mut automa = planned(plan);
    automa.declare_worker("pipeline", inner.clone(), free()).unwrap();
    automa.add_worker("inner", inner, free().output()).unwrap();
    automa
}

/// [D1]
#[tokio::test]
async fn changes_of_a_nested_automa_are_kept() {
    let declare = || {
        with_nested(|cx| {
            let inner = cx.nested("inner").unwrap();
            inner.remove_dependency("plus_1", "double");
            // Declared in the nested automa, and registered in the one around it.
            inner.add_func_as_worker("less", Key::from("minus_1"), after(["double"]));
            inner.add_worker("by_100", Multiply { by: 100 }, after(["less"]).output());
            cx.ferry_to("inner", (5,));
        })
    };
    assert_eq!(elsewhere(declare).await.unwrap().into_output::<i64>().unwrap(), 900);
}

#[tokio::test]
async fn changes_of_a_nested_automa_that_was_added_are_kept() {
    let declare = || {
        let mut automa = with_nested(|cx| {
            cx.add_func_as_worker("more", Key::from("pipeline"), free());
            cx.ferry_to("change", ());
        });
        let change = async |cx: Context| {
            let more = cx.nested("more").unwrap();
            more.remove_worker("plus_1");
            more.add_worker("by_100", Multiply { by: 100 }, after(["double"]));
            cx.add_func_as_worker("show", Key::from("keys"), after(["more"]).suppressed().output());
            cx.ferry_to("more", (5,));
            cx.stop();
        };
        let keys = async |cx: Context| cx.nested("more").unwrap().keys();
        automa.declare_func("keys", keys, free()).unwrap();
        automa.add_func_as_worker("change", change, free()).unwrap();
        automa
    };
    let first = stopped(&declare()).await.unwrap();
    let changed = declare().resume(through_json(&first)).await.unwrap().snapshot().unwrap();
    let outcome = declare().resume(through_json(&changed)).await.unwrap();
    assert_eq!(outcome.into_output::<Vec<Key>>().unwrap(), ["double", "by_100"]);
}

/// [D1]
#[tokio::test]
async fn an_automa_that_the_run_has_made_is_saved_as_what_it_is_made_of() {
    let declare = || {
        planned(|cx| {
            let mut made = GraphAutoma::new("made");
            made.add_worker("z", Multiply { by: 2 }, start()).unwrap();
            made.add_worker("a", Multiply { by: 5 }, after(["z"]).output()).unwrap();
            let mut around = GraphAutoma::new("around");
            around.add_worker("made", made, start()).unwrap();
            around.add_worker("by_3", Multiply { by: 3 }, after(["made"]).output()).unwrap();
            cx.add_worker("around", around, free().output());
            cx.ferry_to("around", (7,));
        })
    };
    assert_eq!(elsewhere(declare).await.unwrap().into_output::<i64>().unwrap(), 210);
}
