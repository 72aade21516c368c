//! The whole stack on one machine, for development and tests.
//!
//! The two shipped handlers run unchanged behind a stand-in for API Gateway.
//! What they call is emulated here, behind the protocols of AWS: `DynamoDB` by an
//! embedded emulator, SES and SNS by an inbox that keeps what is sent, KMS by
//! two keys in memory. Nothing in here is ever deployed.

pub mod aws;
pub mod functions;
pub mod gateway;
pub mod inbox;
pub mod stack;
pub mod tls;
