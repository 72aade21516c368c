//! The shipped handlers against the emulated services, asked over HTTP as a
//! client asks, read as a person reads: in the inbox.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod abuse;
mod admin;
mod binary;
mod browser;
mod events;
mod expiry;
mod faults;
mod harness;
mod hostile;
mod idempotency;
mod inbox;
mod limits;
mod log;
mod openapi;
mod problems;
mod races;
mod refresh;
mod rotation;
mod story;
mod test_identities;
mod tokens;
mod trust;
mod users;
mod wire;
