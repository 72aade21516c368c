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
