//! Requests that the edge rejects.

use crate::mistakes::Explanation;

/// Why a request reaches no use case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// No route has this path.
    NotFound,
    /// The route takes only this method.
    MethodNotAllowed(&'static str),
    /// The refresh cookie is not for pages of this origin.
    OriginNotAllowed,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The request is malformed. The explanation tells the client what is expected.
    InvalidRequest(Explanation),
}
