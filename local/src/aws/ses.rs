//! SES v2: `SendEmail` with simple or templated content, delivered to the inbox, the templates
//! that it names, and what an account says of itself. What becomes of an e-mail is reported.

mod account;
mod events;
mod suppression;
mod templates;

use axum::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::templates::Templates;
use super::protocol::AwsError;
use crate::inbox::{Channel, Draft, Inbox};

const MAX_RECIPIENTS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    #[serde(default)]
    destination: Destination,
    #[serde(default)]
    content: Content,
    #[serde(default)]
    email_tags: Vec<Tag>,
    configuration_set_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Vec<String>,
    #[serde(rename = "CcAddresses")]
    cc: Vec<String>,
    #[serde(rename = "BccAddresses")]
    bcc: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Content {
    simple: Option<Simple>,
    raw: Option<serde::de::IgnoredAny>,
    template: Option<templates::Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Text,
    body: Parts,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

/// What arrives.
struct Email {
    subject: String,
    text: Option<String>,
    html: Option<String>,
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parts {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    data: String,
    charset: Option<String>,
}

pub(super) fn answer(
    inbox: &Inbox,
    templates: &Templates,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Result<String, AwsError> {
    if let Some(path) = path.strip_prefix("/v2/email/templates") {
        return templates.answer(method, path, body);
    }
    if let Some(path) = path.strip_prefix("/v2/email/suppression/addresses") {
        return suppression::answer(inbox, method, path, body);
    }
    if method == Method::GET
        && let Some(answer) = account::answer(inbox, path)
    {
        return Ok(answer);
    }
    if method != Method::POST || path != "/v2/email/outbound-emails" {
        return Err(AwsError {
            status: StatusCode::NOT_FOUND,
            code: "UnknownOperationException",
            message:
                "Of SES, only SendEmail, templates, suppressed destinations and the account are \
                 emulated."
                    .to_owned(),
        });
    }
    // The parser's message may quote the request, which contains a code.
    let request = serde_json::from_slice(body)
        .map_err(|_| bad_request("The body is not the JSON of a SendEmail request."))?;
    let message_id = send(inbox, templates, request)?;
    Ok(json!({ "MessageId": message_id }).to_string())
}

/// Delivers one message to each recipient, and returns the first message's id.
fn send(inbox: &Inbox, templates: &Templates, request: SendEmail) -> Result<String, AwsError> {
    let from = request
        .from_email_address
        .ok_or_else(|| bad_request("FromEmailAddress is required."))?;
    mailbox(&from)?;
    let recipients = recipients(&request.destination)?;
    let email = email(request.content, templates)?;
    if email.text.is_none() && email.html.is_none() {
        return Err(bad_request("Body must contain Text or Html."));
    }
    if inbox.refuses("email") {
        // SES quotes the addresses, too. The caller must keep them out of its logs.
        return Err(AwsError::client(
            "MessageRejected",
            format!("Email address is not verified: {}", recipients.join(", ")),
        ));
    }

    let tags = request.email_tags.iter();
    let set = request.configuration_set_name.as_deref();
    let tags: Value = tags
        .map(|tag| (tag.name.as_str(), tag.value.as_str()))
        .chain(set.map(|set| ("ses:configuration-set", set)))
        .map(|(name, value)| (name.to_owned(), json!([value])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut headers = email.headers.iter();
    let language = headers.find(|header| header.name.eq_ignore_ascii_case("Content-Language"));
    let mut ids = recipients.into_iter().map(|to| {
        let id = inbox.receive(Draft {
            channel: Channel::Email,
            way: "email".to_owned(),
            to: to.clone(),
            from: Some(from.clone()),
            subject: Some(email.subject.clone()),
            text: email.text.clone(),
            html: email.html.clone(),
            locale: language.map(|header| header.value.clone()),
        });
        let taken = events::Taken {
            id: &id,
            to: &to,
            tags: &tags,
            at: inbox.now(),
        };
        let (state, events) = taken.events(inbox.is_suppressed(&to));
        inbox.report(&id, state, &events);
        id
    });
    let first = ids.next().unwrap_or_default();
    ids.for_each(drop);
    Ok(first)
}

fn recipients(destination: &Destination) -> Result<Vec<String>, AwsError> {
    let Destination { to, cc, bcc } = destination;
    let all: Vec<_> = [to, cc, bcc]
        .into_iter()
        .flatten()
        .map(|address| mailbox(address))
        .collect::<Result<_, _>>()?;
    match all.len() {
        0 => Err(bad_request("Destination must have a recipient.")),
        1..=MAX_RECIPIENTS => Ok(all),
        _ => Err(bad_request("Recipient count exceeds 50.")),
    }
}

fn email(content: Content, templates: &Templates) -> Result<Email, AwsError> {
    match content {
        Content { raw: Some(_), .. } => Err(bad_request(
            "Content.Raw is not emulated: use Content.Simple or Content.Template.",
        )),
        Content {
            simple: Some(simple),
            template: None,
            ..
        } => Ok(Email {
            subject: simple.subject.decoded()?,
            text: simple.body.text.map(Text::decoded).transpose()?,
            html: simple.body.html.map(Text::decoded).transpose()?,
            headers: simple.headers,
        }),
        Content {
            simple: None,
            template: Some(template),
            ..
        } => templates.fill(template),
        _ => Err(bad_request(
            "Content must be one of Content.Simple and Content.Template.",
        )),
    }
}

/// The bare address of `local@domain` or `Name <local@domain>`.
fn mailbox(written: &str) -> Result<String, AwsError> {
    let address = written
        .strip_suffix('>')
        .and_then(|rest| rest.rsplit_once('<'))
        .map_or(written, |(_, address)| address);
    let (local, domain) = address
        .rsplit_once('@')
        .ok_or_else(|| bad_request("Missing final '@domain'"))?;
    let plain = |part: &str| !part.is_empty() && !part.contains([' ', '<', '>', '\r', '\n']);
    if !plain(local) || !plain(domain) {
        return Err(bad_request("An address is not of the form local@domain."));
    }
    if !address.is_ascii() {
        return Err(bad_request(
            "Addresses with non-ASCII characters are not supported.",
        ));
    }
    Ok(address.to_owned())
}

impl Text {
    /// The data, if the charset can encode it. Without a charset, SES sends 7-bit ASCII.
    fn decoded(self) -> Result<String, AwsError> {
        match self.charset.as_deref() {
            Some(charset) if charset.eq_ignore_ascii_case("utf-8") => Ok(self.data),
            Some(_) => Err(bad_request("The only emulated Charset is UTF-8.")),
            None if self.data.is_ascii() => Ok(self.data),
            None => Err(bad_request("Non-ASCII data requires a Charset.")),
        }
    }
}

fn bad_request(message: &str) -> AwsError {
    AwsError::client("BadRequestException", message)
}

#[cfg(test)]
mod tests;
