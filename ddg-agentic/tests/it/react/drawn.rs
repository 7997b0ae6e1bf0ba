//! An agent's graph is drawn like any other: as declared, as grown, and as a timeline.

use ddg_agentic::prelude::*;
use ddg_core::render::History;
use expect_test::expect;

use super::{add, adding};

fn agent(options: ToolOptions) -> TypedAutoma<AgentOutcome> {
    let model = ScriptedModel::new()
        .calls([adding("a", 1, 2), adding("b", 3, 4)])
        .calls([adding("c", 3, 7)])
        .text("3 and 7 are 10");
    let tools = Toolbox::builder().with_options(add::tool(), options).build().unwrap();
    ReActAutoma::new(model).name("adder").tools(tools).build().unwrap()
}

#[tokio::test]
async fn declared_and_grown() {
    let agent = agent(ToolOptions::new().approval());
    expect![[r#"
        ---
        title: "adder"
        ---
        flowchart TD
            n0(["begin"])
            n1["think"]
            n2[["finish"]]
            n3["collect<br/>not placed"]
            n4["take_back<br/>not placed"]
            n5["summarise<br/>not placed"]
            n0 --> n1
            n1 -. "may ferry" .-> n2
            n1 -. "may place" .-> n3
            n1 -. "may place" .-> n4
            n1 -. "may place" .-> n5
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n2 output
            classDef detached stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3
            class n3,n4,n5 detached
    "#]]
    .assert_eq(&agent.to_mermaid());
    let paused = agent.run(args!("1 + 2 and 3 + 4?")).outcome().await.unwrap();
    expect![[r##"
        ---
        title: "adder"
        ---
        flowchart TD
            n0(["begin"])
            n1["think"]
            n2[["finish"]]
            n3["#43; tool_add_1_1"]
            n4["#43; tool_add_1_2"]
            n5["#43; collect"]
            n0 --> n1
            n3 --> n5
            n4 --> n5
            n1 -. "may ferry" .-> n2
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n2 output
            classDef added stroke:#ef6c00,stroke-width:2px
            class n3,n4,n5 added
    "##]]
    .assert_eq(&paused.to_mermaid());
}

/// The tools of both turns lead to `collect`, which is placed and removed in each.
#[tokio::test(start_paused = true)]
async fn what_ran_when() {
    let (mut agent, history) = (agent(ToolOptions::new()), History::new());
    agent.add_callback(history.clone());
    let outcome = agent.run(args!("1 + 2 and 3 + 4?")).outcome().await.unwrap();
    let svg = history.to_svg();
    assert!(svg.contains("10 kickoffs of 7 workers in 9 steps"), "{svg}");
    for worker in
        ["begin", "think", "tool_add_1_1", "tool_add_1_2", "tool_add_2_1", "collect", "finish"]
    {
        assert!(svg.contains(worker), "{worker}: {svg}");
    }
    expect![[r#"
        ---
        title: "adder"
        ---
        flowchart TD
            n0(["begin"])
            n1["think"]
            n2[["finish"]]
            n3["tool_add_1_1<br/>removed"]
            n4["tool_add_1_2<br/>removed"]
            n5["collect<br/>removed"]
            n6["tool_add_2_1<br/>removed"]
            n0 --> n1
            n3 --> n5
            n4 --> n5
            n6 --> n5
            n1 -. "ferry" .-> n3
            n1 -. "ferry" .-> n4
            n1 -. "ferry" .-> n6
            n1 -. "ferry" .-> n2
            n5 -. "ferry ×2" .-> n1
            classDef start stroke:#43a047,stroke-width:2px
            class n0 start
            classDef output stroke:#1e88e5,stroke-width:3px
            class n2 output
            classDef removed stroke:#8a8f98,stroke-width:2px,stroke-dasharray:4 3
            class n3,n4,n5,n6 removed
    "#]]
    .assert_eq(&outcome.drawing().with(&history).to_mermaid());
}
