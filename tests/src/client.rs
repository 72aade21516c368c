//! HTTP requests to a gateway, and what comes back.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use local::functions::Functions;
use serde_json::Value;

/// An HTTP client of one gateway. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    gateway: SocketAddr,
    http: HttpClient<HttpConnector, Full<Bytes>>,
    waits_for: Option<Arc<Functions>>,
}

impl Client {
    /// A client of the gateway at this address.
    #[must_use]
    pub fn of(gateway: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        // Otherwise the second of two small writes waits for the first one's acknowledgement.
        connector.set_nodelay(true);
        let http = HttpClient::builder(TokioExecutor::new()).build(connector);
        Self {
            gateway,
            http,
            waits_for: None,
        }
    }

    /// The same client, which also waits for the work that follows an answer of these functions.
    #[must_use]
    pub fn waiting_for(self, functions: &Arc<Functions>) -> Self {
        Self {
            waits_for: Some(Arc::clone(functions)),
            ..self
        }
    }

    /// The same client, which waits for answers only, as a real one does.
    #[must_use]
    pub fn hurried(&self) -> Self {
        Self {
            waits_for: None,
            ..self.clone()
        }
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.gateway)
    }

    /// Posts a JSON body, with more headers than that of its media type.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.request(Method::POST, path, &headers, body).await
    }

    /// Sends a request with these headers.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        self.send(request).await
    }

    /// Sends any request.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let answer = self.http.request(request).await;
        let (head, body) = answer.expect("the gateway answers").into_parts();
        let body = body.collect().await.expect("the answer is complete");
        if let Some(functions) = &self.waits_for {
            functions.settle().await;
        }
        Answer::new(head.status, head.headers, body.to_bytes())
    }
}

/// The answer to one request. It has no `Debug`, because it may hold tokens.
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Bytes,
    /// The body as JSON; null if it is not JSON.
    pub json: Value,
}

impl Answer {
    fn new(status: StatusCode, headers: HeaderMap, bytes: Bytes) -> Self {
        Self {
            status,
            headers,
            json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            bytes,
        }
    }

    pub(crate) fn from_function(answer: lambda_http::Response<lambda_http::Body>) -> Self {
        let (head, body) = answer.into_parts();
        Self::new(head.status, head.headers, Bytes::copy_from_slice(&body))
    }

    /// A member of the body that must be a string.
    #[must_use]
    #[track_caller]
    pub fn text(&self, member: &str) -> String {
        let text = self.json[member].as_str();
        text.expect("the member is a string").to_owned()
    }

    /// Checks status 200 and the headers of a JSON answer; returns the body.
    #[track_caller]
    pub fn assert_ok(&self) -> &Value {
        // A body with another status is a problem, which holds no secret.
        assert_eq!(self.status, StatusCode::OK, "{}", self.json);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
        &self.json
    }

    /// Checks that the answer is this problem: status, headers and members.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, name: &str) {
        let kind = format!("/problems/{name}");
        assert_eq!(self.json["type"], kind, "{}", self.json);
        assert_eq!(self.status.as_u16(), status, "{}", self.json);
        assert_eq!(self.json["status"], status);
        let media_type = &self.headers[header::CONTENT_TYPE];
        assert_eq!(media_type, "application/problem+json");
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
        assert!(self.json["title"].is_string());
        assert!(self.json["detail"].is_string());
        assert_eq!(self.json["error"], self.json["detail"]);
    }

    /// Checks that the answer is 429; returns the seconds to wait.
    #[track_caller]
    pub fn assert_too_many(&self) -> u64 {
        self.assert_problem(429, "too-many-requests");
        let wait = self.json["retry_after"].as_u64();
        let wait = wait.expect("the body says how long to wait");
        assert_eq!(self.headers[header::RETRY_AFTER], wait.to_string().as_str());
        wait
    }

    /// Checks that the answer is 503 and asks the client to try again.
    #[track_caller]
    pub fn assert_unavailable(&self) {
        self.assert_problem(503, "unavailable");
        assert!(self.headers.contains_key(header::RETRY_AFTER));
    }
}
