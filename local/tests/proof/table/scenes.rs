//! Somebody makes a request, everything before which went well.

use otp::http::route::Route;
use serde_json::{Value, json};

use super::rows::{CHALLENGE, ENDED, FAMILY, NOTHING, REDEEMED, RENEWED, SPENT, UNSPENT};
use crate::{
    faults::{Call, Fault},
    service::{SOMEWHERE, Service, claim, destination, number, partition_name, spent},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    Login,
    LoginCold,
    LoginBySms,
    /// Of which the provider refuses the message.
    LoginUndelivered,
    LoginWithKey,
    Validate,
    ValidateCold,
    ValidateUnnamed,
    ValidateBySms,
    Refresh,
    RefreshCold,
    /// A refresh by a token that was used up before.
    Copied,
    Logout,
    LogoutAll,
    Me,
    MeCold,
    Keys,
}

impl Request {
    /// Whether it is the first that its functions see.
    pub const fn is_cold(self) -> bool {
        matches!(
            self,
            Self::LoginCold | Self::ValidateCold | Self::RefreshCold | Self::MeCold | Self::Keys
        )
    }

    pub const fn words(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginCold => "login, cold",
            Self::LoginBySms => "login, text message",
            Self::LoginUndelivered => "login, message refused",
            Self::LoginWithKey => "login, idempotency key",
            Self::Validate => "validate",
            Self::ValidateCold => "validate, cold",
            Self::ValidateUnnamed => "validate, no challenge id",
            Self::ValidateBySms => "validate, text message",
            Self::Refresh => "refresh",
            Self::RefreshCold => "refresh, cold",
            Self::Copied => "refresh, old token",
            Self::Logout => "logout",
            Self::LogoutAll => "logout, all",
            Self::Me => "me",
            Self::MeCold => "me, cold",
            Self::Keys => "keys, cold",
        }
    }

    const fn route(self) -> Route {
        match self {
            Self::Login
            | Self::LoginCold
            | Self::LoginBySms
            | Self::LoginUndelivered
            | Self::LoginWithKey => Route::Login,
            Self::Validate | Self::ValidateCold | Self::ValidateUnnamed | Self::ValidateBySms => {
                Route::Validate
            }
            Self::Refresh | Self::RefreshCold | Self::Copied => Route::Refresh,
            Self::Logout | Self::LogoutAll => Route::Logout,
            Self::Me | Self::MeCold => Route::Me,
            Self::Keys => Route::Keys,
        }
    }
}

pub struct Scene {
    request: Request,
    to: String,
    body: Value,
    header: Option<(&'static str, String)>,
    messages_before: usize,
}

impl Scene {
    pub async fn set(request: Request, service: &Service, number: usize) -> Self {
        let to = match request {
            Request::LoginBySms | Request::ValidateBySms => format!("+1415{number:07}"),
            _ => format!("cell{number}@example.com"),
        };
        let (body, header) = match request.route() {
            Route::Login => {
                let key = format!("idempotency-key-{number}");
                let keyed = request == Request::LoginWithKey;
                (destination(&to), keyed.then_some(("idempotency-key", key)))
            }
            Route::Validate => {
                let (id, code) = service.receive_code(&to).await;
                let id = Some(id.as_str()).filter(|_| request != Request::ValidateUnnamed);
                (claim(&to, id, &code), None)
            }
            Route::Me => {
                let (id, code) = service.receive_code(&to).await;
                let claim = claim(&to, Some(&id), &code);
                let login = service.post(Route::Validate, &claim).await;
                let bearer = format!("Bearer {}", login.text("token"));
                (Value::Null, Some(("authorization", bearer)))
            }
            Route::Keys | Route::Configuration => (Value::Null, None),
            Route::Refresh | Route::Logout => {
                let token = service.log_in(&to).await;
                let mut body = json!({ "refresh_token": token });
                if request == Request::Copied {
                    let next = service.post(Route::Refresh, &body).await;
                    let next = json!({ "refresh_token": next.text("refresh_token") });
                    service.post(Route::Refresh, &next).await;
                }
                if request == Request::LogoutAll {
                    body["all"] = json!(true);
                }
                (body, None)
            }
        };
        Self {
            messages_before: service.messages(&to).len(),
            request,
            to,
            body,
            header,
        }
    }

    /// Makes the request: the answer's status.
    pub async fn act(&self, service: &Service) -> u16 {
        if self.request == Request::LoginUndelivered {
            service.faults.plan(Call::Email, Fault::Broken, 2);
        }
        self.act_again(service).await
    }

    pub async fn act_again(&self, service: &Service) -> u16 {
        let header = self.header.as_ref();
        let headers: Vec<_> = header
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        service
            .ask(SOMEWHERE, self.request.route(), &headers, &self.body)
            .await
            .status
    }

    /// How many messages the request sent.
    pub fn messages(&self, service: &Service) -> usize {
        service.messages(&self.to).len() - self.messages_before
    }

    /// What stands in the table.
    pub async fn stands(&self, service: &Service) -> &'static str {
        let items = service.partition(&partition_name(&self.to)).await;
        let challenge = items
            .iter()
            .find(|(sort, _)| sort.starts_with("challenge#"))
            .map(|(_, item)| item);
        match self.request.route() {
            Route::Login => {
                let sends = items.iter().filter(|(sort, _)| sort.starts_with("sends-"));
                let counted: i64 = sends.filter_map(|(_, item)| number(item, "admitted")).sum();
                let cooling = items
                    .get("cooldown")
                    .is_some_and(|item| item.contains_key("sent_at"));
                match (challenge.is_some(), counted, cooling) {
                    // By the hour and by the day.
                    (true, 2, true) => CHALLENGE,
                    (false, 0, false) => NOTHING,
                    _ => "half of it",
                }
            }
            Route::Validate => {
                let families = service.families(&self.to).await;
                match (challenge.map(spent), families) {
                    (Some(0), 0) => UNSPENT,
                    (Some(1), 0) => SPENT,
                    (Some(1), 1) => REDEEMED,
                    _ => "something else",
                }
            }
            Route::Refresh | Route::Logout => {
                let user = items["user"]["user_id"].as_s().unwrap();
                let families = service.partition(&format!("user#{user}")).await;
                match families.values().next() {
                    None => ENDED,
                    Some(family) if family.contains_key("previous_digest") => RENEWED,
                    Some(_) => FAMILY,
                }
            }
            Route::Me | Route::Keys | Route::Configuration => "",
        }
    }
}
