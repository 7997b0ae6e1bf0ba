//! The usage of models is added up over all workers of a run, and has a price.

use ddg_agentic::model::{
    ChatReply, Cost, Fallback, ModelCalled, ModelError, ModelWorker, Price, ScriptedModel, Usage,
    UsageMeter,
};
use ddg_core::prelude::*;
use expect_test::expect;

fn scripted(name: &str, usage: Usage, n_replies: usize) -> ScriptedModel {
    let reply = || ChatReply::text("x").usage(usage);
    (0..n_replies).fold(ScriptedModel::new().named(name), |model, _| model.reply(reply()))
}

/// An automa with one model of its own, and one an automa deeper.
fn nested(outer: ScriptedModel, inner: ScriptedModel) -> GraphAutoma {
    let mut innermost = GraphAutoma::new("innermost");
    innermost.add_worker("ask", ModelWorker::new(inner), start()).unwrap();
    let mut middle = GraphAutoma::new("middle");
    middle.add_worker("innermost", innermost, start()).unwrap();
    let mut automa = GraphAutoma::new("outer");
    automa.add_worker("ask", ModelWorker::new(outer), start()).unwrap();
    automa.add_worker("middle", middle, start()).unwrap();
    automa
}

#[tokio::test]
async fn a_meter_adds_up_all_depths_and_runs() {
    let cached = Usage::new(100, 10).cached_input(60);
    let mut automa = nested(scripted("a", Usage::new(7, 3), 2), scripted("b", cached, 2));
    let meter = UsageMeter::new();
    meter.watch(&mut automa);
    automa.run(args!("Hello?")).output::<()>().await.unwrap();
    assert_eq!(meter.usage(), Usage::new(107, 13).cached_input(60));
    automa.run(args!("Hello?")).output::<()>().await.unwrap();
    let by_model: Vec<_> = meter.by_model().into_iter().collect();
    assert_eq!(by_model, [("a".to_owned(), Usage::new(14, 6)), ("b".to_owned(), cached + cached)]);
}

#[tokio::test]
async fn one_run_may_have_a_meter_of_its_own() {
    let mut automa = nested(scripted("a", Usage::new(1, 1), 2), scripted("a", Usage::new(2, 2), 2));
    let (all, one) = (UsageMeter::new(), UsageMeter::new());
    all.watch(&mut automa);
    one.watch_run(automa.run(args!("Hello?"))).outcome().await.unwrap();
    assert_eq!((all.usage().total(), one.usage().total()), (0, 6));
    automa.run(args!("Hello?")).output::<()>().await.unwrap();
    assert_eq!((all.usage().total(), one.usage().total()), (6, 6));
}

#[tokio::test]
async fn of_models_that_stand_in_for_each_other_the_one_that_replied_counts() {
    let away = ModelError::Connection { model: "a".into(), message: "it hung up".into() };
    let a = ScriptedModel::new().named("a").fails(away);
    let model = Fallback::new(a).or(scripted("b", Usage::new(1, 2), 1));
    let mut automa = GraphAutoma::new("ask");
    automa.add_worker("ask", ModelWorker::new(model), start()).unwrap();
    let meter = UsageMeter::new();
    meter.watch(&mut automa);
    automa.run(args!("Hello?")).output::<()>().await.unwrap();
    assert_eq!(meter.by_model().into_keys().collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn a_call_counts_even_if_its_worker_fails() {
    let mut automa = nested(scripted("a", Usage::new(1, 2), 1), scripted("b", Usage::new(1, 2), 0));
    let meter = UsageMeter::new();
    meter.watch(&mut automa);
    expect![[r#"automa `outer`, step 1: worker `middle` failed: automa `middle`, step 1: worker `middle/innermost` failed: automa `innermost`, step 1: worker `middle/innermost/ask` failed: model `b`, request 1: the script has only 0 replies; the last message is "Hello?""#]]
        .assert_eq(&automa.run(args!("Hello?")).output::<()>().await.unwrap_err().to_string());
    assert_eq!(meter.usage(), Usage::new(1, 2));
}

#[test]
fn tokens_have_a_price() {
    let price = Price::new(3.0, 15.0).cached_input(0.3);
    let usage = |input_tokens, cached_input_tokens, output_tokens| {
        Usage::new(input_tokens, output_tokens).cached_input(cached_input_tokens)
    };
    assert_eq!((price * usage(1_000_000, 0, 0)).to_string(), "3.0000");
    assert_eq!((price * usage(1_000_000, 1_000_000, 0)).to_string(), "0.3000");
    assert_eq!((price * usage(0, 0, 1_000)).to_string(), "0.0150");
    // A provider that counts more cached than read is taken at its lower word.
    assert_eq!((price * usage(0, 1_000_000, 0)).to_string(), "0.3000");
    let total: Cost = [price * usage(1_000_000, 0, 0); 3].into_iter().sum();
    assert_eq!(format!("{total:.1}"), "9.0");
}

#[test]
fn a_model_without_a_price_is_reported() {
    let meter = UsageMeter::new();
    assert_eq!(meter.cost([]).unwrap(), Cost(0.0));
    for model in ["a", "b", "c", "b"] {
        meter.clone().count(ModelCalled::new(model, Usage::new(1_000_000, 0)));
    }
    let price = Price::new(2.0, 0.0).cached_input(0.0);
    expect!["there is no price for `a`, `c`: give one; a price of zeros is allowed"]
        .assert_eq(&meter.cost([("b", price)]).unwrap_err().to_string());
    let cost = meter.cost([("a", price), ("b", price), ("c", Price::default())]).unwrap();
    assert_eq!(cost, Cost(6.0));
}
