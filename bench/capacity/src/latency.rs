//! `cargo run -p capacity latency`: what each kind of request waits for, in order.

use std::{fmt::Write, net::Ipv4Addr};

use local::functions::Functions;
use otp_edge::route::Route;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    aws::Call,
    deployment::{Answer, Deployment, Request, code, on_a_standing_clock},
};

const EMAIL: &str = "email";
const PHONE: &str = "phone_number";
const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";

/// The Markdown table of all requests, each at a warm instance without any conflict.
pub fn table() -> Result<String, String> {
    on_a_standing_clock(rows()).map(|rows| {
        let head = [
            "| request | waits for, in order, ms | ms |",
            "|---|---|---|",
        ];
        let lines = head.into_iter().map(str::to_owned).chain(rows);
        lines.map(|line| line + "\n").collect()
    })
}

async fn rows() -> Result<Vec<String>, String> {
    let client = Client::of("sign-up").await?;
    let concealed = Client::of("conceal").await?;
    let mut rows = Vec::new();
    for (name, client, member, to) in [
        ("login by e-mail", &client, EMAIL, "a@example.com"),
        ("login by text message", &client, PHONE, "+15550000001"),
        (
            "login under `conceal`, until its answer",
            &concealed,
            EMAIL,
            "b@example.com",
        ),
    ] {
        let body = json!({ member: to });
        rows.push(client.row(name, Route::Login, &body, None, 200).await?);
    }
    for (name, to, key, named) in [
        ("validation", "c@example.com", None, true),
        (
            "validation with an `Idempotency-Key`",
            "d@example.com",
            Some(KEY),
            true,
        ),
        (
            "validation without `challenge_id`",
            "e@example.com",
            None,
            false,
        ),
    ] {
        let body = client.guess(to, named).await;
        rows.push(client.row(name, Route::Validate, &body, key, 200).await?);
    }
    let mut wrong = client.guess("f@example.com", true).await;
    wrong["otp"] = json!(if wrong["otp"] == "000000" {
        "111111"
    } else {
        "000000"
    });
    let name = "validation of a wrong code";
    rows.push(client.row(name, Route::Validate, &wrong, None, 400).await?);
    let login = client.guess("g@example.com", true).await;
    let login = client.send(Route::Validate, &login, None).await;
    let body = json!({ "refresh_token": login.body["refresh_token"] });
    rows.push(
        client
            .row("refresh", Route::Refresh, &body, None, 200)
            .await?,
    );
    Ok(rows)
}

/// Somebody who sends one request after the other.
struct Client {
    deployment: Deployment,
    functions: Functions,
}

impl Client {
    async fn of(unknown_users: &str) -> Result<Self, String> {
        let deployment = Deployment::start(1, unknown_users)?;
        let functions = deployment.instance().await;
        Ok(Self {
            deployment,
            functions,
        })
    }

    async fn send(&self, route: Route, body: &Value, key: Option<&str>) -> Answer {
        let client = Ipv4Addr::LOCALHOST;
        let request = Request {
            route,
            body,
            key,
            client,
        };
        request.send(&self.functions).await
    }

    /// Logs in; returns the body of the validation.
    async fn guess(&self, to: &str, named: bool) -> Value {
        let login = self.send(Route::Login, &json!({ EMAIL: to }), None).await;
        let mut body = json!({ EMAIL: to, "otp": code(&self.deployment.inbox, to) });
        if named {
            body["challenge_id"] = login.body["challenge_id"].clone();
        }
        body
    }

    /// Sends a request; returns its row.
    async fn row(
        &self,
        name: &str,
        route: Route,
        body: &Value,
        key: Option<&str>,
        status: u16,
    ) -> Result<String, String> {
        self.deployment.aws.take_calls();
        let answer = self.send(route, body, key).await;
        let answered = Instant::now();
        if answer.status != status {
            return Err(format!("{name}: {} {}", answer.status, answer.body));
        }
        // What follows the answer is still on its way, and is not recorded yet.
        let calls = self.deployment.aws.take_calls();
        let before = calls.into_iter().filter(|call| call.ended <= answered);
        let waits = waits(before.collect());
        let millis = answer.after.as_millis();
        self.functions.settle().await;
        Ok(format!("| {name} | {waits} | {millis} |"))
    }
}

/// Calls in order. Those that overlap are joined.
fn waits(mut calls: Vec<Call>) -> String {
    calls.sort_by_key(|call| (call.began, call.ended));
    let mut told = String::new();
    let mut busy_until = None;
    for call in calls {
        let overlaps = busy_until.is_some_and(|until| call.began < until);
        told += match busy_until {
            None => "",
            Some(_) if overlaps => " ∥ ",
            Some(_) => ", ",
        };
        let millis = call.ended.duration_since(call.began).as_millis();
        let _ = write!(told, "{} {millis}", call.what);
        busy_until = busy_until.max(Some(call.ended));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_that_overlap_are_joined() {
        let start = Instant::now();
        let call = |what, began, ended| Call {
            what,
            began: start + Duration::from_millis(began),
            ended: start + Duration::from_millis(ended),
        };
        let calls = vec![call("write", 8, 16), call("read", 0, 8), call("KMS", 9, 21)];
        assert_eq!(waits(calls), "read 8, write 8 ∥ KMS 12");
    }
}
