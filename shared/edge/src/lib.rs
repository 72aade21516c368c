//! The Lambda edge: from a gateway's event to one call of one use case, and back.
//!
//! ```text
//! event --> route --> request ------> use case -------> response or problem --> answer
//!           `- one match in functions/*, in `Api::respond`
//! ```
//!
//! | to find | read |
//! |---|---|
//! | the start of a function, and the loop that answers events | [`serve`] |
//! | what a function adds | [`api`] |
//! | which path is which route | [`route`] |
//! | what a body must hold | [`request`] |
//! | which answer a refusal or a fault becomes | [`problem`] |
//! | every setting, its range and its default | [`settings::table`] |
//! | what the log says | [`log`] |

pub mod api;
pub mod cors;
pub mod environment;
pub mod event;
pub mod log;
pub mod payload;
pub mod problem;
pub mod rejection;
pub mod request;
pub mod response;
pub mod route;
pub mod serve;
pub mod settings;
