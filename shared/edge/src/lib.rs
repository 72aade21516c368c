//! The Lambda edge turns a gateway's event into one call of one use case, and the
//! outcome into an answer.
//!
//! ```text
//! event --> route --> request ------> use case -------> response or problem --> answer
//!           `- one match in functions/*, in `Api::respond`
//! ```
//!
//! | to find | read |
//! |---|---|
//! | the start of a function, and the loop that answers events | [`serve`] |
//! | what each function adds | [`api`] |
//! | the work that follows an answer | [`afterwards`] |
//! | the path and the method of each route | [`route`] |
//! | the members of each body | [`request`] |
//! | how a body is read, and its mistakes explained | [`body`], [`mistakes`] |
//! | the refresh token in a cookie | [`cookie`] |
//! | why a request failed, and the answer to each refusal and fault | [`failure`], [`problem`] |
//! | every setting, its range and its default | `otp_settings::table` |
//! | the fields of the log | [`log`] |

pub mod afterwards;
pub mod api;
pub mod body;
mod client;
pub mod cookie;
pub mod cors;
pub mod environment;
pub mod event;
pub mod failure;
pub mod log;
pub mod media_type;
pub mod mistakes;
pub mod payload;
pub mod problem;
pub mod rejection;
pub mod report;
pub mod request;
pub mod response;
pub mod route;
pub mod serve;
pub mod settings;
