//! The inbox of the local stack, and who may read it.

use axum::{
    body::Bytes,
    http::{Method, Request, StatusCode, header},
};
use http_body_util::Full;
use tests::{ALICE, TestApp};

#[tokio::test]
async fn a_page_that_rebinds_its_name_to_this_machine_can_neither_read_nor_clear_the_inbox() {
    let app = TestApp::start().await;
    app.receive_code(ALICE).await;
    let ask = async |method: Method, path: &str, host: &str| {
        let uri = format!("http://{}{path}", app.stack.inbox);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(header::HOST, host);
        app.send(request.body(Full::new(Bytes::new())).unwrap())
            .await
    };
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/api/messages"),
        (Method::GET, "/api/stream"),
        (Method::DELETE, "/api/messages"),
    ] {
        let answer = ask(method, path, "evil.example:8025").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert!(String::from_utf8_lossy(&answer.bytes).contains("localhost"));
    }
    for host in [
        "localhost:8025",
        "127.0.0.1:8025",
        "host.docker.internal:8025",
    ] {
        let answer = ask(Method::GET, "/api/messages", host).await;
        assert_eq!(answer.status, StatusCode::OK, "{host}");
        assert_eq!(answer.json.as_array().map(Vec::len), Some(1));
    }
}
