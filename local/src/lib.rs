//! The whole stack on one machine, for development and tests.
//!
//! The handlers that are deployed run unchanged. The rest is emulated, with the
//! protocols of AWS:
//!
//! | service | emulation |
//! |---|---|
//! | API Gateway | [`gateway`] |
//! | `DynamoDB` | an embedded emulator |
//! | KMS | keys in memory |
//! | SES and SNS | an [`inbox`] that keeps every message |
//!
//! [`web`] serves the sign-in page beside them.
//!
//! Nothing in this crate is ever deployed.

pub mod aws;
pub mod clock;
mod events;
pub mod functions;
pub mod gateway;
pub mod inbox;
pub mod limits;
pub mod lines;
mod offer;
pub mod options;
pub mod stack;
pub mod tls;
pub mod web;
