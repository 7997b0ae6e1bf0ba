//! A help desk with guardrails: card numbers are removed, a person approves what is dear, and the
//! desk hands the conversation over to an agent that may pay.
//!
//! The models are scripted, so it runs without a network and says the same each time.

use ddg_agentic::hook::{Approve, BeforeTool, Hook, HookEvent, HookRun, Redact, ToolUse};
use ddg_agentic::prelude::*;
use ddg_agentic::react::{HandedOver, Handoff};
use ddg_agentic::tool::Approval;
use ddg_core::event::{EventFilter, EventKind, EventStream};
use serde_json::json;

/// Returns money.
#[tool]
async fn refund(
    /// The order.
    order: u32,
    /// How much, in euros.
    euros: u32,
) -> String {
    format!("{euros} euros returned for order {order}")
}

/// Returns nothing for orders of others.
struct OwnOrders;

impl Hook for OwnOrders {
    fn name(&self) -> &str {
        "own_orders"
    }

    fn passes_pieces(&self) -> bool {
        true
    }

    async fn before_tool(&self, call: &ToolUse, _: &HookRun) -> Result<BeforeTool, WorkerError> {
        Ok(match call.arguments["order"].as_u64() {
            Some(7) | None => BeforeTool::Go,
            Some(_) => BeforeTool::refuse("Ada has only ordered no. 7"),
        })
    }
}

/// Replaces each digit of a long number.
fn without_cards(text: &str) -> String {
    let hide = |word: &str| match word.chars().filter(char::is_ascii_digit).count() {
        12.. => word.replace(|c: char| c.is_ascii_digit(), "*"),
        _ => word.to_owned(),
    };
    text.split(' ').map(hide).collect::<Vec<_>>().join(" ")
}

fn desk() -> Result<ReActAutoma, Box<dyn std::error::Error>> {
    let give_back = |id: &str, order: u32, euros: u32| {
        ToolCall::new(id, "refund", json!({ "order": order, "euros": euros }))
    };
    let transfer = json!({ "reason": "she wants her money back" });
    let desk = ScriptedModel::new().calls([ToolCall::new("c1", "transfer_to_refunds", transfer)]);
    let refunds = ScriptedModel::new()
        .calls([give_back("c2", 8, 20), give_back("c3", 7, 250)])
        .text("Order 7 is paid back, to your card 4111111111111111.");
    let refunds = ReActAutoma::new(refunds)
        .name("refunds")
        .tools(Toolbox::builder().with(refund::tool()).build()?)
        .hook(OwnOrders);
    Ok(ReActAutoma::new(desk)
        .name("desk")
        .hook(Redact::new("card_numbers", without_cards))
        .hook(Approve::when("more than 100 euros", |call| {
            call.arguments["euros"].as_u64() > Some(100)
        }))
        .handoff(Handoff::to(refunds).description("Money back.")))
}

/// Prints what hooks decide and who has the conversation.
async fn print(mut events: EventStream) {
    while let Some(Ok(event)) = events.next().await {
        let EventKind::Custom { name, data, .. } = &event.kind else { continue };
        if let (HookEvent::NAME, Ok(HookEvent { hook, at, decision, .. })) = (&**name, data.get()) {
            println!("  hook      {hook} {at}: {decision:?}");
        } else if let (HandedOver::NAME, Ok(HandedOver { from, to, reason, .. })) =
            (&**name, data.get())
        {
            println!("  handoff   {from} -> {to}: {reason}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let agent = Agent::new(desk()?)?;
    let said = "Give me my money back for order 7, my card is 4111111111111111.";
    println!("Ada         {said}");
    let run = agent.say("ada", said);
    let events = run.events(EventFilter::all());
    let paused = run.await?;
    print(events).await;

    let Said::Paused { outcome, .. } = paused else { return Err("nobody was asked".into()) };
    let question = outcome.questions().remove(0);
    let Approval { tool, arguments, reason, .. } = question.content.get()?;
    println!("  question  {tool} {arguments}? ({reason})");
    println!("a person    allow");
    let run = agent.answer("ada", &question.id, Verdict::Allow);
    let events = run.events(EventFilter::all());
    let ended = run.await?;
    print(events).await;

    let Said::Ended(outcome) = ended else { return Err("it asks again".into()) };
    for step in outcome.steps() {
        println!("  tool      {}: {}", step.call.name, step.result.content);
    }
    println!("{:<11} {}", outcome.agent, outcome.text());
    Ok(())
}
