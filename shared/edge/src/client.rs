//! The address of a request's client.

use lambda_http::{Request, RequestExt, request::RequestContext};
use otp_domain::{ClientAddress, TrustedProxies};

const FORWARDED: &str = "x-forwarded-for";

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
    // An entry that is no text still counts as one.
    let lines = request.headers().get_all(FORWARDED).iter();
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    let forwarded: Vec<_> = lines.flat_map(|line| line.split(',')).collect();
    ClientAddress::behind(proxies, source_ip, &forwarded)
}
