//! The harness that all tests of the whole service share.
//!
//! | module | content |
//! |---|---|
//! | [`app`] | [`TestApp`]: both functions behind a gateway, on emulated AWS services, with a manual clock |
//! | [`client`] | [`Client`] and [`Answer`]: HTTP requests to a gateway, and what comes back |
//! | [`fault_proxy`] | [`FaultProxy`]: sits between the functions and the services, and makes calls fail |
//! | [`log`] | [`Log`]: what the functions log, kept for assertions |
//! | [`program`] | [`Program`]: a function's program, started and invoked as Lambda does |
//! | [`table`] | reads and writes the table behind the functions' back |
//!
//! The test targets:
//!
//! | target | content |
//! |---|---|
//! | `api` | what a client, an operator or a gateway sees, feature by feature |
//! | `resilience` | the model, the races and the faults: docs/evidence describes them |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot go on panics"
)]

pub mod app;
pub mod client;
pub mod fault_proxy;
pub mod log;
pub mod program;
pub mod table;

pub use app::TestApp;
pub use client::{Answer, Client};
pub use fault_proxy::{Call, CallFault, FaultProxy, Gate, Wait};
pub use log::Log;
pub use program::Program;

use serde_json::{Value, json};

/// The path of a login.
pub const LOGIN: &str = "/api/login-with-otp/";
/// The path of a validation.
pub const VALIDATE: &str = "/api/validate-otp/";
/// The path of a refresh.
pub const REFRESH: &str = "/api/token/refresh/";
/// The path of a logout.
pub const LOGOUT: &str = "/api/logout/";
/// The path that says who a token belongs to.
pub const ME: &str = "/api/me/";
/// The path of a user's own destinations.
pub const DESTINATIONS: &str = "/api/me/destinations/";
/// The path of a user's own sessions.
pub const SESSIONS: &str = "/api/me/sessions/";
/// The path of the discovery document.
pub const CONFIGURATION: &str = "/.well-known/openid-configuration";
/// The path of the published signing keys.
pub const KEYS: &str = "/.well-known/jwks.json";

/// An e-mail address to log in with.
pub const ALICE: &str = "alice@example.com";
/// A phone number to log in with.
pub const PHONE: &str = "+14155550123";

/// The body of a login.
#[must_use]
pub fn destination(to: &str) -> Value {
    if to.starts_with('+') {
        json!({ "phone_number": to })
    } else {
        json!({ "email": to })
    }
}

/// The body of a validation.
#[must_use]
pub fn validation(to: &str, challenge_id: Option<&str>, otp: &str) -> Value {
    let mut body = destination(to);
    body["otp"] = json!(otp);
    if let Some(id) = challenge_id {
        body["challenge_id"] = json!(id);
    }
    body
}

/// A wrong code of the same length.
#[must_use]
pub fn other_than(code: &str) -> String {
    let digit = if code.ends_with('0') { '1' } else { '0' };
    format!("{}{digit}", &code[..code.len() - 1])
}

/// A number from the environment that makes a test run longer.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "these variables are no settings of the service"
)]
pub fn setting(name: &str, default: u32) -> u32 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a whole number"))
}
