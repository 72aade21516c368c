//! Login by a one-time code, sent by e-mail or text message.
//!
//! ```text
//! event -> http::request -> login::Login        -> http::response
//!                           or validate::Validate    or http::problem
//!
//! login:    parse -> check -> issue -> admit -> deliver -> answer
//!                                      `- the table        `- or withdraw
//! validate: parse -> spend an attempt -> judge -> mint -> redeem -> answer
//!                    `- the table                 `- KMS  `- the table
//! ```
//!
//! Both use cases read top to bottom in [`login`] and [`validate`]. The rules
//! they follow are in [`domain`], which knows neither AWS nor HTTP nor the time
//! of day; what is stored, and how races are decided, is in [`store`].

pub mod ambient;
pub mod clients;
pub mod config;
pub mod delivery;
pub mod domain;
pub mod fault;
#[cfg(test)]
mod fuzz;
pub mod http;
pub mod keys;
pub mod login;
pub mod store;
pub mod telemetry;
pub mod token;
pub mod validate;
