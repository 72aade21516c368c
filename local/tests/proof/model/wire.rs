//! Requests on their way to the service, the weather on that way, and what the
//! answers say.

use std::net::IpAddr;

use otp::http::route::Route;
use serde_json::json;

use super::{
    driver::Telling,
    operations::{Trouble, Weather},
    rules::{Request, Told},
};
use crate::{
    faults::Fault,
    service::{Answer, claim, destination},
};

impl Telling<'_> {
    pub fn set(&self, weather: Weather) {
        self.service.stack.messages.set_refusing(weather.refusing);
        if let Some((call, trouble)) = weather.fault {
            let (fault, times) = match trouble {
                Trouble::LostOnce => (Fault::Dropped, 1),
                Trouble::Lost => (Fault::Denied, usize::MAX),
                Trouble::Refused => (Fault::Broken, usize::MAX),
            };
            self.service.faults.plan(call, fault, times);
        }
    }

    pub async fn send(&self, request: &Request) -> Answer {
        let from = |client: &str| client.parse::<IpAddr>().unwrap();
        match request {
            Request::Login { to, client, key } => {
                let headers: Vec<_> = key
                    .iter()
                    .map(|key| ("idempotency-key", key.as_str()))
                    .collect();
                self.service
                    .ask(from(client), Route::Login, &headers, &destination(to))
                    .await
            }
            Request::Validate {
                to,
                id,
                otp,
                client,
            } => {
                let claim = claim(to, id.as_deref(), otp);
                self.service
                    .ask(from(client), Route::Validate, &[], &claim)
                    .await
            }
            Request::Refresh { token } => {
                let body = json!({ "refresh_token": token });
                self.service.post(Route::Refresh, &body).await
            }
            Request::LogOut { token, all } => {
                let body = json!({ "refresh_token": token, "all": all });
                self.service.post(Route::Logout, &body).await
            }
        }
    }
}

/// What an answer says.
pub fn told(request: &Request, answer: &Answer) -> Told {
    let number = |name: &str| answer.json[name].as_u64().unwrap_or_default();
    match (answer.status, request) {
        (200, Request::Login { .. }) => Told::Sent {
            expires_in: number("expires_in"),
            resend_in: number("resend_in"),
        },
        (200, Request::Validate { .. }) => Told::LoggedIn {
            new_user: answer.json["new_user"] == true,
        },
        (200, Request::Refresh { .. }) => Told::Refreshed {
            expires_in: number("refresh_expires_in"),
        },
        (204, Request::LogOut { .. }) => Told::LoggedOut,
        (429, _) => Told::TooMany {
            retry_after: number("retry_after"),
        },
        (status, _) => {
            let kind = answer.text("type");
            let names = [
                "unavailable",
                "delivery-failed",
                "invalid-otp",
                "invalid-refresh-token",
                "idempotency-key-reused",
            ];
            let name = names.into_iter().find(|name| kind.ends_with(name));
            Told::Problem(status, name.unwrap_or("another"))
        }
    }
}
