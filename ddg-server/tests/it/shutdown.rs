//! The end of the server.

use crate::fixture::Ddg;

/// [assistants command line] SIGTERM ends the server with the exit code 0, and so does Ctrl-C.
#[tokio::test]
async fn signals_end_the_server() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let ddg = Ddg::start(&folder, &["--model", "offline"]).await;
        ddg.client().get("/healthz").await.ok();
        let address = ddg.address;
        ddg.signal(signal).await;
        let (status, rest) = ddg.end().await;
        assert_eq!((status.code(), rest.as_str()), (Some(0), ""));
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }
}
