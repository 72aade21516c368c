//! One request, with everything that must happen before it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use otp_edge::route::Route;
use serde_json::{Value, json};
use tests::{
    Call, CallFault, DESTINATIONS, TestApp, destination, other_than,
    table::{Item, attempts, number, partition_key, sort_key},
    validation,
};

use super::{
    request::Request,
    rows::{
        ADDED, ATTEMPTED, CHALLENGE, NO_SESSION, NOT_ADDED, NOTHING, REDEEMED, REFRESHED_SESSION,
        SESSION, TWO_SESSIONS, UNATTEMPTED, USER,
    },
};

/// The destination of a request, which no other has.
fn to(request: Request, number: usize) -> String {
    match request {
        Request::LoginBySms | Request::LoginByOwnSender | Request::LoginByTwoWays => {
            format!("+1415{number:07}")
        }
        // Of another country than those, which counts apart.
        Request::LoginFull => format!("+1416{number:07}"),
        _ => format!("cell{number}@example.com"),
    }
}

pub struct Scenario {
    request: Request,
    to: String,
    path: String,
    body: Value,
    header: Option<(&'static str, String)>,
    messages_before: usize,
}

impl Scenario {
    /// Does everything before the request. `number` makes its destination unique.
    pub async fn prepare(request: Request, app: &TestApp, number: usize) -> Self {
        let to = to(request, number);
        let mut path = request.route().path().to_owned();
        let (body, header) = match request.route() {
            Route::Login => {
                let key = log_in_before(request, app, number, &to).await;
                let mut body = destination(&to);
                if request == Request::LoginAgainConcealed {
                    app.add_user(&to, false).await;
                    let id = app.login(&to).await.text("challenge_id");
                    body["challenge_id"] = json!(id);
                }
                (body, key)
            }
            Route::Validate => {
                if request == Request::ValidateConcealed {
                    app.add_user(&to, false).await;
                }
                let (id, mut code) = app.receive_code(&to).await;
                if request == Request::ValidateWrong {
                    code = other_than(&code);
                }
                let id = Some(id.as_str()).filter(|_| request != Request::ValidateWithoutId);
                let key = format!("idempotency-key-{number}");
                if request == Request::ValidateRepeated {
                    app.validate_with_key(&key, &to, id, &code).await;
                }
                let keyed = matches!(
                    request,
                    Request::ValidateWithKey | Request::ValidateRepeated
                );
                (
                    validation(&to, id, &code),
                    keyed.then_some(("idempotency-key", key)),
                )
            }
            Route::Me
            | Route::DeleteMe
            | Route::Sessions
            | Route::EndSessions
            | Route::EndSession => {
                let (bearer, session) = bearer_before(request, app, &to).await;
                path = path.replace("{id}", &session);
                (Value::Null, Some(("authorization", bearer)))
            }
            Route::VerifyDestination => adding_before(app, number, &to).await,
            Route::Refresh | Route::Logout | Route::Token | Route::Revoke => {
                (refreshable_before(request, app, &to).await, None)
            }
            _ => (Value::Null, None),
        };
        Self {
            messages_before: app.messages(&to).len(),
            request,
            to,
            path,
            body,
            header,
        }
    }

    /// Sends the request; returns the status.
    pub async fn send(&self, app: &TestApp) -> u16 {
        if self.request == Request::LoginUndelivered {
            let refusal = CallFault::Error(400, "MessageRejected");
            app.faults.inject(Call::SendEmail, refusal, 1);
        }
        self.send_again(app).await
    }

    /// Sends the same request; returns the status.
    pub async fn send_again(&self, app: &TestApp) -> u16 {
        let mut headers = vec![("content-type", "application/json")];
        let header = self.header.as_ref();
        headers.extend(header.map(|(name, value)| (*name, value.as_str())));
        let body = if self.body.is_null() {
            String::new()
        } else {
            self.body.to_string()
        };
        let route = self.request.route();
        let path = self.path.as_str();
        if self.request == Request::ValidateWrong {
            // Only the guesses of other clients than the requester are counted.
            let answer = app.post_from("203.0.113.9", path, &[], &self.body).await;
            return answer.status.as_u16();
        }
        let method = route.row().method.parse().expect("a method");
        let answer = app.client.request(method, path, &headers, body);
        answer.await.status.as_u16()
    }

    /// How many messages the request sent.
    pub fn messages(&self, app: &TestApp) -> usize {
        app.messages(&self.to).len() - self.messages_before
    }

    /// What the table holds, in the words of the rows.
    pub async fn table(&self, app: &TestApp) -> &'static str {
        let items = app.partition(&partition_key(&self.to)).await;
        let challenges = app.challenges(&self.to).await;
        let challenge = challenges.values().next();
        match self.request.route() {
            Route::Login => {
                let sends = items.get("sends").cloned().unwrap_or_default();
                let counts = sends.keys().filter(|name| name.starts_with("sends-hour"));
                let counted: i64 = counts.filter_map(|name| number(&sends, name)).sum();
                let until = number(&sends, "sends_until").unwrap_or_default();
                let is_used = u64::try_from(until).is_ok_and(|until| until > app.now());
                let cooldown = items.get("guesses");
                let cooling = cooldown.is_some_and(|item| item.contains_key("cooling_until"));
                match (challenge.is_some(), counted, is_used, cooling) {
                    (true, 1 | 2, true, true) => CHALLENGE,
                    (false, 0, false, false) => NOTHING,
                    _ => "challenge, counter and cooldown disagree",
                }
            }
            Route::Validate => {
                let sessions = app.sessions_of(&self.to).await;
                match (challenge.map(attempts), sessions) {
                    (Some(0), 0) => UNATTEMPTED,
                    (Some(1), 0) => ATTEMPTED,
                    (Some(1), 1) => REDEEMED,
                    _ => "attempts and sessions disagree",
                }
            }
            Route::Refresh
            | Route::Logout
            | Route::Token
            | Route::Revoke
            | Route::Sessions
            | Route::EndSessions
            | Route::EndSession => {
                let user = items["user"]["user_id"].as_s().unwrap();
                let mut sessions = app.partition(&format!("user#{user}")).await;
                sessions.retain(|sort, _| sort.starts_with("session#"));
                match sessions.values().next() {
                    None => NO_SESSION,
                    Some(_) if sessions.len() > 1 => TWO_SESSIONS,
                    Some(session) if session.contains_key("previous_digest") => REFRESHED_SESSION,
                    Some(_) => SESSION,
                }
            }
            Route::DeleteMe => {
                self.account(app, items["user"].contains_key("user_id"))
                    .await
            }
            Route::VerifyDestination => owned(&items),
            _ => "",
        }
    }

    /// What a deletion left of the account.
    async fn account(&self, app: &TestApp, has_user: bool) -> &'static str {
        let sessions = app.items().await.into_iter().filter(|item| {
            let of = item.get("destination").and_then(|of| of.as_s().ok());
            of == Some(&partition_key(&self.to)) && sort_key(item).starts_with("session#")
        });
        match (has_user, sessions.count()) {
            (true, 1) => USER,
            (false, 1) => SESSION,
            (false, 0) => NOTHING,
            _ => "user and session disagree",
        }
    }
}

/// Logs in, for a request with an access token; returns its header and the session's id.
async fn bearer_before(request: Request, app: &TestApp, to: &str) -> (String, String) {
    let login = app.log_in(to).await;
    let user = format!("user#{}", login["user_id"].as_str().unwrap());
    let items = app.partition(&user).await;
    let mut sessions = items.iter().filter_map(|(sort, item)| {
        let id = sort.strip_prefix("session#")?;
        Some((id.to_owned(), item.clone()))
    });
    let (own, mut session) = sessions.next().unwrap();
    if request == Request::EndSessions {
        let other = AttributeValue::S(format!("session#{}", "x".repeat(43)));
        session.insert("sk".to_owned(), other);
        app.put(session).await;
    }
    let bearer = format!("Bearer {}", login["token"].as_str().unwrap());
    (bearer, own)
}

/// Asks for a code that adds a destination; returns the body that brings it back, and the
/// header of who asked.
async fn adding_before(
    app: &TestApp,
    number: usize,
    to: &str,
) -> (Value, Option<(&'static str, String)>) {
    let login = app.log_in(&format!("owner{number}@example.com")).await;
    let (token, asked) = (&login["token"], destination(to));
    let asked = app.post_with_token(DESTINATIONS, token, &asked).await;
    let id = asked.text("challenge_id");
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let body = validation(to, Some(&id), &app.newest_code(to));
    (body, Some(("authorization", bearer)))
}

/// Whether the destination of these items has a user.
fn owned(items: &HashMap<String, Item>) -> &'static str {
    match items.get("user") {
        Some(user) if user.contains_key("user_id") => ADDED,
        _ => NOT_ADDED,
    }
}

/// Logs in, for a request with a refresh token; returns its body.
async fn refreshable_before(request: Request, app: &TestApp, to: &str) -> Value {
    let token = app.log_in(to).await["refresh_token"].clone();
    let mut body = json!({ "refresh_token": token });
    if request == Request::RefreshReused {
        let next = app.refresh(&token).await;
        app.refresh(&next.json["refresh_token"]).await;
    }
    if request == Request::LogoutAll {
        body["all"] = json!(true);
    }
    body
}

/// Makes the logins before a login; returns its idempotency key, if it has one.
async fn log_in_before(
    request: Request,
    app: &TestApp,
    number: usize,
    to: &str,
) -> Option<(&'static str, String)> {
    let key = format!("idempotency-key-{number}");
    let keyed = matches!(
        request,
        Request::LoginWithKey
            | Request::LoginConcealed
            | Request::LoginReplayed
            | Request::LoginRepeatedRefused
    );
    match request {
        Request::LoginReplayed => {
            let lost = CallFault::Http500;
            app.faults.inject(Call::Complete, lost, usize::MAX);
            app.login_with_key(&key, to).await.assert_ok();
            app.faults.stop();
        }
        Request::LoginConcealed => app.add_user(to, false).await,
        Request::LoginFull => {
            for shard in 0..3 {
                let partition = format!("prefix#CA#{shard}");
                let counts = [("unproven", 20), ("sent_at", app.now())];
                app.put_counts(&partition, "messages", &counts).await;
            }
        }
        Request::LoginRefused => {
            app.login(to).await;
        }
        Request::LoginRepeatedRefused => {
            app.login_with_key(&key, to).await;
            app.login(to).await;
        }
        _ => {}
    }
    keyed.then_some(("idempotency-key", key))
}
