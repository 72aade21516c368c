//! An operator's own e-mail: a named SES template, with a variant for each language.

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_sesv2::{
    Client, config::Builder, error::SdkError, operation::get_email_template::GetEmailTemplateError,
    types::EmailTemplateContent,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use otp_messages::Language;

use crate::fault::{Dependency, Fault};

const OPERATION: &str = "GetEmailTemplate";

/// The time limit of a delivery by template: it can take four calls instead of one.
pub(super) const TEMPLATED_DELIVERY: Duration = Duration::from_secs(8);

/// The time limit of looking at a template.
const LOOK: Duration = Duration::from_secs(1);

/// The template `base` in the default language, and its variants such as `base-de`.
pub(super) struct OwnTemplate {
    base: String,
    default_language: Language,
    /// For each language, the template that is known to have the code.
    found: [OnceLock<Found>; Language::COUNT],
    /// The languages whose template was seen without the code.
    lacking: [AtomicBool; Language::COUNT],
}

/// The template for a language.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) name: String,
    /// The language that it is written in.
    pub(super) language: Language,
}

/// What a look at a template shows.
enum Look {
    HasCode,
    LacksCode,
    Missing,
    /// SES does not say: it allows one look per second and account.
    Unknown,
}

impl OwnTemplate {
    pub(super) fn new(base: String, default_language: Language) -> Self {
        Self {
            base,
            default_language,
            found: [const { OnceLock::new() }; Language::COUNT],
            lacking: [const { AtomicBool::new(false) }; Language::COUNT],
        }
    }

    /// The template without a suffix.
    pub(super) fn base(&self) -> Found {
        Found {
            name: self.base.clone(),
            language: self.default_language,
        }
    }

    /// The template for this language: the variant, or else the base. It looks at each
    /// once, and refuses one without the code: nobody can log in with that e-mail. If
    /// SES does not say, the variant may not exist.
    pub(super) async fn find(&self, client: &Client, language: Language) -> Result<Found, Fault> {
        let index = language.index();
        if let Some(found) = self.found[index].get() {
            return Ok(found.clone());
        }
        let variant = Found {
            name: format!("{}-{}", self.base, language.tag()),
            language,
        };
        let (template, look) = match look(client, &variant.name).await {
            Look::Missing => (self.base(), look(client, &self.base).await),
            other => (variant, other),
        };
        let lacking = &self.lacking[index];
        match look {
            Look::HasCode => {
                lacking.store(false, Ordering::Relaxed);
                Ok(self.found[index].get_or_init(|| template).clone())
            }
            Look::LacksCode => {
                lacking.store(true, Ordering::Relaxed);
                Err(lacks_code(&template.name))
            }
            Look::Missing => Err(fault(&format!("there is no template {}", template.name))),
            Look::Unknown if lacking.load(Ordering::Relaxed) => Err(lacks_code(&template.name)),
            Look::Unknown => Ok(template),
        }
    }
}

async fn look(client: &Client, name: &str) -> Look {
    // The login is waiting: one attempt.
    let limits = Builder::new()
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(LOOK).build());
    let found = client
        .get_email_template()
        .template_name(name)
        .customize()
        .config_override(limits)
        .send()
        .await;
    match found {
        Ok(found) if found.template_content.as_ref().is_some_and(has_code) => Look::HasCode,
        Ok(_) => Look::LacksCode,
        Err(SdkError::ServiceError(service))
            if matches!(service.err(), GetEmailTemplateError::NotFoundException(_)) =>
        {
            Look::Missing
        }
        Err(_) => Look::Unknown,
    }
}

/// The template with these variables, as SES would send it.
pub(super) async fn render(
    client: &Client,
    found: &Found,
    variables: &BTreeMap<&str, String>,
) -> Result<String, Fault> {
    let rendered = client
        .test_render_email_template()
        .template_name(&found.name)
        .template_data(serde_json::to_string(variables).unwrap_or_default())
        .send()
        .await;
    rendered
        .map(|rendered| rendered.rendered_template().to_owned())
        .map_err(|error| Fault::from_sdk(Dependency::Provider, "TestRenderEmailTemplate", &error))
}

/// Whether every part of the body has the variable `code`.
fn has_code(content: &EmailTemplateContent) -> bool {
    let parts = [content.text(), content.html()].into_iter().flatten();
    let mut parts = parts.filter(|part| !part.trim().is_empty()).peekable();
    parts.peek().is_some() && parts.all(otp_messages::template_has_code)
}

fn lacks_code(name: &str) -> Fault {
    fault(&format!("the template {name} lacks {{{{code}}}}"))
}

fn fault(cause: &str) -> Fault {
    Fault::new(Dependency::Provider, OPERATION, cause)
}
