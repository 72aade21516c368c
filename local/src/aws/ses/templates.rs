//! E-mail templates: of Handlebars, `{{name}}`, `{{{name}}}` and `{{#if name}}` with
//! `{{else}}`. Like SES, it escapes nothing.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Email, Header, bad_request};
use crate::aws::protocol::AwsError;

/// The stored templates, by name. Clones share them.
#[derive(Clone, Default)]
pub struct Templates(Arc<Mutex<BTreeMap<String, Template>>>);

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Template {
    #[serde(default)]
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    template_name: Option<String>,
    template_content: Template,
}

/// A template with its data, as `SendEmail` takes it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    template_name: String,
    #[serde(default)]
    template_data: String,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Render {
    template_data: String,
}

type Data = BTreeMap<String, String>;

impl Templates {
    /// Answers a call below `/v2/email/templates`.
    pub(super) fn answer(
        &self,
        method: &Method,
        path: &str,
        body: &[u8],
    ) -> Result<String, AwsError> {
        let name = path.trim_start_matches('/');
        match (method.as_str(), name.split_once('/')) {
            ("POST", None) if name.is_empty() => self.create(parse(body)?),
            ("GET", None) => {
                let template = self.get(name)?;
                Ok(json!({ "TemplateName": name, "TemplateContent": template }).to_string())
            }
            ("PUT", None) => {
                let put: Put = parse(body)?;
                self.get(name)?;
                self.lock().insert(name.to_owned(), put.template_content);
                Ok("{}".to_owned())
            }
            ("DELETE", None) => {
                self.lock().remove(name);
                Ok("{}".to_owned())
            }
            ("POST", Some((name, "render"))) => {
                let render: Render = parse(body)?;
                let email = self
                    .get(name)?
                    .fill(&data(&render.template_data)?, Vec::new())?;
                let parts = [email.text, email.html].into_iter().flatten();
                let body = parts.collect::<Vec<_>>().join("\n");
                let mime = format!("Subject: {}\n\n{body}", email.subject);
                Ok(json!({ "RenderedTemplate": mime }).to_string())
            }
            _ => Err(bad_request("This call of templates is not emulated.")),
        }
    }

    /// The e-mail of a template.
    pub(super) fn fill(&self, named: Named) -> Result<Email, AwsError> {
        let data = data(&named.template_data)?;
        self.get(&named.template_name)?.fill(&data, named.headers)
    }

    fn create(&self, put: Put) -> Result<String, AwsError> {
        let name = put.template_name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| bad_request("TemplateName is required."))?;
        let mut templates = self.lock();
        if templates.contains_key(&name) {
            return Err(AwsError::client(
                "AlreadyExistsException",
                format!("Template {name} already exists"),
            ));
        }
        templates.insert(name, put.template_content);
        Ok("{}".to_owned())
    }

    fn get(&self, name: &str) -> Result<Template, AwsError> {
        self.lock().get(name).cloned().ok_or_else(|| AwsError {
            status: StatusCode::NOT_FOUND,
            code: "NotFoundException",
            message: format!("Template {name} does not exist"),
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Template>> {
        // Every change is one call, so a poisoned lock still has valid templates.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Template {
    fn fill(self, data: &Data, headers: Vec<Header>) -> Result<Email, AwsError> {
        let filled = |part: Option<String>| part.map(|part| fill(&part, data)).transpose();
        Ok(Email {
            subject: fill(&self.subject, data)?,
            text: filled(self.text)?,
            html: filled(self.html)?,
            headers,
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, AwsError> {
    serde_json::from_slice(body).map_err(|_| bad_request("The body is not that of this call."))
}

fn data(text: &str) -> Result<Data, AwsError> {
    serde_json::from_str(text)
        .map_err(|_| bad_request("TemplateData must be a JSON object of strings."))
}

/// SES itself accepts data that lacks a variable, and then sends nothing.
fn fill(template: &str, data: &Data) -> Result<String, AwsError> {
    let value = |name: &str| {
        data.get(name).ok_or_else(|| {
            bad_request(&format!(
                "Attribute '{name}' is not present in the rendering data."
            ))
        })
    };
    let mut out = String::new();
    // Whether each open block is written.
    let mut blocks: Vec<bool> = Vec::new();
    let mut rest = template;
    while let Some((before, tag)) = rest.split_once("{{") {
        let (tag, after) = tag
            .split_once("}}")
            .ok_or_else(|| bad_request("The template has an open {{."))?;
        rest = if tag.starts_with('{') {
            after.strip_prefix('}').unwrap_or(after)
        } else {
            after
        };
        let written = blocks.iter().all(|written| *written);
        if written {
            out.push_str(before);
        }
        match tag.trim_matches(['{', '~', ' ']) {
            "else" => {
                let block = blocks.last_mut();
                let block = block.ok_or_else(|| bad_request("The template has a stray else."))?;
                *block = !*block;
            }
            "/if" => drop(blocks.pop()),
            name => match name.strip_prefix("#if ") {
                Some(name) => blocks.push(!value(name.trim())?.is_empty()),
                None if name.starts_with(['#', '/', '>', '!']) || name.contains(' ') => {
                    return Err(bad_request(
                        "Of Handlebars, only variables and if are emulated.",
                    ));
                }
                None if written => out.push_str(value(name)?),
                None => {}
            },
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<String, String> {
        let data = Data::from([
            ("code".to_owned(), "012345".to_owned()),
            ("link".to_owned(), String::new()),
            ("brand".to_owned(), "A&B".to_owned()),
        ]);
        fill(template, &data).map_err(|error| error.message)
    }

    #[test]
    fn variables_and_conditions_are_filled_without_escapes() {
        for (template, expected) in [
            ("{{code}} {{ brand }} {{{brand}}}.", "012345 A&B A&B."),
            ("a{{#if link}}<{{link}}>{{/if}}b", "ab"),
            (
                "{{#if code}}yes{{else}}no{{/if}}{{#if link}}yes{{else}}no{{/if}}",
                "yesno",
            ),
        ] {
            assert_eq!(filled(template).unwrap(), expected, "{template}");
        }
        assert!(filled("{{missing}}").unwrap_err().contains("'missing'"));
        assert!(filled("{{#each code}}{{/each}}").is_err());
        assert!(filled("{{code").is_err());
    }

    #[test]
    fn a_template_is_created_read_changed_and_deleted() {
        let templates = Templates::default();
        let call = |method: Method, path: &str, body: &str| {
            let answer = templates.answer(&method, path, body.as_bytes());
            answer.map_err(|error| error.code)
        };
        let content =
            r#"{"TemplateName":"login","TemplateContent":{"Subject":"S","Text":"{{code}}"}}"#;
        assert_eq!(call(Method::GET, "/login", ""), Err("NotFoundException"));
        assert!(call(Method::POST, "", content).is_ok());
        assert_eq!(
            call(Method::POST, "", content),
            Err("AlreadyExistsException")
        );
        assert!(
            call(Method::GET, "/login", "")
                .unwrap()
                .contains("{{code}}")
        );
        let changed = r#"{"TemplateContent":{"Subject":"S","Text":"new {{code}}"}}"#;
        assert!(call(Method::PUT, "/login", changed).is_ok());
        let data = r#"{"TemplateData":"{\"code\":\"012345\"}"}"#;
        let rendered = call(Method::POST, "/login/render", data).unwrap();
        assert!(rendered.contains("new 012345"), "{rendered}");
        assert!(call(Method::DELETE, "/login", "").is_ok());
        assert_eq!(
            call(Method::PUT, "/login", changed),
            Err("NotFoundException")
        );
    }
}
