//! What the model is asked, as it arrives at a server of chat completions.

use serde_json::{Value, json};

use crate::fixture::{Client, Local, Upstream};

/// Waits for the end of a run.
async fn ended(client: &Client, run: &Value) -> Value {
    let (thread, id) = (run["thread_id"].as_str().unwrap(), run["id"].as_str().unwrap());
    let path = format!("/v1/threads/{thread}/runs/{id}");
    loop {
        let run = client.get(&path).await.ok();
        if !["queued", "in_progress"].contains(&run["status"].as_str().unwrap()) {
            return run;
        }
    }
}

/// A function with this schema.
fn function(strict: &Value) -> Value {
    let parameters = json!({
        "type": "object", "properties": { "city": { "type": "string" } },
        "required": ["city"], "additionalProperties": false,
    });
    json!({ "type": "function", "function": {
        "name": "weather", "description": "The weather.", "parameters": parameters, "strict": strict,
    } })
}

/// [assistants run 2.7] [assistants run 2.8] [assistants run 5.3] All settings of a run are shown as they were given, and reach the
/// model. A reply is always streamed, and its usage asked for, whatever the request says.
#[tokio::test]
async fn settings_of_a_run_reach_the_model() {
    let upstream = Upstream::start([]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let schema = json!({ "type": "object", "properties": { "answer": { "type": "string" } },
        "required": ["answer"], "additionalProperties": false });
    let format = json!({ "type": "json_schema", "json_schema": {
        "name": "answer", "schema": schema, "strict": true,
    } });
    let named = json!({ "type": "function", "function": { "name": "weather" } });
    let settings = json!({
        "temperature": 0, "top_p": 0, "reasoning_effort": "high", "response_format": format,
        "parallel_tool_calls": false, "max_completion_tokens": 77, "tool_choice": named,
        "tools": [function(&json!(true))], "extra_body": { "seed": 7, "user": "ada" },
        "stream_options": { "include_usage": false }, "metadata": { "k": "v" },
    });
    let assistant = client.post("/v1/assistants", &json!({ "model": "scripted" })).await.ok();
    let mut body = settings.clone();
    body["assistant_id"] = assistant["id"].clone();
    body["thread"] = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    let run = client.post("/v1/threads/runs", &body).await.ok();
    for (name, value) in settings.as_object().unwrap() {
        if name == "stream_options" {
            continue;
        }
        let same = match (value.as_f64(), run[name].as_f64()) {
            (Some(given), Some(shown)) => given == shown,
            _ => run[name] == *value,
        };
        assert!(same, "{name} is shown as {}", run[name]);
    }
    ended(&client, &run).await;
    let asked = &upstream.asked()[0].body;
    let expected = json!({
        "stream": true, "stream_options": { "include_usage": true }, "temperature": 0.0, "top_p": 0.0,
        "reasoning_effort": "high", "response_format": format, "parallel_tool_calls": false,
        "tool_choice": named, "seed": 7, "user": "ada",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(asked[name], *value, "{name} of {asked}");
    }
    let limit = ["max_completion_tokens", "max_tokens"].map(|name| &asked[name]);
    assert!(limit.contains(&&json!(77)), "{asked}");
}

/// [assistants run 5.1] An assistant's settings are those of its runs; what a run sets wins.
#[tokio::test]
async fn settings_of_an_assistant_reach_the_model() {
    let upstream = Upstream::start([]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let assistant = json!({
        "model": "scripted", "temperature": 0.5, "top_p": 0, "reasoning_effort": "low",
        "response_format": { "type": "json_object" }, "tools": [function(&Value::Null)],
    });
    let assistant = client.post("/v1/assistants", &assistant).await.ok();
    let thread = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    for own in [json!({}), json!({ "temperature": 0, "reasoning_effort": "high", "tools": [] })] {
        let mut body = own;
        body["assistant_id"] = assistant["id"].clone();
        body["thread"] = thread.clone();
        let run = client.post("/v1/threads/runs", &body).await.ok();
        ended(&client, &run).await;
    }
    let [first, second] = upstream.asked().try_into().unwrap();
    let of = |body: &Value| {
        let names = ["temperature", "top_p", "reasoning_effort", "response_format"];
        names.map(|name| body[name].clone())
    };
    let object = json!({ "type": "json_object" });
    assert_eq!(of(&first.body), [json!(0.5), json!(0.0), json!("low"), object.clone()]);
    assert_eq!(of(&second.body), [json!(0.0), json!(0.0), json!("high"), object]);
    assert_eq!(first.body["tools"][0]["function"]["name"], "weather");
    assert!(second.body.get("tools").is_none_or(|tools| *tools == json!([])), "{}", second.body);
}

/// [assistants run 5.3] `strict` of a function is sent as it was given, or left out as it was.
#[tokio::test]
async fn strict_functions_are_strict_for_the_model() {
    for strict in [json!(true), json!(false), Value::Null] {
        let upstream = Upstream::start([]).await;
        let local = Local::on(&upstream).await;
        let client = local.client();
        let body = json!({ "model": "scripted", "tools": [function(&strict)] });
        let assistant = client.post("/v1/assistants", &body).await.ok();
        let shown = &assistant["tools"][0]["function"];
        assert_eq!(shown.get("strict").unwrap_or(&Value::Null), &strict, "{assistant}");
        let thread = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
        let body = json!({ "assistant_id": assistant["id"], "thread": thread });
        let run = client.post("/v1/threads/runs", &body).await.ok();
        ended(&client, &run).await;
        let mut tool = function(&strict)["function"].clone();
        let body = json!({ "model": "scripted", "input": "Hello", "tools": [{
            "type": "function", "name": tool["name"], "description": tool["description"],
            "parameters": tool["parameters"], "strict": strict,
        }] });
        client.post("/v1/responses", &body).await.ok();
        if strict.is_null() {
            tool.as_object_mut().unwrap().remove("strict");
        }
        for asked in upstream.asked() {
            assert_eq!(asked.body["tools"], json!([{ "type": "function", "function": tool }]));
        }
        assert_eq!(upstream.asked().len(), 2);
    }
}

/// [assistants run 5.3] [assistants run 7.2] `detail` of an image is shown and sent as it was given.
#[tokio::test]
async fn images_have_the_detail_that_they_were_given() {
    let upstream = Upstream::start([]).await;
    let local = Local::on(&upstream).await;
    let client = local.client();
    let png = b"\x89PNG\r\n\x1a\n";
    let file = client.upload("a.png", "vision", png).await;
    let url = "https://example.org/b.png";
    let image_url = |detail: Option<&str>| match detail {
        Some(detail) => json!({ "url": url, "detail": detail }),
        None => json!({ "url": url }),
    };
    let content = json!([
        { "type": "text", "text": "What is it?" },
        { "type": "image_url", "image_url": image_url(Some("low")) },
        { "type": "image_url", "image_url": image_url(Some("high")) },
        { "type": "image_url", "image_url": image_url(None) },
        { "type": "image_file", "image_file": { "file_id": file, "detail": "low" } },
    ]);
    let assistant = client.post("/v1/assistants", &json!({ "model": "scripted" })).await.ok();
    let thread = json!({ "messages": [{ "role": "user", "content": content }] });
    let body = json!({ "assistant_id": assistant["id"], "thread": thread });
    let run = client.post("/v1/threads/runs", &body).await.ok();
    assert_eq!(ended(&client, &run).await["status"], "completed");
    let path = format!("/v1/threads/{}/messages?order=asc", run["thread_id"].as_str().unwrap());
    let shown = client.get(&path).await.ok()["data"][0]["content"].clone();
    for (place, detail) in [(1, json!("low")), (2, json!("high"))] {
        assert_eq!(shown[place]["image_url"]["detail"], detail, "{shown}");
    }
    assert_eq!(shown[4]["image_file"]["detail"], "low");

    let input = json!([{ "role": "user", "content": [
        { "type": "input_image", "image_url": url, "detail": "low" },
    ] }]);
    client.post("/v1/responses", &json!({ "model": "scripted", "input": input })).await.ok();
    let asked: Vec<_> = upstream.asked().into_iter().map(|asked| asked.body).collect();
    let details = |body: &Value| -> Vec<Value> {
        let parts = body["messages"][0]["content"].as_array().unwrap().iter();
        parts
            .filter(|part| part["type"] == "image_url")
            .map(|part| part["image_url"]["detail"].clone())
            .collect()
    };
    let [low, high, none, of_file] = &details(&asked[0])[..] else { panic!("{}", asked[0]) };
    assert_eq!((low, high, of_file), (&json!("low"), &json!("high"), &json!("low")));
    // A provider takes nothing for `auto`.
    assert!([Value::Null, json!("auto")].contains(none), "{none}");
    assert_eq!(details(&asked[1]), [json!("low")]);
}
