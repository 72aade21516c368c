//! The program as `cargo run -p local` starts it, with all logging turned on.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

use std::{process::Stdio, time::Duration};

use axum::{
    body::Bytes,
    http::{Request, response::Parts},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{ChildStdout, Command},
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

/// The address in the next line that the program prints.
async fn address(name: &str, stdout: &mut Lines<BufReader<ChildStdout>>) -> String {
    let line = tokio::time::timeout(Duration::from_mins(1), stdout.next_line()).await;
    let line = line.expect("a line in time").unwrap().expect("a line");
    let (label, address) = line.split_once(' ').expect("a name and an address");
    assert_eq!(label, name);
    address.to_owned()
}

/// Without a body, for answers that are no JSON.
async fn send(method: &str, url: &str, headers: &[(&str, &str)]) -> (Parts, String) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = client
        .request(request.body(Full::new(Bytes::new())).unwrap())
        .await
        .expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a whole answer").to_bytes();
    (parts, String::from_utf8_lossy(&bytes).into_owned())
}

/// The page names the API, its policy lets it call only that, and the API lets it in by either
/// of its names.
async fn the_page_may_call_the_api(web: &str, api: &str) {
    for name in ["127.0.0.1", "localhost"] {
        let own = |address: &str| address.replace("127.0.0.1", name);
        let host = own(web).replace("http://", "");
        let (page, html) = send("GET", web, &[("host", host.as_str())]).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains(&format!("connect-src {};", own(api))));
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
        assert!(html.contains(&format!("api=\"{}\"", own(api))));
        assert!(!html.contains('{'), "a place of the page was not filled");

        let url = format!("{api}/api/login-with-otp/");
        let origin = own(web);
        let headers = [
            ("origin", origin.as_str()),
            ("access-control-request-method", "POST"),
        ];
        let (preflight, _) = send("OPTIONS", &url, &headers).await;
        let allowed = &preflight.headers["access-control-allow-origin"];
        assert_eq!(allowed.to_str().unwrap(), origin);
    }
    for (path, kind) in [
        ("/sign-in.js", "text/javascript; charset=utf-8"),
        ("/languages/ar.js", "text/javascript; charset=utf-8"),
        ("/page/page.css", "text/css; charset=utf-8"),
    ] {
        let (file, text) = send("GET", &format!("{web}{path}"), &[]).await;
        assert_eq!(file.headers["content-type"], kind);
        assert!(!text.is_empty());
    }
    let (missing, _) = send("GET", &format!("{web}/package.json"), &[]).await;
    assert_eq!(missing.status.as_u16(), 404);
}

#[tokio::test]
async fn the_program_prints_where_it_listens_and_never_a_secret_even_at_trace() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    for variable in ["API_ADDR", "INBOX_ADDR", "AWS_ADDR", "WEB_ADDR"] {
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
    for name in ["api", "inbox", "aws", "web"] {
        addresses.push(address(name, &mut stdout).await);
    }
    let (api, inbox, web) = (&addresses[0], &addresses[1], &addresses[3]);
    the_page_may_call_the_api(web, api).await;

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
    let reports = printed.matches("\"event\":\"report\"").count();
    assert_eq!(
        printed.matches("\"outcome\"").count() - reports,
        4,
        "not one log line for each request"
    );
    for secret in secrets {
        assert!(!printed.contains(&secret), "the program printed a secret");
    }
}
