//! What those who operate the server read.

use ddg_server::Keys;

use crate::fixture::Local;

/// [assistants http 15] Health and figures need no key, and the figures name no tenant.
#[tokio::test]
async fn health_and_figures_need_no_key() {
    let local = Local::with(|builder| builder.keys(Keys::parse("sk-one").unwrap())).await;
    let client = local.client();
    assert_eq!(client.get("/healthz").await.ok()["status"], "ok");
    client.get("/v1/files").await.error(401, "authentication_error");
    client.key("sk-one").get("/v1/files").await.ok();
    client.key("sk-one").get("/nonsense/chosen/by/a/client").await.error(404, "not_found_error");

    let reply = client.get("/metrics").await;
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    for line in [
        "ddg_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1",
        "ddg_http_requests_total{method=\"GET\",route=\"/v1/files\",status=\"401\"} 1",
        "ddg_http_requests_total{method=\"GET\",route=\"/v1/files\",status=\"200\"} 1",
        "ddg_http_requests_total{method=\"GET\",route=\"other\",status=\"404\"} 1",
        "ddg_http_request_duration_seconds_count{route=\"/v1/files\"} 2",
        "ddg_http_requests_in_flight 1",
        "ddg_sse_streams 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("sk-one") && !text.contains("chosen"), "{text}");
}

/// [assistants command line 4] The configured model is listed.
#[tokio::test]
async fn the_configured_model_is_listed() {
    let local = Local::with(|builder| builder.model("org/small")).await;
    let client = local.client();
    let models = client.get("/v1/models").await.ok();
    assert_eq!(models["object"], "list");
    assert_eq!(models["data"][0]["id"], "org/small");
    assert_eq!(models["data"][0]["object"], "model");
    assert_eq!(client.get("/v1/models/org/small").await.ok(), models["data"][0]);
    let error = client.get("/v1/models/other").await.error(404, "not_found_error");
    assert_eq!(error["code"], "model_not_found");
}
