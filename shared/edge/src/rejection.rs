//! Requests that the edge rejects.

/// Why a request reaches no use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// No route has this path.
    NotFound,
    /// The route takes only this method.
    MethodNotAllowed(&'static str),
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The request is malformed. The sentence tells the client what is expected.
    InvalidRequest(&'static str),
}
