//! What docs/local.md shows for tests in Rust.

#![expect(clippy::unwrap_used, reason = "as the page shows it")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// A stack on free ports, and what it prints: `api http://...`, `inbox http://...`, and two more.
fn start(program: &str) -> (Child, Vec<String>) {
    let ports = ["API_ADDR", "INBOX_ADDR", "AWS_ADDR", "WEB_ADDR"];
    let mut command = Command::new(program);
    command.arg("--until-stdin-ends").stdin(Stdio::piped());
    command.envs(ports.map(|name| (name, "127.0.0.1:0")));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut stack = command.spawn().unwrap();
    let lines = BufReader::new(stack.stdout.take().unwrap()).lines();
    (stack, lines.take(4).map(Result::unwrap).collect())
}

#[test]
fn the_lines_of_the_page_start_a_stack() {
    let (mut stack, told) = start(env!("CARGO_BIN_EXE_local"));
    for (line, name) in told.iter().zip(["api", "inbox", "aws", "web"]) {
        let address = line.strip_prefix(&format!("{name} http://")).unwrap();
        std::net::TcpStream::connect(address).unwrap();
    }
    drop(stack.stdin.take());
    assert!(stack.wait().unwrap().success());

    let source = include_str!("documented.rs");
    let from = source.find("/// A stack").unwrap();
    let shown = &source[from..source.find("#[test]").unwrap()];
    let page = include_str!("../../docs/local.md");
    assert!(
        page.contains(shown.trim_end()),
        "docs/local.md shows:\n{shown}"
    );
}
