//! The shipped handlers against the emulated services, asked over HTTP as a
//! client asks, read as a person reads: in the inbox.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it cannot go on"
)]

mod abuse;
mod binary;
mod events;
mod expiry;
mod faults;
mod harness;
mod limits;
mod log;
mod problems;
mod races;
mod story;
mod users;
mod wire;
