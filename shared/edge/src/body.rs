//! Reads the JSON object of a body, member by member, and explains each mistake.
//!
//! ```text
//! body::read(request, |members| {
//!     let otp = members.required("otp", &OTP);
//!     let challenge_id = members.optional("challenge_id", &CHALLENGE_ID);
//!     Some(Guess { otp: otp?, challenge_id })
//! })
//! ```
//!
//! Read every member before the first `?`, so that one answer names all mistakes.

use std::fmt;

use lambda_http::{Request, aws_lambda_events::encodings::Body};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::{
    media_type,
    mistakes::{Explanation, Mistakes},
    rejection::Rejection,
};

/// The largest accepted body, in bytes.
pub const MAX_BODY: usize = 4096;

/// What a member must be, and how it is read.
pub struct Shape<T> {
    /// Completes the sentence "`name` must be ...".
    must_be: &'static str,
    read: Reader<T>,
}

enum Reader<T> {
    Text(fn(&str) -> Option<T>),
    Boolean(fn(bool) -> T),
}

impl<T> Shape<T> {
    /// A string for which `read` returns a value.
    pub const fn text(must_be: &'static str, read: fn(&str) -> Option<T>) -> Self {
        let read = Reader::Text(read);
        Self { must_be, read }
    }
}

/// `true` or `false`.
pub const BOOLEAN: Shape<bool> = Shape {
    must_be: "true or false",
    read: Reader::Boolean(|value| value),
};

/// The members of a body.
pub struct Members {
    sent: Vec<(String, Value)>,
    known: Vec<&'static str>,
    mistakes: Mistakes,
}

/// Reads the body of a request by `read`, which asks for every member that the
/// call takes, and returns `None` after a mistake.
///
/// # Errors
///
/// The body is not JSON, not an object, or has a mistake in its members: one that
/// is unknown, missing, duplicate, of another type or not of its form.
pub fn read<T>(
    request: &Request,
    read: impl FnOnce(&mut Members) -> Option<T>,
) -> Result<T, Rejection> {
    let mut members = Members {
        sent: object(json_bytes(request)?)?,
        known: Vec::new(),
        mistakes: Mistakes::default(),
    };
    let value = read(&mut members);
    members.note_unknown();
    match (members.mistakes.explained(), value) {
        (None, Some(value)) => Ok(value),
        (mistakes, _) => Err(Rejection::InvalidRequest(
            mistakes.unwrap_or(Explanation::new("The body is not what this call takes.")),
        )),
    }
}

impl Members {
    /// The member's value; `None` if the client left it out, or after a mistake.
    pub fn optional<T>(&mut self, name: &'static str, shape: &Shape<T>) -> Option<T> {
        self.known.push(name);
        let mut sent = self.sent.iter().filter(|(sent, _)| sent == name);
        let (_, value) = sent.next()?;
        if sent.next().is_some() {
            self.mistakes.note(format!(
                "The body has a duplicate member `{name}`; send it once."
            ));
            return None;
        }
        let read = match (&shape.read, value) {
            (Reader::Text(read), Value::String(text)) => read(text).ok_or(""),
            (Reader::Boolean(read), Value::Bool(value)) => Ok(read(*value)),
            _ => Err(kind(value)),
        };
        match read {
            Ok(value) => Some(value),
            Err(kind) => {
                let not = if kind.is_empty() { "" } else { ", not " };
                let must_be = shape.must_be;
                self.mistakes
                    .note(format!("`{name}` must be {must_be}{not}{kind}."));
                None
            }
        }
    }

    /// The member's value; `None` after a mistake.
    pub fn required<T>(&mut self, name: &'static str, shape: &Shape<T>) -> Option<T> {
        if !self.has(name) {
            let must_be = shape.must_be;
            self.mistakes
                .note(format!("`{name}` is missing; it must be {must_be}."));
        }
        self.optional(name, shape)
    }

    /// Whether the client sent the member.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.sent.iter().any(|(sent, _)| sent == name)
    }

    /// Adds a mistake that concerns several members.
    pub fn note(&mut self, mistake: impl Into<Explanation>) {
        self.mistakes.note(mistake);
    }

    fn note_unknown(&mut self) {
        for (name, _) in &self.sent {
            if !self.known.contains(&name.as_str()) {
                self.mistakes.note_unknown(name, &self.known);
            }
        }
    }
}

/// The bytes of a body that says it is JSON.
fn json_bytes(request: &Request) -> Result<&[u8], Rejection> {
    if !media_type::is(request, media_type::JSON) {
        return Err(Rejection::UnsupportedMediaType);
    }
    bytes(request)
}

/// The bytes of a body.
///
/// # Errors
///
/// The body is too large.
pub fn bytes(request: &Request) -> Result<&[u8], Rejection> {
    let body = match request.body() {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        _ => &[],
    };
    if body.len() > MAX_BODY {
        return Err(invalid("The body must be no larger than 4 KB."));
    }
    Ok(body)
}

/// The members of an object, in their order and with their duplicates.
fn object(body: &[u8]) -> Result<Vec<(String, Value)>, Rejection> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(invalid("The body is empty; it must be a JSON object."));
    }
    match serde_json::from_slice(body) {
        Ok(Document::Object(members)) => Ok(members),
        Ok(Document::Text(text)) if text.trim_start().starts_with('{') => Err(invalid(
            "The body is a string that contains JSON: it was encoded twice. Encode it once.",
        )),
        Ok(Document::Text(_)) => Err(not_an_object("a string")),
        Ok(Document::Other(kind)) => Err(not_an_object(kind)),
        // Errors of syntax have a place and no value.
        Err(error) if !error.is_data() => Err(invalid(format!("The body is not JSON: {error}."))),
        Err(error) => Err(invalid(format!(
            "The body is not JSON: not readable at line {} column {}.",
            error.line(),
            error.column()
        ))),
    }
}

fn not_an_object(kind: &str) -> Rejection {
    invalid(format!("The body must be a JSON object, not {kind}."))
}

fn invalid(explanation: impl Into<Explanation>) -> Rejection {
    Rejection::InvalidRequest(explanation.into())
}

/// The type of a value, with its article.
const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Any JSON. A map of serde's would drop duplicate members.
enum Document {
    Object(Vec<(String, Value)>),
    Text(String),
    /// The type of another value, with its article.
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Document::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Document, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Document::Other("an array"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Document, E> {
        Ok(Document::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Other("null"))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Document, E> {
        Ok(Document::Other("a boolean"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Document, E> {
        Ok(Document::Other("a number"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Document, E> {
        Ok(Document::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Document, E> {
        Ok(Document::Other("a number"))
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::header::{CONTENT_TYPE, HeaderValue};

    use super::*;

    fn json(body: Body) -> Request {
        let mut request = Request::new(body);
        let value = HeaderValue::from_static("application/json");
        request.headers_mut().insert(CONTENT_TYPE, value);
        request
    }

    fn told<T: fmt::Debug>(read: Result<T, Rejection>) -> String {
        match read {
            Err(Rejection::InvalidRequest(why)) => why.detail().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    const NAME: Shape<String> =
        Shape::text("a name", |text| (text != "nobody").then(|| text.to_owned()));

    /// The members `name` and `all` of a body.
    fn members(body: &str) -> Result<(String, Option<bool>), Rejection> {
        read(&json(Body::Text(body.to_owned())), |members| {
            let name = members.required("name", &NAME);
            let all = members.optional("all", &BOOLEAN);
            Some((name?, all))
        })
    }

    #[test]
    fn members_are_read_in_any_order_and_optional_ones_may_be_left_out() {
        let (name, x) = ("x".to_owned(), "x".to_owned());
        assert_eq!(
            members(r#"{"all":true,"name":"x"}"#),
            Ok((name, Some(true)))
        );
        assert_eq!(members(r#" {"name":"x"} "#), Ok((x, None)));
    }

    #[test]
    fn each_mistake_of_a_member_says_what_is_expected() {
        for (body, told_of) in [
            ("{}", "`name` is missing; it must be a name."),
            (r#"{"name":"nobody"}"#, "`name` must be a name."),
            (r#"{"name":null}"#, "`name` must be a name, not null."),
            (r#"{"name":true}"#, "`name` must be a name, not a boolean."),
            (r#"{"name":-1.5}"#, "`name` must be a name, not a number."),
            (r#"{"name":["x"]}"#, "`name` must be a name, not an array."),
            (
                r#"{"name":{"x":1}}"#,
                "`name` must be a name, not an object.",
            ),
            (
                r#"{"name":"x","all":"true"}"#,
                "`all` must be true or false, not a string.",
            ),
            (
                r#"{"name":"x","name":"x"}"#,
                "The body has a duplicate member `name`; send it once.",
            ),
            (
                r#"{"name":"x","nam":1}"#,
                "The body has an unknown member `nam`; did you mean `name`?",
            ),
            (
                r#"{"all":1,"z":1}"#,
                "`name` is missing; it must be a name. \
                 `all` must be true or false, not a number. \
                 The body has an unknown member `z`; this call takes `name` and `all`.",
            ),
        ] {
            assert_eq!(told(members(body)), told_of, "{body}");
        }
    }

    #[test]
    fn anything_but_an_object_is_named_by_its_kind() {
        let twice =
            "The body is a string that contains JSON: it was encoded twice. Encode it once.";
        let empty = "The body is empty; it must be a JSON object.";
        for (body, what) in [
            ("null", "The body must be a JSON object, not null."),
            ("true", "The body must be a JSON object, not a boolean."),
            ("1", "The body must be a JSON object, not a number."),
            ("-1", "The body must be a JSON object, not a number."),
            ("1.5", "The body must be a JSON object, not a number."),
            ("[1,[2]]", "The body must be a JSON object, not an array."),
            (r#""x""#, "The body must be a JSON object, not a string."),
            (r#"" {\"name\":1}""#, twice),
            ("", empty),
            (" \n", empty),
            (
                "{",
                "The body is not JSON: EOF while parsing an object at line 1 column 1.",
            ),
        ] {
            assert_eq!(told(members(body)), what, "{body}");
        }
    }

    #[test]
    fn a_body_has_at_most_4096_bytes_and_says_that_it_is_json() {
        let of = |length: usize| format!(r#"{{"name":"{}"}}"#, "x".repeat(length - 11));
        assert!(members(&of(4096)).is_ok());
        let large = "The body must be no larger than 4 KB.";
        assert_eq!(told(members(&of(4097))), large);
        let (text, binary) = (json(Body::Text("é".into())), json(Body::Binary(vec![1])));
        assert_eq!(bytes(&text), Ok("é".as_bytes()));
        assert_eq!(bytes(&binary), Ok(&[1][..]));
        assert_eq!(bytes(&json(Body::Empty)), Ok(&[][..]));
        let plain = Request::new(Body::Text("{}".into()));
        let read = read(&plain, |_| Some(()));
        assert_eq!(read, Err(Rejection::UnsupportedMediaType));
    }
}
