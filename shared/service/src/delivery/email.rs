use std::collections::BTreeMap;

use aws_sdk_sesv2::{
    Client,
    error::{BuildError, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message, MessageHeader, Template},
};
use aws_smithy_types::{DateTime, date_time::Format};
use otp_domain::{EmailAddress, UnixTime};
use otp_messages::{EmailDetails, Language, Messages};
use tokio::time::timeout;

use super::{
    CodeMessage, DeliveryFailure, Settings,
    template::{Found, OwnTemplate, TEMPLATED_DELIVERY},
};
use crate::{
    about::MessageId,
    aws::{Aws, ProviderConnection, Service},
    fault::{Cause, Dependency, Fault},
};

const OPERATION: &str = "SendEmail";

/// Sends e-mail through Amazon SES.
pub(super) struct EmailSender {
    client: Client,
    pub(super) connection: ProviderConnection,
    from: EmailAddress,
    template: Option<OwnTemplate>,
}

/// Why SES sent nothing.
enum Failed {
    /// It has no template of this name.
    NoTemplate(DeliveryFailure),
    Otherwise(DeliveryFailure),
}

impl EmailSender {
    pub(super) fn new(aws: &Aws, from: EmailAddress, settings: &Settings) -> Self {
        let default_language = settings.messages.settings().default_language;
        let template = settings.email_template.clone();
        Self {
            client: aws.ses(),
            connection: ProviderConnection::new(aws, Service::Email),
            from,
            template: template.map(|base| OwnTemplate::new(base, default_language)),
        }
    }

    pub(super) async fn warm_up(&self, messages: &Messages) -> Result<(), Fault> {
        self.connection.open().await;
        let Some(template) = &self.template else {
            return Ok(());
        };
        let language = messages.settings().default_language;
        template.find(&self.client, language).await.map(|_| ())
    }

    pub(super) async fn send(
        &self,
        to: &EmailAddress,
        messages: &Messages,
        message: &CodeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let told = messages.settings().request_details;
        let requested_at = told.then(|| minute(message.requested_at));
        let details = EmailDetails {
            code: message.code,
            challenge_id: message.challenge_id,
            requested_at: requested_at.as_deref().unwrap_or_default(),
            requested_from: message.client.as_str(),
        };
        let language = message.selection.language;
        let Some(template) = &self.template else {
            let content = simple(language, messages, &details);
            return self.send_content(to, content).await.map_err(Failed::into);
        };
        let fill = |found: &Found| templated(found, &messages.variables(found.language, &details));
        let sending = self.send_template(to, template, language, fill);
        let sent = timeout(TEMPLATED_DELIVERY, sending).await;
        sent.unwrap_or_else(|_| {
            let fault = Fault::new(Dependency::Provider, OPERATION, Cause::Timeout);
            Err(DeliveryFailure::Unconfirmed(fault))
        })
    }

    async fn send_template(
        &self,
        to: &EmailAddress,
        template: &OwnTemplate,
        language: Language,
        fill: impl Fn(&Found) -> Result<EmailContent, BuildError>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let found = template.find(&self.client, language).await;
        let found = found.map_err(DeliveryFailure::NotSent)?;
        let base = template.base();
        match self.send_content(to, fill(&found)).await {
            // It was not known whether the language has a template of its own.
            Err(Failed::NoTemplate(_)) if found.name != base.name => self
                .send_content(to, fill(&base))
                .await
                .map_err(Failed::into),
            sent => sent.map_err(Failed::into),
        }
    }

    async fn send_content(
        &self,
        to: &EmailAddress,
        content: Result<EmailContent, BuildError>,
    ) -> Result<Option<MessageId>, Failed> {
        let content =
            content.map_err(|_| Failed::Otherwise(DeliveryFailure::not_built(OPERATION)))?;
        let sent = self
            .client
            .send_email()
            .from_email_address(self.from.as_str())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(content)
            .send()
            .await;
        sent.map(|sent| MessageId::new(sent.message_id))
            .map_err(|error| {
                let failure = DeliveryFailure::from_sdk(OPERATION, &error, is_about_address);
                let missing = matches!(&error, SdkError::ServiceError(service)
                if matches!(service.err(), SendEmailError::NotFoundException(_)));
                if missing {
                    Failed::NoTemplate(failure)
                } else {
                    Failed::Otherwise(failure)
                }
            })
    }
}

impl From<Failed> for DeliveryFailure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::NoTemplate(failure) | Failed::Otherwise(failure) => failure,
        }
    }
}

/// Unreachable: without `EMAIL_FROM`, [`check`](super::MessageSender::check)
/// refuses first.
pub(super) fn switched_off() -> DeliveryFailure {
    let cause = "e-mail is switched off";
    DeliveryFailure::NotSent(Fault::new(Dependency::Provider, OPERATION, cause))
}

fn simple(
    language: Language,
    messages: &Messages,
    details: &EmailDetails<'_>,
) -> Result<EmailContent, BuildError> {
    let utf8 = |text: String| Content::builder().data(text).charset("UTF-8").build();
    let email = messages.email(language, details);
    let body = Body::builder()
        .text(utf8(email.text)?)
        .html(utf8(email.html)?)
        .build();
    let message = Message::builder()
        .subject(utf8(email.subject)?)
        .body(body)
        .set_headers(Some(headers(language)?))
        .build();
    Ok(EmailContent::builder().simple(message).build())
}

fn templated(
    found: &Found,
    variables: &BTreeMap<&str, String>,
) -> Result<EmailContent, BuildError> {
    let template = Template::builder()
        .template_name(&found.name)
        .template_data(serde_json::to_string(variables).unwrap_or_default())
        .set_headers(Some(headers(found.language)?))
        .build();
    Ok(EmailContent::builder().template(template).build())
}

/// Mail programs do not answer an automatic message (RFC 3834), and know its language.
fn headers(language: Language) -> Result<Vec<MessageHeader>, BuildError> {
    let header = |name, value| MessageHeader::builder().name(name).value(value).build();
    Ok(vec![
        header("Auto-Submitted", "auto-generated")?,
        header("Content-Language", language.tag())?,
    ])
}

/// `2026-01-31 12:00 UTC`.
fn minute(time: UnixTime) -> String {
    let millis = i64::try_from(time.as_millis()).unwrap_or_default();
    let text = DateTime::from_millis(millis)
        .fmt(Format::DateTime)
        .unwrap_or_default();
    let (date, time) = text.split_once('T').unwrap_or_default();
    format!("{date} {} UTC", time.get(..5).unwrap_or_default())
}

/// SES: `Domain contains control or whitespace`, `Invalid email address …`. An address
/// that the account may not use is a `MessageRejected`, a mistake of the deployment. So
/// is a wrong sender; ours is well-formed. A message about the operator's template
/// may name an address, too.
fn is_about_address(code: &str, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    code == "BadRequestException"
        && ["address", "domain"]
            .iter()
            .any(|word| message.contains(word))
        && !["from", "template"]
            .iter()
            .any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_says_that_nobody_wrote_it_and_in_which_language_it_is() {
        let headers = headers(Language::lookup("pt").unwrap()).unwrap();
        let told: Vec<_> = headers.iter().map(|it| (it.name(), it.value())).collect();
        assert_eq!(
            told,
            [
                ("Auto-Submitted", "auto-generated"),
                ("Content-Language", "pt-BR"),
            ]
        );
    }

    #[test]
    fn a_time_has_its_zone_and_no_seconds() {
        assert_eq!(
            minute(UnixTime::from_millis(1_769_860_859_999)),
            "2026-01-31 12:00 UTC"
        );
    }

    #[test]
    fn only_an_error_about_the_address_is_one() {
        for message in [
            "Invalid email address user@example.",
            "Domain contains control or whitespace",
            "Local address contains control or whitespace",
            "Missing final '@domain'",
            "Illegal address",
        ] {
            assert!(
                is_about_address("BadRequestException", message),
                "{message}"
            );
        }
        for (code, message) in [
            ("BadRequestException", "FromEmailAddress is not an address"),
            ("BadRequestException", "Body must contain Text or Html."),
            (
                "BadRequestException",
                "Template lacks the variable address.",
            ),
            ("BadRequestException", ""),
            ("MessageRejected", "Email address is not verified."),
            ("AccountSuspendedException", "The domain is suspended."),
            (
                "MailFromDomainNotVerifiedException",
                "The domain is not verified.",
            ),
        ] {
            assert!(!is_about_address(code, message), "{code} {message}");
        }
    }
}
