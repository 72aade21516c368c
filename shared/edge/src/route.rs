//! The API's routes.

use lambda_http::{Request, RequestExt, http::Method};

use crate::rejection::Rejection;

/// A route, with one path and one method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Requests a code (login).
    Login,
    /// Exchanges a code for tokens (validation).
    Validate,
    /// Exchanges a refresh token for new tokens.
    Refresh,
    /// Ends a session.
    Logout,
    /// Returns the user of an access token.
    Me,
    /// Exchanges a refresh token for new tokens, as OAuth clients do.
    Token,
    /// Ends a session, as OAuth clients do.
    Revoke,
    /// The discovery document of `OpenID` Connect.
    Configuration,
    /// The metadata of the OAuth authorization server.
    Metadata,
    /// The public keys.
    Keys,
}

/// The form of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    /// Problem details (RFC 9457).
    Problem,
    /// An error of the OAuth token endpoint (RFC 6749 section 5.2).
    OAuth,
}

impl Route {
    /// All routes.
    pub const ALL: [Self; 10] = [
        Self::Login,
        Self::Validate,
        Self::Refresh,
        Self::Logout,
        Self::Me,
        Self::Token,
        Self::Revoke,
        Self::Configuration,
        Self::Metadata,
        Self::Keys,
    ];

    /// The path, without a trailing slash.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Login => "/api/login-with-otp",
            Self::Validate => "/api/validate-otp",
            Self::Refresh => "/api/token/refresh",
            Self::Logout => "/api/logout",
            Self::Me => "/api/me",
            Self::Token => "/oauth2/token",
            Self::Revoke => "/oauth2/revoke",
            Self::Configuration => "/.well-known/openid-configuration",
            Self::Metadata => "/.well-known/oauth-authorization-server",
            Self::Keys => "/.well-known/jwks.json",
        }
    }

    /// The method that the route takes.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Login
            | Self::Validate
            | Self::Refresh
            | Self::Logout
            | Self::Token
            | Self::Revoke => "POST",
            Self::Me | Self::Configuration | Self::Metadata | Self::Keys => "GET",
        }
    }

    /// The route's name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Validate => "validate",
            Self::Refresh => "refresh",
            Self::Logout => "logout",
            Self::Me => "me",
            Self::Token => "token",
            Self::Revoke => "revoke",
            Self::Configuration => "configuration",
            Self::Metadata => "metadata",
            Self::Keys => "keys",
        }
    }

    /// The form of this route's errors.
    #[must_use]
    pub const fn error_format(self) -> ErrorFormat {
        match self {
            Self::Token | Self::Revoke => ErrorFormat::OAuth,
            Self::Login
            | Self::Validate
            | Self::Refresh
            | Self::Logout
            | Self::Me
            | Self::Configuration
            | Self::Metadata
            | Self::Keys => ErrorFormat::Problem,
        }
    }

    /// The form of the errors at a request's path, whatever its method.
    #[must_use]
    pub fn error_format_of(request: &Request) -> ErrorFormat {
        Self::at(request.raw_http_path()).map_or(ErrorFormat::Problem, Self::error_format)
    }

    /// The route of a path within this API, which may end with a slash.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Self::ALL.into_iter().find(|route| path == route.path())
    }

    /// The route of a request.
    ///
    /// # Errors
    ///
    /// No route has this path, or the route takes another method.
    pub fn of(request: &Request) -> Result<Self, Rejection> {
        let route = Self::at(request.raw_http_path()).ok_or(Rejection::NotFound)?;
        let method = match request.method() {
            // RFC 9110 section 9.3.2: the same as GET. The gateway drops the content.
            &Method::HEAD => "GET",
            method => method.as_str(),
        };
        if method == route.method() {
            Ok(route)
        } else {
            Err(Rejection::MethodNotAllowed(route.method()))
        }
    }
}
