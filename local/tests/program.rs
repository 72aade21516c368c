//! The program as `cargo run -p local` starts it, with all logging turned on.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use std::{process::Stdio, time::Duration};

use axum::{body::Bytes, http::Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

async fn call(method: &str, url: String, body: Option<Value>) -> Value {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("content-type", "application/json")
        .body(Full::new(
            body.map_or_else(Bytes::new, |body| body.to_string().into()),
        ))
        .unwrap();
    let response = client.request(request).await.expect("an answer");
    let bytes = response
        .into_body()
        .collect()
        .await
        .expect("a whole answer")
        .to_bytes();
    serde_json::from_slice(&bytes).expect("JSON")
}

#[tokio::test]
async fn the_program_prints_where_it_listens_and_never_a_secret_even_at_trace() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    for variable in ["API_ADDR", "INBOX_ADDR", "AWS_ADDR"] {
        command.env(variable, "127.0.0.1:0");
    }
    let mut program = command
        .env("RUST_LOG", "trace")
        .env("AWS_LAMBDA_LOG_LEVEL", "TRACE")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut stdout = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut stderr = program.stderr.take().unwrap();

    let mut addresses = Vec::new();
    for name in ["api", "inbox", "aws"] {
        let line = tokio::time::timeout(Duration::from_mins(1), stdout.next_line()).await;
        let line = line.expect("a line in time").unwrap().expect("a line");
        let (label, address) = line.split_once(' ').expect("a name and an address");
        assert_eq!(label, name);
        addresses.push(address.to_owned());
    }
    let (api, inbox) = (&addresses[0], &addresses[1]);

    let mut secrets = Vec::new();
    for (member, to) in [
        ("email", "trace@example.com"),
        ("phone_number", "+14155550199"),
    ] {
        let sent = call(
            "POST",
            format!("{api}/api/login-with-otp/"),
            Some(json!({ member: to })),
        )
        .await;
        let messages = call("GET", format!("{inbox}/api/messages?to={to}"), None).await;
        let code = messages[0]["code"]
            .as_str()
            .expect("a code came")
            .to_owned();
        let claim = json!({ member: to, "otp": code, "challenge_id": sent["challenge_id"] });
        let login = call("POST", format!("{api}/api/validate-otp/"), Some(claim)).await;
        let token = login["token"].as_str().expect("a token").to_owned();
        secrets.extend([to.to_owned(), token]);
        // Six digits alone occur by chance in fractions of a second.
        secrets.extend([format!("{code} is your"), format!("\"{code}\"")]);
    }

    program.start_kill().expect("the program is still running");
    let mut printed = Vec::new();
    stderr.read_to_end(&mut printed).await.unwrap();
    while let Ok(Some(line)) = stdout.next_line().await {
        printed.extend(line.bytes());
    }
    let printed = String::from_utf8_lossy(&printed);
    assert_eq!(
        printed.matches("\"outcome\"").count(),
        4,
        "not one log line for each request"
    );
    for secret in secrets {
        assert!(!printed.contains(&secret), "the program printed a secret");
    }
}
