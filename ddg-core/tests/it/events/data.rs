//! Events are data that can be serialised.

use std::time::Duration;

use ddg_core::event::{Event, EventFilter};
use ddg_core::prelude::*;
use expect_test::expect;
use futures::StreamExt;

/// [V1]
#[tokio::test(start_paused = true)]
async fn an_event_is_data_with_the_time_since_the_run_began() {
    let mut inner = GraphAutoma::new("inner");
    let work = async |cx: Context| {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        cx.emit("opaque", Opaque::new(0_u8));
        Opaque::new(String::new())
    };
    inner.add_func_as_worker("work", work, start()).unwrap();
    let mut automa = GraphAutoma::new("timed");
    automa.add_worker("inner", inner, start()).unwrap();
    let prepared = automa.run(());
    tokio::time::sleep(Duration::from_secs(10)).await;
    let events = prepared.events(EventFilter::all().within(["inner"]).of_worker("work"));
    prepared.outcome().await.unwrap();
    let mut written = String::new();
    for event in events.map(Result::unwrap).collect::<Vec<_>>().await {
        let json = serde_json::to_string(&event).unwrap();
        let read: Event = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        written += &format!("{json}\n");
    }
    expect![[r#"
        {"number":4,"automa":["inner"],"step":1,"at":{"secs":0,"nanos":0},"kind":"step_started","kickoffs":[{"worker":"work","kickoff":0,"cause":"start"}]}
        {"number":5,"automa":["inner"],"step":1,"at":{"secs":0,"nanos":0},"kind":"worker_started","worker":"work","kickoff":0}
        {"number":6,"automa":["inner"],"step":1,"at":{"secs":1,"nanos":500000000},"kind":"custom","worker":"work","kickoff":0,"name":"opaque","data":"<Opaque<u8>>"}
        {"number":7,"automa":["inner"],"step":1,"at":{"secs":1,"nanos":500000000},"kind":"worker_finished","worker":"work","kickoff":0,"output":"<Opaque<String>>"}
        {"number":8,"automa":["inner"],"step":1,"at":{"secs":1,"nanos":500000000},"kind":"step_settled","outputs":[{"worker":"work","output":"<Opaque<String>>"}]}
    "#]].assert_eq(&written);
}
