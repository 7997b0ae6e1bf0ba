//! The messages as JSON.

use ddg_agentic::riddles::{AgentMessage, RiddleSettings};
use serde_json::json;

/// [riddles 1]
#[test]
fn a_message_has_the_names_and_defaults_of_the_wire() {
    let message = AgentMessage::new("x * y =").id("a");
    let stage = json!({ "required": true, "finished": false });
    let expected = json!({
        "id": "a",
        "sub_ids": [],
        "riddle": { "context": "", "question": "x * y =", "solutions_before": [] },
        "solution": [],
        "data": [],
        "status": {
            "extract": stage, "solve": stage, "validate": stage, "trial": 0, "solved": false,
        },
        "contacts": 0,
    });
    assert_eq!(serde_json::to_value(&message).expect("JSON"), expected);
}

/// [riddles 1]
#[test]
fn solutions_of_older_writers_are_read_and_unknown_fields_are_kept() {
    let one = json!({ "solution": 42, "explanation": null, "mood": "sure" });
    let message = json!({
        "solution": one, "mood": 1, "riddle": { "question": "?", "mood": 2 },
        "data": [{ "type": "image", "file_plain": "a.png", "mood": 3 }],
        "status": { "mood": 4, "solve": { "required": false, "mood": 5 } },
    });
    let read: AgentMessage = serde_json::from_value(message).expect("it is read");
    assert_eq!(read.solution[0].solution, "42");
    let written = serde_json::to_value(&read).expect("JSON");
    assert_eq!(written["solution"][0]["mood"], "sure");
    let moods = [
        &written["mood"],
        &written["riddle"]["mood"],
        &written["data"][0]["mood"],
        &written["status"]["mood"],
        &written["status"]["solve"]["mood"],
    ];
    assert_eq!(moods, [1, 2, 3, 4, 5].map(|mood| json!(mood)).iter().collect::<Vec<_>>()[..]);
    let none: AgentMessage = serde_json::from_value(json!({ "solution": null })).expect("read");
    assert_eq!(none.solution, []);
}

/// [riddles 13]
#[test]
fn settings_are_read_from_variables_and_refused_by_name() {
    let read = |name: &'static str, value: &'static str| {
        let variable = move |asked: &str| (asked == name).then(|| value.to_owned());
        RiddleSettings::default().with_variables(variable)
    };
    let full = read("REQUIRE_FULL_EXTRACT", "true").expect("it is read");
    assert!(full.require_full_extract && !full.require_full_solve);
    assert_eq!(read("EXTRACT_DEADLINE", "1.5").expect("read").extract_deadline.as_millis(), 1500);
    assert_eq!(read("MAX_CONTACTS", "").expect("read"), RiddleSettings::default());
    let refused = [
        ("REQUIRE_FULL_SOLVE", "maybe", "`REQUIRE_FULL_SOLVE` is `maybe`: write `true` or `false`"),
        ("SOLUTION_MAX_TRIALS", "0", "`SOLUTION_MAX_TRIALS` is `0`: write a whole number from 1"),
        ("SOLVE_DEADLINE", "-1", "`SOLVE_DEADLINE` is `-1`: write a number of seconds above 0"),
        ("SOLUTION_COUNTING", "all", "`SOLUTION_COUNTING` is `all`: write `agent` or `distinct`"),
    ];
    for (name, value, message) in refused {
        assert_eq!(read(name, value).expect_err("refused").to_string(), message);
    }
    let defaults = RiddleSettings::default();
    assert_eq!((defaults.max_trials, defaults.max_contacts), (5, 100));
    assert_eq!(defaults.solve_deadline.as_secs(), 300);
}
