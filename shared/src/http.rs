//! HTTP in, HTTP out: the contract with clients.

pub mod cors;
pub mod problem;
pub mod request;
pub mod response;
pub mod route;
