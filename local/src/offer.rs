//! Posts to a program on this machine, until it takes what it is offered.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, Uri, header::CONTENT_TYPE},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::sleep;

/// How often something is offered to a program that fails. AWS does it for hours or days.
const OFFERS: u32 = 3;

/// The pause between two offers.
const PAUSE: Duration = Duration::from_secs(1);

/// Makes offers. Clones share the connections.
#[derive(Clone)]
pub(crate) struct Offers(Client<HttpConnector, Body>);

impl Default for Offers {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl Offers {
    /// Posts until the program takes it.
    pub(crate) async fn make(
        &self,
        url: &Uri,
        media_type: &str,
        header: Option<(&str, &str)>,
        body: &str,
    ) {
        for _ in 0..OFFERS {
            let mut request = Request::post(url).header(CONTENT_TYPE, media_type);
            if let Some((name, value)) = header {
                request = request.header(name, value);
            }
            let Ok(request) = request.body(Body::from(body.to_owned())) else {
                return;
            };
            let answer = self.0.request(request).await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            sleep(PAUSE).await;
        }
    }
}

/// Reads a URL that offers can go to.
pub(crate) fn url(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let is_http = url.scheme_str() == Some("http") && url.authority().is_some();
    is_http.then_some(url)
}
