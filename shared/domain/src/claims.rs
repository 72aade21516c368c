//! Claims: what an operator says about a user in every access token.

mod repeated;

use std::fmt;

use serde_json::{Map, Value};

use self::repeated::Repeated;

/// The most that a user's claims may take, in bytes of compact JSON.
const MAX_BYTES: usize = 1024;

/// Names that an operator cannot set: APIs trust them to say what this service or
/// a standard makes them say.
const RESERVED: &[&str] = &[
    // RFC 7519, RFC 9068, and sessions.
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "acr",
    "amr",
    "client_id",
    "scope",
    "sid",
    // OpenID Connect.
    "azp",
    "nonce",
    "at_hash",
    "c_hash",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    // Proof of possession and delegation (RFC 7800, RFC 8693).
    "cnf",
    "act",
    "may_act",
];

/// The members that an operator adds to a user's access tokens: a JSON object
/// without reserved names.
#[derive(Clone, Default)]
pub struct Claims {
    members: Map<String, Value>,
    written: String,
}

/// Why a text is no [`Claims`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidClaims {
    /// It is not one JSON object.
    NotAnObject,
    /// An object of it has this name twice.
    Repeated(String),
    /// It is larger than 1 KB.
    TooLarge,
    /// It sets this name, which is reserved.
    Reserved(&'static str),
}

impl Claims {
    /// Parses a JSON object.
    ///
    /// # Errors
    ///
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidClaims> {
        let members: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| InvalidClaims::NotAnObject)?;
        if let Ok(Repeated(Some(name))) = serde_json::from_str(text) {
            return Err(InvalidClaims::Repeated(name));
        }
        if let Some(name) = RESERVED.iter().find(|name| members.contains_key(**name)) {
            return Err(InvalidClaims::Reserved(name));
        }
        if members.is_empty() {
            return Ok(Self::default());
        }
        let written = compact(&members);
        if written.len() > MAX_BYTES {
            return Err(InvalidClaims::TooLarge);
        }
        Ok(Self { members, written })
    }

    /// Reads claims from the table. A name that was reserved after they were
    /// written is dropped: a token has each member once. `None` if the text is
    /// not a JSON object.
    #[must_use]
    pub fn from_table(text: &str) -> Option<Self> {
        let mut members: Map<String, Value> = serde_json::from_str(text).ok()?;
        members.retain(|name, _| !RESERVED.contains(&name.as_str()));
        let written = text.to_owned();
        Some(Self { members, written })
    }

    /// The text in the table, which tells whether they have changed. Empty if there
    /// is none.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members.
    #[must_use]
    pub const fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The object in compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        compact(&self.members)
    }
}

fn compact(members: &Map<String, Value>) -> String {
    serde_json::to_string(members).unwrap_or_default()
}

/// Says nothing of the members: they may be personal.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// However they are written.
impl PartialEq for Claims {
    fn eq(&self, other: &Self) -> bool {
        self.members == other.members
    }
}

impl Eq for Claims {}

impl fmt::Display for InvalidClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("claims must be one JSON object"),
            Self::Repeated(name) => write!(f, "the claims have {name:?} twice"),
            Self::TooLarge => write!(f, "claims must be at most {MAX_BYTES} bytes of JSON"),
            Self::Reserved(name) => write!(f, "the claim {name} is reserved"),
        }
    }
}

impl std::error::Error for InvalidClaims {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_kept_in_its_compact_form() {
        let claims = Claims::parse(r#" { "roles" : [ "editor" ] } "#).unwrap();
        assert_eq!(claims.to_json(), r#"{"roles":["editor"]}"#);
        assert_eq!(Claims::from_table(&claims.to_json()), Some(claims));
        assert_eq!(Claims::parse("{ }"), Ok(Claims::default()));
        assert!(Claims::default().is_empty());
    }

    #[test]
    fn anything_but_one_object_is_refused() {
        for text in [
            "", "null", "[]", "\"a\"", "1", "{", "{} {}", "{\"a\":}", "{'a':1}",
        ] {
            assert_eq!(
                Claims::parse(text),
                Err(InvalidClaims::NotAnObject),
                "{text}"
            );
        }
    }

    #[test]
    fn every_reserved_name_is_refused_however_it_is_spelt() {
        for name in RESERVED {
            let plain = format!(r#"{{"a":1,"{name}":"x"}}"#);
            assert_eq!(Claims::parse(&plain), Err(InvalidClaims::Reserved(name)));
            // The first letter as an escape.
            let (first, rest) = name.split_at(1);
            let escaped = format!(r#"{{"\u{:04x}{rest}":null}}"#, first.as_bytes()[0]);
            assert_eq!(Claims::parse(&escaped), Err(InvalidClaims::Reserved(name)));
            let kept = Claims::from_table(&plain).unwrap();
            assert_eq!(kept.to_json(), r#"{"a":1}"#, "{name}");
        }
        // Deeper down, a name is the operator's.
        assert!(Claims::parse(r#"{"tenant":{"sub":"x"}}"#).is_ok());
    }

    #[test]
    fn the_names_that_the_page_for_operators_lists_are_reserved_and_no_others() {
        let page = include_str!("../../../docs/users.md");
        let names = page
            .lines()
            .find(|line| line.contains("These names are refused"));
        let names: Vec<_> = names.unwrap().split('`').skip(1).step_by(2).collect();
        for name in &names {
            let claims = Claims::parse(&format!(r#"{{"{name}":"x"}}"#));
            assert!(matches!(claims, Err(InvalidClaims::Reserved(it)) if it == *name));
        }
        assert_eq!(names, RESERVED);
    }

    #[test]
    fn claims_are_equal_if_their_members_are_however_they_are_written() {
        let read = |text| Claims::from_table(text).unwrap();
        assert_eq!(read(r#"{"a":1}"#), read(r#"{ "a": 1 }"#));
        assert_ne!(read(r#"{"a":1}"#), read(r#"{"a":2}"#));
        assert!(!read(r#"{"a":1}"#).is_empty());
    }

    #[test]
    fn an_operator_reads_what_is_wrong() {
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(1024));
        for (text, told) in [
            ("[]", "claims must be one JSON object"),
            (r#"{"sub":1}"#, "the claim sub is reserved"),
            (r#"{"a":1,"a":2}"#, "the claims have \"a\" twice"),
            (&large, "claims must be at most 1024 bytes of JSON"),
        ] {
            assert_eq!(Claims::parse(text).unwrap_err().to_string(), told);
        }
    }

    /// A parser keeps one of two, and which one is nobody's choice.
    #[test]
    fn a_name_that_an_object_has_twice_is_refused_at_any_depth_however_it_is_spelt() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"b":{"a":1,"c":[],"a":1}}"#,
            r#"{"b":[null,true,1,-1,0.5,"x",{"a":{},"\u0061":{}}]}"#,
        ] {
            let why = InvalidClaims::Repeated("a".to_owned());
            assert_eq!(Claims::parse(text), Err(why), "{text}");
        }
        assert!(Claims::parse(r#"{"a":{"a":[{"b":1},{"b":1}]},"b":1}"#).is_ok());
    }

    #[test]
    fn one_kilobyte_is_the_most() {
        let of = |len: usize| format!(r#"{{ "a": "{}" }}"#, "x".repeat(len - 8));
        assert_eq!(Claims::parse(&of(1024)).unwrap().to_json().len(), 1024);
        assert_eq!(Claims::parse(&of(1025)), Err(InvalidClaims::TooLarge));
    }

    #[test]
    fn debug_says_no_value() {
        let claims = Claims::parse(r#"{"plan":"gold"}"#).unwrap();
        assert!(!format!("{claims:?}").contains("gold"));
    }
}
