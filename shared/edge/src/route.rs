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

#[cfg(test)]
mod tests {
    use lambda_http::Body;

    use super::*;

    fn routed(method: &str, path: &str) -> Result<Route, Rejection> {
        let mut request = Request::new(Body::Empty).with_raw_http_path(path);
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        Route::of(&request)
    }

    #[test]
    fn each_route_has_its_path_its_method_its_name_and_its_form_of_errors() {
        let (problem, oauth) = (ErrorFormat::Problem, ErrorFormat::OAuth);
        let routes = [
            ("POST", "/api/login-with-otp", "login", problem),
            ("POST", "/api/validate-otp", "validate", problem),
            ("POST", "/api/token/refresh", "refresh", problem),
            ("POST", "/api/logout", "logout", problem),
            ("GET", "/api/me", "me", problem),
            ("POST", "/oauth2/token", "token", oauth),
            ("POST", "/oauth2/revoke", "revoke", oauth),
            (
                "GET",
                "/.well-known/openid-configuration",
                "configuration",
                problem,
            ),
            (
                "GET",
                "/.well-known/oauth-authorization-server",
                "metadata",
                problem,
            ),
            ("GET", "/.well-known/jwks.json", "keys", problem),
        ];
        assert_eq!(Route::ALL.len(), routes.len());
        for (method, path, name, format) in routes {
            let other = if method == "GET" { "POST" } else { "GET" };
            for path in [path, &format!("{path}/")] {
                let route = routed(method, path).unwrap();
                assert_eq!(route.name(), name);
                let refused = Err(Rejection::MethodNotAllowed(method));
                assert_eq!(routed(other, path), refused, "{path}");
                let request = Request::new(Body::Empty).with_raw_http_path(path);
                assert_eq!(Route::error_format_of(&request), format, "{path}");
            }
            let head = routed("HEAD", path).map(Route::name);
            assert_eq!(head.is_ok(), method == "GET", "{path}");
        }
        for path in [
            "",
            "/",
            "/api",
            "/api/me//",
            "/API/me",
            "/v1/api/me",
            "/api/me/x",
        ] {
            assert_eq!(routed("GET", path), Err(Rejection::NotFound), "{path}");
            let request = Request::new(Body::Empty).with_raw_http_path(path);
            assert_eq!(Route::error_format_of(&request), problem);
        }
    }
}
