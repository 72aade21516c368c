//! As little of HTTP as the proxy needs.

use std::io;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
};

use super::Call;

/// A request or an answer of HTTP/1.1 with a `Content-Length`, which the SDK and the services
/// always send.
pub struct HttpMessage {
    pub head: String,
    pub body: Vec<u8>,
}

impl HttpMessage {
    pub async fn read(from: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if from.read_until(b'\n', &mut head).await? == 0 {
                return Ok(None);
            }
        }
        let head = String::from_utf8(head).expect("the head is text");
        let encoding = header(&head, "transfer-encoding");
        assert!(encoding.is_none(), "the body has no Content-Length");
        let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        from.read_exact(&mut body).await?;
        Ok(Some(Self { head, body }))
    }

    /// Whether the request only opens a connection: no call.
    pub fn is_ping(&self) -> bool {
        self.head.starts_with("GET /sping ")
    }

    pub fn is_ok(&self) -> bool {
        self.head.starts_with("HTTP/1.1 200")
    }

    /// Replaces the body, and its length in the head.
    pub fn set_body(&mut self, body: Vec<u8>) {
        let length = |body: &[u8]| format!("content-length: {}", body.len());
        let before = length(&self.body);
        assert!(self.head.contains(&before), "the head names the length");
        self.head = self.head.replace(&before, &length(&body));
        self.body = body;
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body].concat()
    }
}

/// The first value of a header.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let field = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
    field.map(|(_, value)| value.trim())
}

/// An error in the form that the client of the call's service reads.
pub fn error(call: Call, status: u16, code: &str) -> Vec<u8> {
    let body = match call {
        Call::SendSms | Call::PublishToTopic => {
            format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>")
        }
        _ => format!(r#"{{"__type":"{code}","message":"injected by the test"}}"#),
    };
    answer(status, code, body).bytes()
}

/// An error of the table, in which the call has done nothing.
pub fn json_error(code: &str) -> HttpMessage {
    let body = format!(r#"{{"__type":"{code}","message":"injected by the test"}}"#);
    answer(400, code, body)
}

/// The error of a transaction that was cancelled because of another write. `meets` says for
/// each action whether it is at the same item.
pub fn transaction_conflict(meets: &[bool]) -> HttpMessage {
    let code = "TransactionCanceledException";
    let reasons = meets.iter().map(|meets| {
        let code = if *meets {
            "TransactionConflict"
        } else {
            "None"
        };
        format!(r#"{{"Code":"{code}"}}"#)
    });
    let reasons = format!("[{}]", reasons.collect::<Vec<_>>().join(","));
    let body = format!(
        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","Message":"Transaction cancelled","CancellationReasons":{reasons}}}"#
    );
    answer(400, code, body)
}

fn answer(status: u16, code: &str, body: String) -> HttpMessage {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Injected\r\nx-amzn-errortype: {code}\r\ncontent-length: {length}\r\n\r\n"
    );
    let body = body.into_bytes();
    HttpMessage { head, body }
}
