//! The API's routes. The gateway, its throttles, preflights, the 405, the router of
//! `cargo lambda watch` and docs/openapi.yaml follow from the rows below, or a test
//! holds them to the rows (`tests/tests/api/routes.rs`).

use lambda_http::{Request, RequestExt, http::Method};

use crate::rejection::Rejection;

/// A function of the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// It sends codes.
    Login,
    /// It has sessions.
    Validate,
}

/// The rate that the gateway allows, for all clients together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// `LoginRequestsPerSecond`.
    Logins,
    /// `ValidateRequestsPerSecond`.
    Validations,
    /// A fixed rate, for what each service that verifies tokens reads.
    Documents,
}

/// The form of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorFormat {
    /// Problem details (RFC 9457).
    Problem,
    /// An error of the OAuth token endpoint (RFC 6749 section 5.2).
    OAuth,
}

/// What there is to know of a route.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The method.
    pub method: &'static str,
    /// The path, without a trailing slash. Routes with other methods may share it. The
    /// last segment may be a parameter, such as `{id}`.
    pub path: &'static str,
    /// The route's name in the log.
    pub name: &'static str,
    /// The function that serves it.
    pub function: Function,
    /// Its rate at the gateway.
    pub throttle: Throttle,
    /// The form of its errors: the same for all routes of a path.
    pub error_format: ErrorFormat,
}

macro_rules! routes {
    ($($(#[$doc:meta])* $route:ident = $method:ident $path:literal $name:literal
        $function:ident $throttle:ident $format:ident;)+) => {
        /// A route: one method at one path.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Route {
            $($(#[$doc])* $route,)+
        }

        impl Route {
            /// All routes.
            pub const ALL: &[Self] = &[$(Self::$route),+];

            /// The row of this route.
            #[must_use]
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$route => Row {
                        method: stringify!($method),
                        path: $path,
                        name: $name,
                        function: Function::$function,
                        throttle: Throttle::$throttle,
                        error_format: ErrorFormat::$format,
                    },)+
                }
            }
        }
    };
}

routes! {
    /// Requests a code (login).
    Login = POST "/api/login-with-otp" "login" Login Logins Problem;
    /// Exchanges a code for tokens (validation).
    Validate = POST "/api/validate-otp" "validate" Validate Validations Problem;
    /// Exchanges a refresh token for new tokens.
    Refresh = POST "/api/token/refresh" "refresh" Validate Validations Problem;
    /// Ends a session.
    Logout = POST "/api/logout" "logout" Validate Validations Problem;
    /// Returns the user of an access token.
    Me = GET "/api/me" "me" Validate Validations Problem;
    /// Deletes the user of an access token.
    DeleteMe = DELETE "/api/me" "delete-me" Validate Validations Problem;
    /// Sends a code that adds a destination to the user.
    AddDestination = POST "/api/me/destinations" "add-destination" Validate Logins Problem;
    /// Adds the destination of a code to the user.
    VerifyDestination = POST "/api/me/destinations/verify" "verify-destination" Validate Validations Problem;
    /// Takes a destination from the user.
    RemoveDestination = POST "/api/me/destinations/remove" "remove-destination" Validate Validations Problem;
    /// Takes the removal of a destination back.
    UndoRemoval = POST "/api/me/destinations/undo" "undo-removal" Validate Validations Problem;
    /// Lists the user's sessions.
    Sessions = GET "/api/me/sessions" "sessions" Validate Validations Problem;
    /// Ends all other sessions of the user.
    EndSessions = DELETE "/api/me/sessions" "end-sessions" Validate Validations Problem;
    /// Ends one session of the user.
    EndSession = DELETE "/api/me/sessions/{id}" "end-session" Validate Validations Problem;
    /// Exchanges a refresh token for new tokens, as OAuth clients do.
    Token = POST "/oauth2/token" "token" Validate Validations OAuth;
    /// Ends a session, as OAuth clients do.
    Revoke = POST "/oauth2/revoke" "revoke" Validate Validations OAuth;
    /// The discovery document of `OpenID` Connect.
    Configuration = GET "/.well-known/openid-configuration" "configuration" Validate Documents Problem;
    /// The metadata of the OAuth authorization server.
    Metadata = GET "/.well-known/oauth-authorization-server" "metadata" Validate Documents Problem;
    /// The public keys.
    Keys = GET "/.well-known/jwks.json" "keys" Validate Documents Problem;
}

impl Route {
    /// The path, without a trailing slash.
    #[must_use]
    pub const fn path(self) -> &'static str {
        self.row().path
    }

    /// The route's name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The function that serves the route.
    #[must_use]
    pub const fn function(self) -> Function {
        self.row().function
    }

    /// The routes at a path within this API, which may end with a slash.
    fn all_at(path: &str) -> impl Iterator<Item = Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        Self::ALL
            .iter()
            .copied()
            .filter(move |route| is_path_of(route.path(), path))
    }

    /// A route of a path, which may end with a slash: all have the same function and the
    /// same form of errors.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        Self::all_at(path).next()
    }

    /// The form of the errors at a request's path, whatever its method.
    #[must_use]
    pub fn error_format_of(request: &Request) -> ErrorFormat {
        Self::at(request.raw_http_path()).map_or(ErrorFormat::Problem, |it| it.row().error_format)
    }

    /// The methods of some routes, each once.
    pub(crate) fn methods(of: impl IntoIterator<Item = Self>) -> Vec<&'static str> {
        let mut methods: Vec<_> = of.into_iter().map(|route| route.row().method).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }

    /// The route of a request.
    ///
    /// # Errors
    ///
    /// No route has this path, or none has this path and this method.
    pub fn of(request: &Request) -> Result<Self, Rejection> {
        let path = request.raw_http_path();
        let method = match request.method() {
            // RFC 9110 section 9.3.2: the same as GET. The gateway drops the content.
            &Method::HEAD => "GET",
            method => method.as_str(),
        };
        let mut routes = Self::all_at(path);
        if let Some(route) = routes.find(|route| route.row().method == method) {
            return Ok(route);
        }
        let methods = Self::methods(Self::all_at(path));
        Err(if methods.is_empty() {
            Rejection::NotFound
        } else {
            Rejection::MethodNotAllowed(methods)
        })
    }
}

/// Whether a path is that of a route or of a resource of the gateway, whose last segment
/// may be a parameter.
pub(crate) fn is_path_of(template: &str, path: &str) -> bool {
    let Some((before, _)) = template.split_once('{') else {
        return path == template;
    };
    let parameter = path.strip_prefix(before);
    parameter.is_some_and(|it| !it.is_empty() && !it.contains('/'))
}

/// The parameter of a route whose path has one.
#[must_use]
pub fn parameter(request: &Request) -> &str {
    let path = request.raw_http_path();
    let path = path.strip_suffix('/').unwrap_or(path);
    path.rsplit('/').next().unwrap_or_default()
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
    fn each_route_is_found_by_its_path_and_its_method() {
        for route in Route::ALL {
            let Row { method, path, .. } = route.row();
            let methods = Route::methods(Route::all_at(path));
            let path = &path.replace("{id}", "a-b_1");
            for path in [path, &format!("{path}/")] {
                assert_eq!(routed(method, path), Ok(*route));
                let refused = Err(Rejection::MethodNotAllowed(methods.clone()));
                assert_eq!(routed("PUT", path), refused, "{path}");
                let request = Request::new(Body::Empty).with_raw_http_path(path);
                assert_eq!(Route::error_format_of(&request), route.row().error_format);
            }
            let is_read = methods.contains(&"GET");
            assert_eq!(routed("HEAD", path).is_ok(), is_read, "{path}");
        }
        for path in [
            "",
            "/",
            "/api",
            "/api/me//",
            "/API/me",
            "/v1/api/me",
            "/api/me/x",
            "/api/me/sessions//",
            "/api/me/sessions/x/y",
        ] {
            assert_eq!(routed("GET", path), Err(Rejection::NotFound), "{path}");
            let request = Request::new(Body::Empty).with_raw_http_path(path);
            assert_eq!(Route::error_format_of(&request), ErrorFormat::Problem);
        }
    }

    #[test]
    fn routes_of_one_path_share_a_function_and_a_form_of_errors() {
        for route in Route::ALL {
            let first = Route::at(route.path()).unwrap().row();
            assert_eq!(route.function(), first.function);
            assert_eq!(route.row().error_format, first.error_format);
        }
    }
}
