use std::collections::BTreeMap;

use aws_sdk_sesv2::{
    Client,
    error::{BuildError, SdkError},
    operation::send_email::{SendEmailError, builders::SendEmailFluentBuilder},
    types::{
        Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag, Template,
    },
};
use aws_smithy_types::{DateTime, date_time::Format};
use otp_domain::{EmailAddress, UnixTime};
use otp_messages::{Email, EmailDetails, Language, Messages};
use tokio::time::timeout;

use super::{
    CodeMessage, DeliveryFailure, EmailFrom, NoticeMessage, Settings,
    template::{Found, OwnTemplate, TEMPLATED_DELIVERY},
};
use crate::{
    about::MessageId,
    aws::{Aws, ProviderConnection, Service},
    fault::{Cause, Dependency, Fault},
};

const OPERATION: &str = "SendEmail";

/// The tag that names the challenge in every event of SES about the message.
const CHALLENGE_TAG: &str = "challenge_id";

/// Sends e-mail through Amazon SES.
pub(super) struct EmailSender {
    client: Client,
    pub(super) connection: ProviderConnection,
    /// The header `From`.
    from: String,
    identity: Option<String>,
    configuration_set: Option<String>,
    template: Option<OwnTemplate>,
}

/// Why SES sent nothing.
enum Failed {
    /// It has no template of this name.
    NoTemplate(DeliveryFailure),
    Otherwise(DeliveryFailure),
}

impl EmailSender {
    pub(super) fn new(aws: &Aws, from: &EmailFrom, settings: &Settings) -> Self {
        let messages = settings.messages.settings();
        let template = settings.email_template.clone();
        Self {
            client: aws.ses(),
            connection: ProviderConnection::new(aws, Service::Email),
            from: from.header(messages.brand.as_str()),
            identity: settings.email_identity.clone(),
            configuration_set: settings.configuration_set.clone(),
            template: template.map(|base| OwnTemplate::new(base, messages.default_language)),
        }
    }

    pub(super) async fn warm_up(&self, messages: &Messages) -> Result<(), Fault> {
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
        let requested_at = requested_at(messages, message);
        let details = details(message, &requested_at);
        let language = message.selection.language;
        let id = message.challenge_id.as_str();
        let headers = |language| headers(language, id, message.requested_at);
        let Some(template) = &self.template else {
            let content = simple(headers(language), messages.email(language, &details));
            let sent = self.send_content(to, id, content).await;
            return sent.map_err(Failed::into);
        };
        let fill = |found: &Found| {
            let variables = messages.variables(found.language, &details);
            templated(headers(found.language), found, &variables)
        };
        let sending = self.send_template(to, template, message, fill);
        let sent = timeout(TEMPLATED_DELIVERY, sending).await;
        sent.unwrap_or_else(|_| {
            let fault = Fault::new(Dependency::Provider, OPERATION, Cause::Timeout);
            Err(DeliveryFailure::Unconfirmed(fault))
        })
    }

    /// Sends a message that has no code, and so is in no template.
    pub(super) async fn notify(
        &self,
        to: &EmailAddress,
        content: Email,
        message: &NoticeMessage<'_>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let headers = headers(message.language, message.id, message.at);
        let sent = self.send_content(to, message.id, simple(headers, content));
        sent.await.map_err(Failed::into)
    }

    async fn send_template(
        &self,
        to: &EmailAddress,
        template: &OwnTemplate,
        message: &CodeMessage<'_>,
        fill: impl Fn(&Found) -> Result<EmailContent, BuildError>,
    ) -> Result<Option<MessageId>, DeliveryFailure> {
        let (language, id) = (message.selection.language, message.challenge_id.as_str());
        let found = template.find(&self.client, language).await;
        let found = found.map_err(DeliveryFailure::NotSent)?;
        let base = template.base();
        match self.send_content(to, id, fill(&found)).await {
            // It was not known whether the language has a template of its own.
            Err(Failed::NoTemplate(_)) if found.name != base.name => self
                .send_content(to, id, fill(&base))
                .await
                .map_err(Failed::into),
            sent => sent.map_err(Failed::into),
        }
    }

    fn request(
        &self,
        to: &EmailAddress,
        id: &str,
        content: EmailContent,
    ) -> Result<SendEmailFluentBuilder, BuildError> {
        let tag = MessageTag::builder().name(CHALLENGE_TAG);
        let tag = tag.value(id).build()?;
        let request = self.client.send_email().from_email_address(&self.from);
        Ok(request
            .set_from_email_address_identity_arn(self.identity.clone())
            .set_configuration_set_name(self.configuration_set.clone())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .email_tags(tag)
            .content(content))
    }

    async fn send_content(
        &self,
        to: &EmailAddress,
        id: &str,
        content: Result<EmailContent, BuildError>,
    ) -> Result<Option<MessageId>, Failed> {
        let request = content.and_then(|content| self.request(to, id, content));
        let request =
            request.map_err(|_| Failed::Otherwise(DeliveryFailure::not_built(OPERATION)))?;
        let sent = request.send().await;
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

/// When the code was requested, if this deployment's e-mails tell it.
pub(super) fn requested_at(messages: &Messages, message: &CodeMessage<'_>) -> String {
    if messages.settings().request_details {
        minute(message.requested_at)
    } else {
        String::new()
    }
}

/// What an e-mail is about.
pub(super) fn details<'a>(message: &'a CodeMessage<'_>, requested_at: &'a str) -> EmailDetails<'a> {
    EmailDetails {
        code: message.code,
        confirms: message.confirms,
        challenge_id: message.challenge_id,
        requested_at,
        requested_from: message.client.as_str(),
    }
}

type Headers = Result<Vec<MessageHeader>, BuildError>;

fn simple(headers: Headers, email: Email) -> Result<EmailContent, BuildError> {
    let utf8 = |text: String| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder()
        .text(utf8(email.text)?)
        .html(utf8(email.html)?)
        .build();
    let message = Message::builder()
        .subject(utf8(email.subject)?)
        .body(body)
        .set_headers(Some(headers?))
        .build();
    Ok(EmailContent::builder().simple(message).build())
}

fn templated(
    headers: Headers,
    found: &Found,
    variables: &BTreeMap<&str, String>,
) -> Result<EmailContent, BuildError> {
    let template = Template::builder()
        .template_name(&found.name)
        .template_data(serde_json::to_string(variables).unwrap_or_default())
        .set_headers(Some(headers?))
        .build();
    Ok(EmailContent::builder().template(template).build())
}

/// Mail programs do not answer an automatic message (RFC 3834), know its language, and
/// make no thread of messages with different ids, in which the newest code would hide.
fn headers(language: Language, id: &str, at: UnixTime) -> Headers {
    let header = |name, value: &str| MessageHeader::builder().name(name).value(value).build();
    let id = format!("{id}-{}", at.as_millis());
    Ok(vec![
        header("Auto-Submitted", "auto-generated")?,
        header("Content-Language", language.tag())?,
        header("X-Entity-Ref-ID", &id)?,
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
    fn an_email_says_that_nobody_wrote_it_in_which_language_it_is_and_that_it_stands_alone() {
        let challenge = "AAAAAAAAAAAAAAAAAAAAAA";
        let language = Language::lookup("pt").unwrap();
        let headers = headers(language, challenge, UnixTime::from_millis(7)).unwrap();
        let told: Vec<_> = headers.iter().map(|it| (it.name(), it.value())).collect();
        assert_eq!(
            told,
            [
                ("Auto-Submitted", "auto-generated"),
                ("Content-Language", "pt-BR"),
                ("X-Entity-Ref-ID", "AAAAAAAAAAAAAAAAAAAAAA-7"),
            ]
        );
    }

    #[test]
    fn an_email_names_the_identity_and_the_configuration_set_of_the_organisation() {
        use aws_sdk_sesv2::config::BehaviorVersion;
        let sdk = aws_types::SdkConfig::builder().behavior_version(BehaviorVersion::latest());
        let aws = Aws::new(sdk.build(), &crate::aws::TrustRoots::default());
        let (identity, set) = (
            "arn:aws:ses:eu-west-1:123456789012:identity/a.example",
            "events",
        );
        let mut sender = EmailSender {
            client: aws.ses(),
            connection: ProviderConnection::new(&aws, Service::Email),
            from: "\"Shop\" <login@a.example>".to_owned(),
            identity: Some(identity.to_owned()),
            configuration_set: Some(set.to_owned()),
            template: None,
        };
        let to = EmailAddress::parse("alice@example.com").unwrap();
        let challenge = "AAAAAAAAAAAAAAAAAAAAAA";
        let request = |sender: &EmailSender| {
            let request = sender.request(&to, challenge, EmailContent::builder().build());
            request.unwrap()
        };
        let (request, of) = (request(&sender), request);
        assert_eq!(
            request.get_from_email_address().as_ref(),
            Some(&sender.from)
        );
        let named = request.get_from_email_address_identity_arn().as_deref();
        assert_eq!(named, Some(identity));
        assert_eq!(request.get_configuration_set_name().as_deref(), Some(set));
        let tags = request.get_email_tags().as_deref().unwrap_or_default();
        let tags: Vec<_> = tags.iter().map(|tag| (tag.name(), tag.value())).collect();
        assert_eq!(tags, [("challenge_id", challenge)]);
        (sender.identity, sender.configuration_set) = (None, None);
        let request = of(&sender);
        assert_eq!(request.get_from_email_address_identity_arn(), &None);
        assert_eq!(request.get_configuration_set_name(), &None);
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
