//! A request whose canonical form is itself: nothing to encode, fold or normalise.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::key::{DAY, SigningKey};

/// The parts of a request that AWS demands to be signed.
pub struct PlainRequest<'a> {
    method: &'a str,
    path: &'a str,
    /// The host, the type of the content, and what AWS reads.
    headers: Vec<(&'a str, &'a str)>,
    body: &'a [u8],
}

/// The values of the headers that a signature adds.
pub struct Signed {
    pub date: String,
    pub authorization: String,
}

impl<'a> PlainRequest<'a> {
    /// `None` if the request is not plain, such as one with a query.
    pub fn of(request: &'a HttpRequest) -> Option<Self> {
        let (scheme, rest) = request.uri().split_once("://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        if !host.bytes().all(is_of_host) || host.ends_with(default_port) {
            return None;
        }
        let path = if path.is_empty() { "/" } else { path };
        if !path.bytes().all(is_of_path) || path.contains("//") {
            return None;
        }
        let mut headers = vec![("host", host)];
        for (name, value) in request.headers() {
            let by_the_signature = matches!(name, "x-amz-date" | "x-amz-security-token");
            if name == "host" || !is_one_line(value) {
                return None;
            }
            if name == "content-type" || (name.starts_with("x-amz-") && !by_the_signature) {
                headers.push((name, value));
            }
        }
        headers.sort_unstable();
        let repeats = headers
            .array_windows()
            .any(|[(one, _), (next, _)]| one == next);
        (!repeats).then_some(Self {
            method: request.method(),
            path,
            headers,
            body: request.body().bytes()?,
        })
    }

    /// The signature at a time on the key's day.
    pub fn sign(&self, key: &SigningKey, since_epoch: Duration) -> Signed {
        let second = since_epoch.as_secs() % DAY;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let date = format!("{}T{hour:02}{minute:02}{second:02}Z", key.date);
        let token = key.session_token();
        let token = token.map(|token| ("x-amz-security-token", token));
        let mut headers: Vec<(&str, &str)> = self.headers.clone();
        headers.extend([("x-amz-date", &*date)].into_iter().chain(token));
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|&(name, _)| name).collect();
        let names = names.join(";");

        let canonical = self.canonical(&headers, &names);
        let canonical = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
        let scope = &key.scope;
        let signature = key.sign(&format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{canonical}"));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            key.access_key_id(),
            hex(signature.as_ref())
        );
        Signed {
            date,
            authorization,
        }
    }

    fn canonical(&self, headers: &[(&str, &str)], names: &str) -> String {
        let lengths = headers
            .iter()
            .map(|(name, value)| name.len() + value.len() + 2);
        let length: usize = lengths.sum();
        let mut text = String::with_capacity(length + names.len() + self.path.len() + 100);
        for part in [self.method, "\n", self.path, "\n\n"] {
            text.push_str(part);
        }
        for (name, value) in headers {
            for part in [name, ":", value, "\n"] {
                text.push_str(part);
            }
        }
        for part in ["\n", names, "\n", &hex(digest(&SHA256, self.body).as_ref())] {
            text.push_str(part);
        }
        text
    }
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte)
}

/// No dot: a segment of dots alone would be resolved.
fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-_~".contains(&byte)
}

fn is_one_line(value: &str) -> bool {
    value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && value.trim_matches(' ') == value
        && !value.contains("  ")
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    text
}
