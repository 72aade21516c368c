//! `cargo run -p local`: the whole stack, until Ctrl-C.

use std::{process::ExitCode, sync::Arc};

use local::stack::{Options, Stack, StartError};
use otp_edge::log;
use otp_service::ambient;

#[tokio::main]
async fn main() -> ExitCode {
    let lines = log::subscriber(std::io::stderr);
    let _ = tracing::subscriber::set_global_default(lines);
    let options = Options {
        api: address("API_ADDR", "127.0.0.1:3000"),
        inbox: address("INBOX_ADDR", "127.0.0.1:8025"),
        aws: address("AWS_ADDR", "127.0.0.1:4566"),
        web: address("WEB_ADDR", "127.0.0.1:8080"),
        settings: variable,
        clock: Arc::new(ambient::now),
    };
    match Stack::start(options).await {
        Ok(stack) => {
            log::warnings(&stack.settings);
            serve(stack).await
        }
        Err(error) => refuse(&error),
    }
}

#[expect(clippy::print_stdout, reason = "this program prints its addresses")]
async fn serve(mut stack: Stack) -> ExitCode {
    println!("api http://{}", stack.api);
    println!("inbox http://{}", stack.inbox);
    println!("aws http://{}", stack.aws);
    println!("web http://{}", stack.web);
    tokio::select! {
        _ = tokio::signal::ctrl_c() => ExitCode::SUCCESS,
        () = stack.failed() => ExitCode::FAILURE,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the stack's addresses are variables, too"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn address(name: &str, default: &str) -> String {
    variable(name).unwrap_or_else(|| default.to_owned())
}

#[expect(
    clippy::print_stderr,
    reason = "the log has requests only, not a failed start"
)]
fn refuse(error: &StartError) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}
