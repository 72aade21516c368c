//! Which address a request is for.

use lambda_http::{Request, RequestExt, http::Method};

use super::request::Rejection;

/// The addresses of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Asks for a code.
    Login,
    /// Takes a code for tokens.
    Validate,
    /// Takes a refresh token for new tokens.
    Refresh,
    /// Ends a login.
    Logout,
    /// Says who is asking.
    Me,
    /// Where everything is that one needs to check tokens.
    Configuration,
    /// What one needs to check tokens with.
    Keys,
}

impl Route {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Login,
        Self::Validate,
        Self::Refresh,
        Self::Logout,
        Self::Me,
        Self::Configuration,
        Self::Keys,
    ];

    /// Its path, without a trailing slash.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Login => "/api/login-with-otp",
            Self::Validate => "/api/validate-otp",
            Self::Refresh => "/api/token/refresh",
            Self::Logout => "/api/logout",
            Self::Me => "/api/me",
            Self::Configuration => "/.well-known/openid-configuration",
            Self::Keys => "/.well-known/jwks.json",
        }
    }

    /// The one method that it takes.
    #[must_use]
    pub const fn method(self) -> Method {
        match self {
            Self::Login | Self::Validate | Self::Refresh | Self::Logout => Method::POST,
            Self::Me | Self::Configuration | Self::Keys => Method::GET,
        }
    }

    /// Its name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Validate => "validate",
            Self::Refresh => "refresh",
            Self::Logout => "logout",
            Self::Me => "me",
            Self::Configuration => "configuration",
            Self::Keys => "keys",
        }
    }

    /// The route of a path, which may come with a stage or a base path in front,
    /// and with a slash behind.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Self::ALL
            .into_iter()
            .find(|route| path.ends_with(route.path()))
    }

    /// The route of a request.
    ///
    /// # Errors
    ///
    /// There is none, or it does not take the request's method.
    pub fn of(request: &Request) -> Result<Self, Rejection> {
        let route = Self::at(request.raw_http_path()).ok_or(Rejection::NotFound)?;
        if *request.method() == route.method() {
            Ok(route)
        } else {
            Err(Rejection::MethodNotAllowed(route))
        }
    }
}
