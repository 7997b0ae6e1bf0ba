//! Toolboxes are checked when they are built, and all faults are reported.

use ddg_agentic::tool::{AutomaTool, Tool, ToolOutput, ToolSpec};
use ddg_agentic::{Toolbox, tool};
use ddg_core::prelude::*;
use expect_test::expect;
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};

struct Own(ToolSpec);

impl Own {
    fn new(name: &str, description: &str, parameters: Json) -> Self {
        Self(ToolSpec::new(name, description, parameters))
    }
}

impl Tool for Own {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    fn call<'a>(
        &'a self,
        _: Json,
        _: &'a Context,
    ) -> BoxFuture<'a, Result<ToolOutput, WorkerError>> {
        Box::pin(async { Ok("own".into()) })
    }
}

/// One.
#[tool]
async fn one() {}

/// Two.
#[tool]
async fn two() {}

#[test]
fn tools_stay_in_their_order() {
    let object = json!({ "type": "object" });
    let tools = Toolbox::builder()
        .with(two::tool())
        .with(one::tool())
        .with_all(["b", "a"].map(|name| Own::new(name, "Own.", object.clone())))
        .build()
        .unwrap();
    let names: Vec<_> = tools.specs().iter().map(|spec| spec.name.clone()).collect();
    assert_eq!(names, ["two", "one", "b", "a"]);
    assert_eq!(tools.names().collect::<Vec<_>>(), names);
    assert_eq!(format!("{tools:?}"), r#"Toolbox["two", "one", "b", "a"]"#);
    assert!(tools.contains("one") && !tools.contains("three"));
}

#[test]
fn all_faults_are_reported_together() {
    let object = json!({ "type": "object" });
    let mut broken = GraphAutoma::new("broken");
    broken.add_func_as_worker("a", async |x: i64| x, after(["b"])).unwrap();
    let error = Toolbox::builder()
        .with(one::tool())
        .with(Own::new("look up", "Has a space.", object.clone()))
        .with(Own::new("", "Has no name.", object.clone()))
        .with(Own::new(&"x".repeat(65), "Is too long.", object.clone()))
        .with(Own::new("silent", " ", object))
        .with(Own::new("list", "Takes a list.", json!({ "type": "array" })))
        .with(Own::new("typo", "Has a typo.", json!({ "type": "object", "required": "city" })))
        .with(AutomaTool::of_one::<i64>("number", "Takes no object.", GraphAutoma::new("n")))
        .with(AutomaTool::new::<std::collections::BTreeMap<String, i64>>("broken", "Is.", broken))
        .with(one::tool())
        .build()
        .unwrap_err();
    expect![[r#"
        toolbox: 9 faults
        - no tool can be named `look up`: a name is 1 to 64 letters, digits, `_` and `-`
        - no tool can be named ``: a name is 1 to 64 letters, digits, `_` and `-`
        - no tool can be named `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx`: a name is 1 to 64 letters, digits, `_` and `-`
        - tool `silent` has no description: say what it does and when to use it
        - the parameters of tool `list` are not the JSON schema of an object: its `type` is not "object"
        - the parameters of tool `typo` are not the JSON schema of an object: required: "city" is not of type "array"
        - the parameters of tool `number` are not the JSON schema of an object: its `type` is not "object"
        - tool `broken`: automa `broken`: worker `a` depends on `b`, which does not exist; the workers are: `a`
        - two tools are named `one`: a model could not tell them apart; rename one"#]].assert_eq(&error.to_string());
}
