//! The account's suppression list.

use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::{super::protocol::AwsError, bad_request};
use crate::inbox::Inbox;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    email_address: String,
}

/// Answers a call of the list. `path` is what follows `/v2/email/suppression/addresses`.
pub(super) fn answer(
    inbox: &Inbox,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<String, AwsError> {
    if *method == Method::PUT {
        let put: Put = serde_json::from_slice(body)
            .map_err(|_| bad_request("The body is not the JSON of a suppressed destination."))?;
        inbox.suppress(&put.email_address);
        return Ok("{}".to_owned());
    }
    let named = form_urlencoded::parse(path.trim_start_matches('/').replace('+', "%2B").as_bytes())
        .next()
        .map(|(name, _)| name.into_owned());
    let address = named.unwrap_or_default();
    let missing = || AwsError {
        status: StatusCode::NOT_FOUND,
        code: "NotFoundException",
        message: "The address is not on the list.".to_owned(),
    };
    match *method {
        Method::DELETE if inbox.unsuppress(&address) => Ok("{}".to_owned()),
        Method::GET if inbox.is_suppressed(&address) => Ok(json!({ "SuppressedDestination": {
            "EmailAddress": address, "Reason": "COMPLAINT", "LastUpdateTime": 0,
        }})
        .to_string()),
        _ => Err(missing()),
    }
}
