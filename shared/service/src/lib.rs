//! The use cases of login by one-time code, and what they call on AWS.
//!
//! ```text
//! LoginService::request_code
//!     check -> issue -> admit -------------> deliver -> complete -> answer
//!                       `- one transaction   `- SES or SNS; else withdraw
//!
//! SessionService::validate
//!     spend an attempt -> judge -> mint ---> redeem ------------> answer
//!     `- the table                 `- KMS    `- one transaction, one winner
//! ```
//!
//! The steps are in [`login`] and in [`session`], and their rules in
//! `otp_domain`. [`store`] lists the items of the table, and decides each race
//! with one conditional write. No HTTP: a use case takes its own request type,
//! and returns its outcome or an [`Error`].

pub mod about;
pub mod access_token;
pub mod ambient;
pub mod aws;
pub mod delivery;
mod error;
pub mod fault;
pub mod keys;
pub mod ledger;
pub mod login;
pub mod session;
pub mod store;
pub mod table;
pub mod users;

pub use error::{Error, ErrorKind};
