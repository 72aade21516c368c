//! The path of a request within this API, without what the gateway puts before it.
//!
//! | gateway | path in the event | what comes before the route |
//! |---|---|---|
//! | REST API | `/api/me` | - |
//! | REST API, own domain, mapped without a stage | `/v1/api/me` | the stage |
//! | REST API or HTTP API, own domain with a base path | `/auth/api/me` | the base path |
//! | HTTP API with a named stage | `/v1/api/me` | the stage |
//! | function URL | `/api/me` | - |

use crate::route::{self, Route};

/// What an event says of its path.
pub struct Place<'a> {
    /// The path as the client wrote it, sometimes without the stage.
    pub path: &'a str,
    /// The path in the request context.
    pub context_path: Option<&'a str>,
    /// The path of the gateway's own route that matched.
    pub resource: Option<&'a str>,
    /// The stage.
    pub stage: Option<&'a str>,
    /// The host that the client called.
    pub domain: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// The path within this API. Only a prefix that the event itself names is
    /// removed, so no other prefix reaches a route past a rule on the path.
    pub fn within_api(&self) -> &'a str {
        let is_route = |path: &&str| Route::at(path).is_some();
        [Some(self.path), self.after_stage(), self.after_base_path()]
            .into_iter()
            .flatten()
            .find(is_route)
            .unwrap_or(self.path)
    }

    fn after_stage(&self) -> Option<&'a str> {
        let stage = self.stage.filter(|stage| is_segment(stage))?;
        self.path.strip_prefix('/')?.strip_prefix(stage)
    }

    /// Only a domain of one's own has a base path. There, both paths of the event
    /// are what the client wrote, and the resource is the rest.
    fn after_base_path(&self) -> Option<&'a str> {
        let is_aws =
            |domain: &str| domain.contains(".execute-api.") || domain.contains(".lambda-url.");
        let resource = self.resource?;
        let resource = resource.strip_suffix('/').unwrap_or(resource);
        let written = self.path.strip_suffix('/').unwrap_or(self.path);
        let (at, _) = written
            .rmatch_indices('/')
            .nth(resource.matches('/').count().checked_sub(1)?)?;
        let (base, rest) = written.split_at(at);
        if !route::is_path_of(resource, rest) {
            return None;
        }
        let has_base_path = !is_aws(self.domain?)
            && self.context_path == Some(self.path)
            && base.strip_prefix('/')?.split('/').all(is_segment);
        has_base_path.then(|| &self.path[base.len()..])
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && !text.contains('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWN: &str = "auth.example.com";
    const AWS: &str = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com";

    fn place<'a>(
        path: &'a str,
        context_path: &'a str,
        resource: &'a str,
        stage: &'a str,
        domain: &'a str,
    ) -> Place<'a> {
        Place {
            path,
            context_path: Some(context_path),
            resource: Some(resource),
            stage: Some(stage),
            domain: Some(domain),
        }
    }

    #[test]
    fn what_each_gateway_puts_before_a_route_is_removed() {
        for place in [
            place("/api/me", "/v1/api/me", "/api/me", "v1", AWS),
            place("/api/me/", "/v1/api/me/", "/api/me", "v1", AWS),
            place("/api/me", "/api/api/me", "/api/me", "api", AWS),
            place("/v1/api/me", "/v1/api/me", "/api/me", "v1", OWN),
            place("/auth/api/me", "/auth/api/me", "/api/me", "v1", OWN),
            place("/auth/api/me/", "/auth/api/me/", "/api/me", "v1", OWN),
            place("/a/b/v1/api/me", "/a/b/v1/api/me", "/api/me/", "v1", OWN),
            place("/v1/api/me", "/v1/api/me", "/api/me", "v1", AWS),
            place("/api/me", "/api/me", "$default", "$default", AWS),
        ] {
            let found = Route::at(place.within_api());
            assert_eq!(found, Some(Route::Me), "{}", place.path);
        }
        let (path, resource) = ("/auth/api/me/sessions/x/", "/api/me/sessions/{id}");
        let of_a_parameter = place(path, path, resource, "v1", OWN);
        assert_eq!(of_a_parameter.within_api(), "/api/me/sessions/x/");
    }

    #[test]
    fn no_other_prefix_reaches_a_route() {
        for place in [
            place("/foo/bar/api/me", "/foo/bar/api/me", "/api/me", "v1", AWS),
            place("/foo/api/me", "/v1/foo/api/me", "/api/me", "v1", OWN),
            place("/foo/api/me", "/foo/api/me", "/{proxy+}", "v1", OWN),
            place(
                "/foo/api/me",
                "/foo/api/me",
                "$default",
                "$default",
                "x.lambda-url.eu-west-1.on.aws",
            ),
            place("//api/me", "//api/me", "/api/me", "v1", OWN),
            place("/a//api/me", "/a//api/me", "/api/me", "v1", OWN),
            place("a/api/me", "a/api/me", "/api/me", "v1", OWN),
            place("/v1v1/api/me", "/v1v1/api/me", "$default", "v1", AWS),
            place("/v1/v1/api/me", "/v1/v1/api/me", "$default", "v1", AWS),
            place("/v1//api/me", "/v1//api/me", "$default", "v1", AWS),
            place("/api/me//", "/api/me//", "/api/me", "v1", OWN),
            place("/a/b/api/me", "/a/b/api/me", "$default", "a/b", AWS),
            place("/xapi/me", "/xapi/me", "/api/me", "x", OWN),
        ] {
            assert_eq!(Route::at(place.within_api()), None, "{}", place.path);
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn the_path_within_the_api_is_an_end_of_the_path(
            path in fuzz::text(&["/v1/api/me", "/auth/api/me/", "//api/me"]),
            resource in fuzz::text(&["/api/me", "/api/me/sessions/{id}", "/{proxy+}", "$default"]),
            stage in fuzz::text(&["v1", "$default"]),
        ) {
            let place = place(&path, &path, &resource, &stage, OWN);
            prop_assert!(path.ends_with(place.within_api()));
        }
    }
}
