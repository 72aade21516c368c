//! Sends a story's requests to the service, disturbs them, and reads the answers.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tests::{Answer, CallFault, LOGIN, VALIDATE, destination, validation};

use super::{
    operations::{Disturbance, FaultEffect},
    rules::{Outcome, Request},
    runner::StoryRun,
};

impl StoryRun<'_> {
    pub fn inject(&self, disturbance: Disturbance) {
        let inbox = &self.app.stack.messages;
        inbox.set_refusing(disturbance.provider_refuses);
        if let Some((call, effect)) = disturbance.fault {
            let (fault, times) = match effect {
                FaultEffect::FirstReplyLost => (CallFault::ReplyDropped, 1),
                FaultEffect::EveryReplyLost => (CallFault::ReplyReplacedBy500, usize::MAX),
                FaultEffect::NothingDone => (CallFault::Http500, usize::MAX),
            };
            self.asked().faults.inject(call, fault, times);
        }
    }

    pub async fn send(&self, request: &Request) -> Answer {
        let app = self.asked();
        match request {
            Request::Login { to, client, key } => {
                let headers = idempotency(key.as_ref());
                let body = destination(to);
                app.post_from(client, LOGIN, &headers, &body).await
            }
            Request::Validate {
                to,
                id,
                otp,
                client,
                key,
            } => {
                let headers = idempotency(key.as_ref());
                let body = validation(to, id.as_deref(), otp);
                app.post_from(client, VALIDATE, &headers, &body).await
            }
            Request::Refresh { token } => app.refresh(&json!(token)).await,
            Request::LogOut { token, all } => {
                let body = json!({ "refresh_token": token, "all": all });
                app.log_out(body).await
            }
        }
    }
}

fn idempotency(key: Option<&String>) -> Vec<(&'static str, &str)> {
    key.map(|key| ("idempotency-key", key.as_str()))
        .into_iter()
        .collect()
}

/// What an answer says.
pub fn outcome(request: &Request, answer: &Answer) -> Outcome {
    let number = |name: &str| answer.json[name].as_u64().unwrap_or_default();
    match (answer.status.as_u16(), request) {
        (200, Request::Login { .. }) => Outcome::Sent {
            expires_in: number("expires_in"),
            resend_in: number("resend_in"),
            confirmed: answer.json["delivery"] == "confirmed",
        },
        (200, Request::Validate { .. }) => Outcome::LoggedIn {
            new_user: answer.json["new_user"] == true,
            expires_in: number("refresh_expires_in"),
            claims: claims(answer),
        },
        (200, Request::Refresh { .. }) => Outcome::Refreshed {
            expires_in: number("refresh_expires_in"),
            claims: claims(answer),
        },
        (204, Request::LogOut { .. }) => Outcome::LoggedOut,
        (429, _) => Outcome::TooMany {
            retry_after: number("retry_after"),
        },
        (status, _) => {
            let kind = answer.text("type");
            let names = [
                "unavailable",
                "delivery-failed",
                "invalid-otp",
                "invalid-refresh-token",
            ];
            let name = names.into_iter().find(|name| kind.ends_with(name));
            Outcome::Problem(status, name.unwrap_or("another"))
        }
    }
}

/// The operator's claim in the access token; 0 if there is none.
pub fn claims(answer: &Answer) -> u8 {
    let token = answer.text("token");
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let payload: Value = serde_json::from_slice(&payload).expect("JSON");
    let claim = payload["n"].as_u64().unwrap_or_default();
    claim.try_into().expect("a small number")
}
