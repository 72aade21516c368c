//! The address of a request's client.

use lambda_http::{Request, RequestExt, request::RequestContext};
use otp_domain::{ClientAddress, TrustedProxies};

const FORWARDED: &str = "x-forwarded-for";

/// In the host name of every function URL.
const FUNCTION_URL: &str = ".lambda-url.";

/// Finds the client's address, and keeps it with the request.
pub fn identify(request: &mut Request, proxies: TrustedProxies) {
    let address = address(request, proxies);
    request.extensions_mut().insert(address);
}

/// The client's address; that of all unreadable addresses if it was never found.
pub fn of(request: &Request) -> ClientAddress {
    let known = request.extensions().get().cloned();
    known.unwrap_or_else(|| ClientAddress::from_gateway(None))
}

/// The gateway's source address, unless trusted proxies stand in front of it.
fn address(request: &Request, proxies: TrustedProxies) -> ClientAddress {
    let context = request.request_context_ref();
    let source_ip = match &context {
        Some(RequestContext::ApiGatewayV1(context)) => context.identity.source_ip.as_deref(),
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    // A function URL hands on only the first entry, which a client can write.
    let is_function_url = matches!(
        &context,
        Some(RequestContext::ApiGatewayV2(context))
            if context.domain_name.as_deref().is_some_and(|host| host.contains(FUNCTION_URL))
    );
    if is_function_url {
        return ClientAddress::from_gateway(source_ip);
    }
    // An entry that is no text still counts as one.
    let lines = request.headers().get_all(FORWARDED).iter();
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    let forwarded: Vec<_> = lines.flat_map(|line| line.split(',')).collect();
    ClientAddress::behind(proxies, source_ip, &forwarded)
}

#[cfg(test)]
mod tests {
    use crate::event;

    use super::*;

    const EDGE: &str = "198.51.100.1";
    const VIEWER: &str = "203.0.113.7";

    /// The address of a client whose request came over one trusted proxy.
    fn identified(context: &str, headers: &str) -> String {
        let event = format!(
            r#"{{"httpMethod":"GET","path":"/","headers":{headers},"requestContext":{context}}}"#
        );
        let mut request = event::request(&event).unwrap();
        assert_eq!(of(&request).as_str(), "unknown");
        identify(&mut request, TrustedProxies::new(1));
        of(&request).as_str().to_owned()
    }

    #[test]
    fn a_gateway_hands_on_what_the_trusted_proxy_saw_and_a_function_url_does_not() {
        let forwarded = format!(r#"{{"X-Forwarded-For":"1.1.1.1, {VIEWER}, {EDGE}"}}"#);
        let rest = format!(r#"{{"identity":{{"sourceIp":"{EDGE}"}}}}"#);
        let http = format!(r#"{{"http":{{"method":"GET","sourceIp":"{EDGE}"}}}}"#);
        let of_domain = |name: &str| http.replacen('{', &format!(r#"{{"domainName":"{name}","#), 1);
        let url = of_domain("x.lambda-url.eu-west-1.on.aws");
        let own = of_domain("auth.example.com");
        for (context, expected) in [
            (&rest, VIEWER),
            (&http, VIEWER),
            (&own, VIEWER),
            (&url, EDGE),
        ] {
            assert_eq!(identified(context, &forwarded), expected, "{context}");
            assert_eq!(identified(context, "{}"), EDGE, "{context}");
        }
        // An entry that is no text still counts as one.
        let odd = format!(r#"{{"X-Forwarded-For":"{VIEWER}, é, {EDGE}"}}"#);
        assert_eq!(identified(&rest, &odd), EDGE);
    }
}
