//! The program as a newcomer and a test suite use it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use std::{net::TcpListener, process::Stdio, time::Duration};

use axum::{body::Bytes, http::Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

const PATIENCE: Duration = Duration::from_mins(1);

fn program(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    for variable in ["API_ADDR", "INBOX_ADDR", "AWS_ADDR", "WEB_ADDR"] {
        command.env(variable, "127.0.0.1:0");
    }
    command.envs(variables.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true);
    command
}

/// A program that serves, and its first two addresses.
struct Running {
    child: Child,
    api: String,
    inbox: String,
}

impl Running {
    async fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = program(variables).spawn().expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut addresses = Vec::new();
        for name in ["api ", "inbox "] {
            let line = timeout(PATIENCE, stdout.next_line()).await;
            let line = line.expect("a line in time").unwrap().expect("a line");
            addresses.push(line.strip_prefix(name).expect(name).to_owned());
        }
        // The rest of the output has a reader, or the program could not write it.
        tokio::spawn(async move { while let Ok(Some(_)) = stdout.next_line().await {} });
        let [api, inbox] = <[String; 2]>::try_from(addresses).unwrap();
        Self { child, api, inbox }
    }

    async fn login(&self, to: &str) -> (u16, Value) {
        let url = format!("{}/api/login-with-otp/", self.api);
        call("POST", &url, &json!({ "email": to })).await
    }

    /// The time of the stack.
    async fn advance(&self, body: &Value) -> (u16, Value) {
        call("POST", &format!("{}/api/clock", self.inbox), body).await
    }

    async fn reset(&self) {
        let url = format!("{}/api/limits", self.inbox);
        let (status, _) = call("DELETE", &url, &Value::Null).await;
        assert_eq!(status, 204);
    }
}

async fn call(method: &str, url: &str, body: &Value) -> (u16, Value) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let response = client.request(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn help_and_version_print_and_start_nothing_and_other_arguments_are_named() {
    for (argument, code, printed) in [
        ("--help", 0, "API_ADDR"),
        ("--version", 0, env!("CARGO_PKG_VERSION")),
        ("--port", 2, "unknown argument: --port"),
        ("serve", 2, "unknown argument: serve"),
    ] {
        let run = program(&[]).arg(argument).output();
        let output = timeout(PATIENCE, run).await.expect("it ends").unwrap();
        assert_eq!(output.status.code(), Some(code), "{argument}");
        let (told, silent) = if code == 0 {
            (output.stdout, output.stderr)
        } else {
            (output.stderr, output.stdout)
        };
        assert!(
            String::from_utf8_lossy(&told).contains(printed),
            "{argument}"
        );
        assert!(silent.is_empty(), "{argument}");
    }
}

#[tokio::test]
async fn a_port_that_is_in_use_is_named_with_the_variable_that_changes_it() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    for variable in ["API_ADDR", "INBOX_ADDR", "AWS_ADDR", "WEB_ADDR"] {
        let run = program(&[(variable, &address.to_string())]).output();
        let output = timeout(PATIENCE, run).await.expect("it ends").unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains(&format!("port {}", address.port())), "{told}");
        assert!(told.contains(variable), "{told}");
    }
}

#[tokio::test]
async fn a_test_suite_logs_in_as_often_as_it_likes() {
    let stack = Running::start(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    for number in 0..40 {
        let (status, _) = stack.login(&format!("user-{number}@example.com")).await;
        assert_eq!(status, 200, "login {number} of one client");
    }
    for number in 0..12 {
        let (status, _) = stack.login("often@example.com").await;
        assert_eq!(status, 200, "login {number} of one user");
    }
}

#[tokio::test]
async fn limits_hold_as_told_until_they_are_reset_and_codes_outlive_that() {
    let limits = [("SENDS_PER_HOUR", "2"), ("REQUESTS_PER_IP_PER_HOUR", "4")];
    let stack = Running::start(&limits).await;
    let to = "reset@example.com";
    let (status, sent) = stack.login(to).await;
    assert_eq!(status, 200);
    // The cooldown, which has its usual length.
    assert_eq!(stack.login(to).await.0, 429);
    stack.reset().await;
    assert_eq!(stack.login(to).await.0, 200);
    stack.reset().await;
    assert_eq!(stack.login(to).await.0, 200);

    let messages = format!("{}/api/messages?to={to}", stack.inbox);
    let (_, messages) = call("GET", &messages, &Value::Null).await;
    assert_eq!(messages.as_array().map(Vec::len), Some(3));
    let first = &messages[2]["code"];
    let claim = json!({ "email": to, "otp": first, "challenge_id": sent["challenge_id"] });
    let url = format!("{}/api/validate-otp/", stack.api);
    assert_eq!(call("POST", &url, &claim).await.0, 200);

    for number in 0..3 {
        let (status, _) = stack.login(&format!("other-{number}@example.com")).await;
        assert_eq!(status, 200);
    }
    assert_eq!(stack.login("other-3@example.com").await.0, 429);
    stack.reset().await;
    assert_eq!(stack.login("other-3@example.com").await.0, 200);
}

#[tokio::test]
async fn the_clock_moves_for_cooldowns_codes_tokens_and_the_inbox() {
    let stack = Running::start(&[("REFRESH_TTL_SECONDS", "3600")]).await;
    let to = "later@example.com";
    let claims = async || {
        let url = format!("{}/api/messages?to={to}", stack.inbox);
        let (_, messages) = call("GET", &url, &Value::Null).await;
        (json!({ "email": to, "otp": messages[0]["code"] }), messages)
    };
    let validate = format!("{}/api/validate-otp/", stack.api);
    let refresh = format!("{}/api/token/refresh/", stack.api);

    assert_eq!(stack.login(to).await.0, 200);
    assert_eq!(stack.login(to).await.0, 429);
    let (status, before) = stack.advance(&json!({ "advance": 30 })).await;
    assert_eq!(status, 200);
    assert_eq!(stack.login(to).await.0, 200, "the cooldown is over");

    let (_, after) = stack.advance(&json!({ "advance": 600 })).await;
    let seconds = |answer: &Value| answer["now"].as_u64().unwrap();
    assert!(seconds(&after) - seconds(&before) >= 600);
    let (late, _) = claims().await;
    assert_eq!(
        call("POST", &validate, &late).await.0,
        400,
        "the code is old"
    );

    assert_eq!(stack.login(to).await.0, 200);
    let (in_time, messages) = claims().await;
    let times = [&messages[1]["sent_at"], &messages[0]["sent_at"]].map(Value::to_string);
    assert!(times[0] < times[1], "{times:?}");
    let (status, tokens) = call("POST", &validate, &in_time).await;
    assert_eq!(status, 200);
    let proof = json!({ "refresh_token": tokens["refresh_token"] });
    stack.advance(&json!({ "advance": 3601 })).await;
    assert_eq!(
        call("POST", &refresh, &proof).await.0,
        400,
        "the session is old"
    );
}

#[tokio::test]
async fn the_clock_understands_seconds_and_goes_forward_alone() {
    let stack = Running::start(&[]).await;
    for body in [
        json!({}),
        json!(60),
        json!(null),
        json!({ "advance": -1 }),
        json!({ "advance": 1.5 }),
        json!({ "advance": "60" }),
        json!({ "advance": null }),
        json!({ "advance": 60, "to": 1 }),
        json!({ "advance": u64::MAX }),
    ] {
        assert_eq!(stack.advance(&body).await.0, 400, "{body}");
    }
    assert_eq!(stack.advance(&json!({ "advance": 0 })).await.0, 200);
}

#[tokio::test]
async fn no_page_moves_the_clock() {
    let stack = Running::start(&[]).await;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(format!("{}/api/clock", stack.inbox))
        .header("origin", "https://example.org")
        .body(Full::new(Bytes::from_static(b"{\"advance\": 60}")))
        .unwrap();
    let answer = client.request(request).await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 403);
}

#[cfg(unix)]
#[tokio::test]
async fn a_container_sees_whether_it_serves_and_ends_it() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    drop(other);
    let healthy = async || {
        let run = program(&[("WEB_ADDR", &address)]).arg("--healthy").output();
        let output = timeout(PATIENCE, run).await.expect("it ends").unwrap();
        output.status.code()
    };
    assert_eq!(healthy().await, Some(1));
    let mut stack = Running::start(&[("WEB_ADDR", &address)]).await;
    while healthy().await != Some(0) {}
    let id = stack.child.id().unwrap().to_string();
    let kill = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(kill.unwrap().success());
    let ended = timeout(PATIENCE, stack.child.wait()).await;
    assert_eq!(ended.expect("it ends").unwrap().code(), Some(0));
}

#[tokio::test]
async fn the_stack_has_one_name_for_itself_and_answers_to_others() {
    let stack = Running::start(&[]).await;
    let path = "/.well-known/openid-configuration";
    for name in ["127.0.0.1", "localhost"] {
        let url = format!("{}{path}", stack.api.replace("127.0.0.1", name));
        let (status, document) = call("GET", &url, &Value::Null).await;
        assert_eq!(status, 200, "{name}");
        assert_eq!(document["issuer"], stack.api, "{name}");
    }
}

#[tokio::test]
async fn request_lines_are_text_for_people_and_json_for_programs() {
    for (format, expected) in [
        ("text", "login sent r***@e***.com "),
        ("json", "\"event\":\"login\",\"outcome\":\"sent\""),
        // A pipe is no terminal.
        ("", "\"event\":\"login\",\"outcome\":\"sent\""),
    ] {
        let mut stack = Running::start(&[("LOG_FORMAT", format)]).await;
        assert_eq!(stack.login("reader@example.com").await.0, 200);
        stack.child.start_kill().unwrap();
        let mut told = String::new();
        let mut stderr = stack.child.stderr.take().unwrap();
        stderr.read_to_string(&mut told).await.unwrap();
        assert!(told.contains(expected), "{format}: {told}");
        assert!(!told.contains("reader@"), "{format}");
        // What became of the message may be told, too.
        let requests = told.lines().filter(|line| !line.contains("report"));
        assert_eq!(requests.count(), 1, "{told}");
    }
}
