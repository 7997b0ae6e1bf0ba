//! Approval by condition and by category, and "always".

use ddg_agentic::hook::Approve;
use ddg_agentic::prelude::*;
use ddg_agentic::tool::Approval;
use expect_test::expect;

use super::{Paid, at_most_100, bank, paying};
use crate::react::lines;

fn dear() -> Approve {
    Approve::when("more than 10 euros", |call| call.arguments["euros"].as_u64() > Some(10))
}

fn paused(said: Said) -> Outcome {
    match said {
        Said::Paused { outcome, .. } => outcome,
        said => panic!("{said:?}"),
    }
}

fn ended(said: Said) -> AgentOutcome {
    match said {
        Said::Ended(outcome) => outcome,
        said => panic!("{said:?}"),
    }
}

#[tokio::test]
async fn a_person_is_asked_by_condition_among_concurrent_calls() {
    let paid = Paid::default();
    let model = ScriptedModel::new()
        .calls([paying("a", 5), paying("b", 50), paying("c", 60)])
        .text("Done.");
    let agent = Agent::new(ReActAutoma::new(model).tools(bank(&paid)).hook(dear())).unwrap();
    let outcome = paused(agent.say("ada", "Pay.").await.unwrap());
    assert_eq!(paid.all(), [5]);
    let questions = outcome.questions();
    let asked: Vec<Approval> = questions.iter().map(|q| q.content.get().unwrap()).collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].reason, "more than 10 euros");
    assert_eq!(asked[0].arguments["euros"], 50);
    paused(agent.answer("ada", &questions[0].id, Verdict::Allow).await.unwrap());
    let no = Verdict::Deny { reason: "too dear".into() };
    let outcome = ended(agent.answer("ada", &questions[1].id, no).await.unwrap());
    expect![[r#"
        user: Pay.
        model: [pay#a, pay#b, pay#c]
        result of pay#a: paid 5
        result of pay#b: paid 50
        error of pay#c: a person did not allow this call of `pay`: too dear
        model: Done."#]]
    .assert_eq(&lines(&outcome.conversation.messages));
    assert_eq!(paid.all(), [5, 50]);
}

/// The arguments of a person are no way around the other hooks.
#[tokio::test]
async fn hooks_decide_about_the_arguments_of_the_person_too() {
    let paid = Paid::default();
    let model = ScriptedModel::new().calls([paying("a", 50)]).text("Done.");
    let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(dear()).hook(at_most_100());
    let agent = Agent::new(agent).unwrap();
    let question = paused(agent.say("ada", "Pay.").await.unwrap()).questions().remove(0);
    let more = Verdict::AllowWith { arguments: serde_json::json!({ "euros": 500 }) };
    let outcome = ended(agent.answer("ada", &question.id, more).await.unwrap());
    assert!(lines(&outcome.conversation.messages).contains("refused by `at_most_100`"));
    assert_eq!(paid.all(), [0_u64; 0]);
}

#[tokio::test]
async fn always_holds_in_the_run_and_in_its_conversation_and_in_no_other() {
    let paid = Paid::default();
    let model = ScriptedModel::new()
        .calls([paying("a", 50)])
        .calls([paying("b", 60)])
        .text("Done.")
        .calls([paying("c", 70)])
        .text("Done again.")
        .calls([paying("d", 80)]);
    let agent = ReActAutoma::new(model).tools(bank(&paid)).hook(Approve::category("money"));
    let agent = Agent::new(agent).unwrap();
    let question = paused(agent.say("ada", "Pay.").await.unwrap()).questions().remove(0);
    let outcome = ended(agent.answer("ada", &question.id, Verdict::Always).await.unwrap());
    assert_eq!(outcome.text(), "Done.");
    assert_eq!(paid.all(), [50, 60]);
    let outcome = ended(agent.say("ada", "Pay again.").await.unwrap());
    assert_eq!(outcome.text(), "Done again.");
    assert_eq!(paid.all(), [50, 60, 70]);
    paused(agent.say("bob", "Pay.").await.unwrap());
    assert_eq!(paid.all(), [50, 60, 70]);
}

/// "Always" for the tool of one agent is not for the tool of the same name of another.
#[tokio::test]
async fn always_is_for_the_tool_of_one_agent() {
    let paid = Paid::default();
    let options = || ToolOptions::new().approval();
    let tools = |inside: Option<ddg_agentic::tool::AutomaTool>| {
        let tools = Toolbox::builder().with_options(super::pay::tool(), options());
        let tools = tools.state(paid.clone());
        tools.with_all(inside).build().unwrap()
    };
    let inner = ScriptedModel::new().calls([paying("i", 60)]).text("Inner done.");
    let inner = ReActAutoma::new(inner).tools(tools(None)).into_tool("helper", "Helps.").unwrap();
    let help = ToolCall::new("b", "helper", serde_json::json!({ "task": "Pay." }));
    let model = ScriptedModel::new().calls([paying("a", 50)]).calls([help]).text("Done.");
    let agent = Agent::new(ReActAutoma::new(model).tools(tools(Some(inner)))).unwrap();
    let question = paused(agent.say("ada", "Pay.").await.unwrap()).questions().remove(0);
    let outcome = paused(agent.answer("ada", &question.id, Verdict::Always).await.unwrap());
    assert_eq!(outcome.questions().len(), 1);
    assert_eq!(paid.all(), [50]);
}
