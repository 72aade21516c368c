//! HTTP in, HTTP out: the contract with clients.

pub mod cors;
pub mod event;
pub mod problem;
pub mod proxy;
pub mod request;
pub mod response;
pub mod route;
