//! Requests that the edge rejects.

use crate::mistakes::Explanation;

/// Why an OAuth route rejects a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormRejection {
    /// It names another client.
    OtherClient,
    /// The request has an `Authorization` header, but the client is public.
    Authenticates,
    /// The token endpoint has no such grant.
    UnsupportedGrantType,
    /// There are no scopes to ask for.
    InvalidScope,
}

/// Why a request reaches no use case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// No route has this path.
    NotFound,
    /// The path takes only these methods.
    MethodNotAllowed(Vec<&'static str>),
    /// The refresh cookie is not for pages of this origin.
    OriginNotAllowed,
    /// The refresh token is of another session than the one that the client means.
    SessionMismatch,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// The form of an OAuth client is rejected.
    Form(FormRejection),
    /// The request is malformed. The explanation tells the client what is expected.
    InvalidRequest(Explanation),
}
