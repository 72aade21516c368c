//! One request, in which the user changes, and what must hold afterwards.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use admin::Exit;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tests::{Answer, Call, TestApp, Wait, table::partition_key};
use tokio::sync::watch;

use super::{
    operator::{Change, Operator, add, set_claims},
    request::Request,
};

/// A user, and a request of that user or about that user.
pub struct Story<'a> {
    app: &'a TestApp,
    request: Request,
    change: Change,
    to: String,
    key: String,
    /// The user's id, unless there is none yet.
    id: Option<String>,
    /// An access token and the refresh tokens of the user's session.
    access: String,
    refresh: Vec<Value>,
    /// A challenge and its code.
    code: (String, String),
}

/// How a request ended.
enum Ended {
    Answer(Answer),
    Exit(Exit),
}

/// The user of the destination, as the table has it.
struct User {
    id: String,
    is_disabled: bool,
}

impl<'a> Story<'a> {
    /// Does everything before the request. `number` makes the destination unique.
    pub async fn prepare(
        app: &'a TestApp,
        request: Request,
        change: Change,
        number: usize,
    ) -> Self {
        let mut story = Self {
            app,
            request,
            change,
            to: format!("changes{number}@example.com"),
            key: format!("idempotency-key-{number}"),
            id: None,
            access: String::new(),
            refresh: Vec::new(),
            code: Default::default(),
        };
        app.faults.stop();
        if request != Request::ValidateNewcomer {
            story.does(&add(&story.to, "first")).await;
            let login = app.log_in(&story.to).await;
            story.id = login["user_id"].as_str().map(str::to_owned);
            let token = login["token"].as_str().unwrap();
            token.clone_into(&mut story.access);
            story.refresh.push(login["refresh_token"].clone());
            app.advance(Duration::from_millis(1));
        }
        match request {
            Request::Validate
            | Request::ValidateWithKey
            | Request::ValidateRepeated
            | Request::ValidateNewcomer => story.code = app.receive_code(&story.to).await,
            Request::RefreshRetried => {
                let next = app.refresh(&story.refresh[0]).await;
                story.refresh.push(next.json["refresh_token"].clone());
            }
            Request::Enable => story.does(&format!("disable {}", story.to)).await,
            _ => {}
        }
        if request == Request::ValidateRepeated {
            let Ended::Answer(first) = story.send().await else {
                unreachable!();
            };
            story
                .refresh
                .push(first.assert_ok()["refresh_token"].clone());
        }
        app.faults.stop();
        story
    }

    async fn does(&self, line: &str) {
        let exit = Operator::beside(self.app).run(line.to_owned()).await;
        assert_eq!(exit, Exit::Done, "{line}");
    }

    fn name(&self, nth: usize) -> String {
        let (request, change) = (self.request, self.change);
        format!("{change:?} before call {nth} of {request:?}")
    }

    /// The calls that the request makes if nothing changes.
    pub async fn calls(&self) -> Vec<Call> {
        let ended = self.send().await;
        let calls = self.app.faults.calls();
        self.app.faults.stop();
        assert!(ended.is_success(), "{:?}: nothing changed", self.request);
        calls
    }

    /// Sends the request with the change before call number `nth`, and checks what must hold.
    pub async fn changes_before_call(&self, nth: usize) {
        let has_changed = self.change_before_call(nth);
        let ended = self.send().await;
        let calls = self.app.faults.calls();
        self.app.faults.stop();
        let name = self.name(nth);
        // A batch that the table leaves incomplete is one call more, and not in each story.
        if !has_changed.load(Ordering::SeqCst) {
            return;
        }
        let decided_by = self.request.decided_by();
        let is_before = decided_by.is_some_and(|call| calls[nth..].contains(&call));
        match &ended {
            Ended::Answer(login) if self.request == Request::Login => {
                // The change came before the validation of its code, if it has one.
                if let Some(message) = self.app.messages(&self.to).first()
                    && let Some(id) = login.json["challenge_id"].as_str()
                {
                    let code = message.code.as_deref().expect("a code");
                    let answer = self.app.validate(&self.to, Some(id), code).await;
                    self.check_answer(&answer, true, &name).await;
                }
            }
            Ended::Answer(answer) => self.check_answer(answer, is_before, &name).await,
            Ended::Exit(exit) => {
                let is_decided = decided_by.is_some_and(|call| calls.contains(&call));
                let too_late = self.change.removes() && (is_before || !is_decided);
                assert_eq!(*exit == Exit::Done, !too_late, "{name}: the exit");
            }
        }
        self.check_sessions(&name).await;
        self.check_the_next_login(&name).await;
    }

    /// Makes the change before a call. The calls after it wait for the change.
    fn change_before_call(&self, nth: usize) -> Arc<AtomicBool> {
        let has_changed = Arc::new(AtomicBool::default());
        let (operator, commands) = (Operator::beside(self.app), self.change.commands(&self.to));
        let (over, mut seen, started) = (watch::Sender::new(false), 0, Arc::clone(&has_changed));
        let must_succeed = self.request != Request::ValidateNewcomer;
        self.app.faults.before(move |_, _| {
            seen += 1;
            if seen <= nth {
                return None;
            }
            let over = over.clone();
            if seen > nth + 1 {
                let mut over = over.subscribe();
                return Some(Box::pin(async move {
                    let _ = over.wait_for(|over| *over).await;
                }) as Wait);
            }
            started.store(true, Ordering::SeqCst);
            let (operator, commands) = (operator.clone(), commands.clone());
            Some(Box::pin(async move {
                for line in commands {
                    let exit = operator.clone().run(line).await;
                    assert!(exit == Exit::Done || !must_succeed, "the change fails");
                }
                over.send_replace(true);
            }))
        });
        has_changed
    }

    async fn send(&self) -> Ended {
        let (app, to, (id, code)) = (self.app, &self.to, &self.code);
        let token = self.refresh.first();
        let body = |all| json!({ "refresh_token": token, "all": all });
        let through = |line| Operator::through(app).run(line);
        Ended::Answer(match self.request {
            Request::Login => app.login(to).await,
            Request::Validate | Request::ValidateNewcomer => app.validate(to, Some(id), code).await,
            Request::ValidateWithKey | Request::ValidateRepeated => {
                app.validate_with_key(&self.key, to, Some(id), code).await
            }
            Request::Refresh | Request::RefreshRetried => app.refresh(token.unwrap()).await,
            Request::Me => app.me(&self.access).await,
            Request::Logout => app.log_out(body(false)).await,
            Request::LogoutAll => app.log_out(body(true)).await,
            Request::SetClaims => return Ended::Exit(through(set_claims(to, "set")).await),
            Request::Disable => return Ended::Exit(through(format!("disable {to}")).await),
            Request::Enable => return Ended::Exit(through(format!("enable {to}")).await),
            Request::Remove => return Ended::Exit(through(format!("remove {to}")).await),
        })
    }

    async fn user(&self) -> Option<User> {
        let items = self.app.partition(&partition_key(&self.to)).await;
        let item = items.get("user")?;
        Some(User {
            id: item.get("user_id")?.as_s().unwrap().clone(),
            is_disabled: item.contains_key("disabled_at"),
        })
    }

    /// What the request was answered. `is_before`: the change came before what decides it.
    async fn check_answer(&self, answer: &Answer, is_before: bool, name: &str) {
        assert!(answer.status.as_u16() < 500, "{name}: {}", answer.status);
        let Some(token) = answer.json["token"].as_str() else {
            let is_profile = answer.json["claims"].is_object();
            let is_over = self.change == Change::Disable || self.change.removes();
            assert!(!(is_profile && is_before && is_over), "{name}: a profile");
            return;
        };
        let id = answer.text("user_id");
        let role = role(token);
        let is_old = self.id.as_ref() == Some(&id);
        if is_old {
            let new = self
                .change
                .role()
                .filter(|_| self.change == Change::NewClaims);
            assert!(
                role.as_deref() == Some("first") || role.as_deref() == new,
                "{name}: {role:?}"
            );
        } else {
            assert_eq!(
                role.as_deref(),
                self.change.role(),
                "{name}: the next one's role"
            );
            assert!(
                self.user().await.is_some_and(|user| user.id == id),
                "{name}: a stranger"
            );
        }
        if is_before {
            let refused = match (self.change, self.request) {
                (Change::Disable | Change::Remove | Change::Replace, _) => is_old,
                (Change::DisableAndEnable, request) => {
                    matches!(request, Request::Refresh | Request::ValidateRepeated)
                }
                (Change::NewClaims, _) => false,
            };
            assert!(!refused, "{name}: a token");
            if self.change == Change::NewClaims && self.request.starts_a_session() {
                assert_eq!(role.as_deref(), Some("changed"), "{name}: the role");
            }
        }
        if is_old && self.change.ends_sessions() && !is_before {
            let late = self.app.refresh(&answer.json["refresh_token"]).await;
            assert_eq!(late.status, 400, "{name}: the session goes on");
        }
        if is_old && (self.change.removes() || self.change == Change::Disable) {
            let me = self.app.me(token).await;
            assert_eq!(me.status, 401, "{name}: the token is good");
        }
    }

    /// The sessions of before are over, if the change ends them.
    async fn check_sessions(&self, name: &str) {
        let is_over = self.change.ends_sessions();
        let Some(id) = self.id.as_ref().filter(|_| is_over) else {
            return;
        };
        for token in &self.refresh {
            let late = self.app.refresh(token).await;
            assert_eq!(late.status, 400, "{name}: an earlier session goes on");
        }
        if self.change != Change::DisableAndEnable {
            let items = self.app.partition(&format!("user#{id}")).await;
            assert_eq!(
                items
                    .keys()
                    .filter(|sort| sort.starts_with("family#"))
                    .count(),
                0,
                "{name}: sessions"
            );
        }
        if self.change.removes() {
            let items = self.app.partition(&format!("user#{id}")).await;
            assert!(
                items.is_empty(),
                "{name}: something of the removed user is left"
            );
            let me = self.app.me(&self.access).await;
            assert_eq!(
                me.status, 401,
                "{name}: the token of the removed user is good"
            );
        }
    }

    /// Whoever logs in next is the user of the table, with this user's role.
    async fn check_the_next_login(&self, name: &str) {
        let user = self.user().await;
        let is_old = user
            .as_ref()
            .is_some_and(|user| self.id.as_ref() == Some(&user.id));
        assert!(
            !(is_old && self.change.removes()),
            "{name}: the removed user is back"
        );
        if self.change == Change::Replace {
            let is_active = user.as_ref().is_some_and(|user| !user.is_disabled);
            assert!(is_active, "{name}: the next user has changed");
        }
        self.app.advance(Duration::from_millis(1));
        let before = self.app.messages(&self.to).len();
        let login = self.app.login(&self.to).await;
        if self.app.messages(&self.to).len() == before {
            let is_active = user.is_some_and(|user| !user.is_disabled);
            assert!(!is_active, "{name}: no code for an active user");
            return;
        }
        let code = self.app.newest_code(&self.to);
        let challenge = login.text("challenge_id");
        let login = self.app.validate(&self.to, Some(&challenge), &code).await;
        let (id, role) = (
            login.assert_ok()["user_id"].clone(),
            role(&login.text("token")),
        );
        if let Some(user) = &user {
            assert_eq!(id, user.id, "{name}");
        }
        let expected = match (self.request, self.change) {
            (Request::SetClaims, change) if is_old && !change.removes() => Some("set"),
            _ if is_old => self.change.role(),
            (_, Change::Replace) => Some("next"),
            _ => None,
        };
        assert_eq!(
            role.as_deref(),
            expected,
            "{name}: the role of the next login"
        );
        assert_ne!(
            Some(id.as_str().unwrap()).filter(|_| !is_old),
            self.id.as_deref(),
            "{name}"
        );
    }
}

impl Ended {
    fn is_success(&self) -> bool {
        match self {
            Self::Answer(answer) => answer.status.is_success(),
            Self::Exit(exit) => *exit == Exit::Done,
        }
    }
}

/// The role in an access token.
fn role(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let payload: Value = serde_json::from_slice(&payload).expect("JSON");
    payload["role"].as_str().map(str::to_owned)
}
