//! HTTP, as little of it as a proxy needs.

use std::io;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
};

/// A request or an answer of HTTP/1.1 whose length is told, as those of the SDK
/// and the services are.
pub struct Message {
    pub head: String,
    pub body: Vec<u8>,
}

impl Message {
    pub async fn read(from: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if from.read_until(b'\n', &mut head).await? == 0 {
                return Ok(None);
            }
        }
        let head = String::from_utf8(head).expect("a head is text");
        assert!(
            header(&head, "transfer-encoding").is_none(),
            "a told length"
        );
        let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
        let mut body = vec![0; length];
        from.read_exact(&mut body).await?;
        Ok(Some(Self { head, body }))
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.head.as_bytes(), &self.body].concat()
    }
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    fields
        .filter(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .next()
}

/// An answer of a service in trouble.
pub fn error(status: u16, code: &str) -> Vec<u8> {
    let body = format!(r#"{{"__type":"{code}","message":"as the test wants"}}"#);
    let length = body.len();
    format!("HTTP/1.1 {status} As Told\r\nx-amzn-errortype: {code}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}
