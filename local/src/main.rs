//! `cargo run -p local`: runs the whole stack until Ctrl-C. See `--help`.

use std::{
    future,
    io::{self, IsTerminal},
    process::ExitCode,
    sync::Arc,
    thread,
};

use local::{
    limits, lines,
    options::{Command, HELP},
    stack::{Options, Stack},
};
use otp_edge::log;
use otp_service::ambient;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::{net::TcpStream, runtime::Builder, signal::ctrl_c, sync::oneshot};

/// The exit code of a command line that cannot be understood.
const USAGE: u8 = 2;

/// Unoptimised, a use case needs more than half of the two megabytes that threads have.
const STACK: usize = 8 * 1024 * 1024;

fn main() -> ExitCode {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => refuse(&error.to_string(), ExitCode::FAILURE),
    }
}

async fn run() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    match Command::parse(arguments.map(|text| text.to_string_lossy().into_owned())) {
        Ok(Command::Serve) => start(future::pending()).await,
        Ok(Command::ServeWithStdin) => start(stdin_ended()).await,
        Ok(Command::Healthy) => healthy().await,
        Ok(Command::Help) => print(HELP),
        Ok(Command::Version) => print(concat!("local ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(mistake) => refuse(&mistake, ExitCode::from(USAGE)),
    }
}

/// Serves until somebody asks it to end, or `ended` does.
async fn start(ended: impl Future<Output = ()>) -> ExitCode {
    if let Err(mistake) = start_log() {
        return refuse(&mistake, ExitCode::from(USAGE));
    }
    let options = Options {
        api: address("API_ADDR", "127.0.0.1:3000"),
        inbox: address("INBOX_ADDR", "127.0.0.1:8025"),
        aws: address("AWS_ADDR", "127.0.0.1:4566"),
        web: web_address(),
        settings: setting,
        clock: Arc::new(ambient::now),
    };
    match Stack::start(options).await {
        Ok(mut stack) => {
            stack.deliver_reports();
            log::warnings(&stack.settings);
            serve(stack, ended).await
        }
        Err(error) => refuse(&error.to_string(), ExitCode::FAILURE),
    }
}

/// Text for people, JSON for programs.
fn start_log() -> Result<(), String> {
    let is_text = match variable("LOG_FORMAT").as_deref() {
        None | Some("") => io::stderr().is_terminal(),
        Some("text") => true,
        Some("json") => false,
        Some(_) => return Err("LOG_FORMAT must be text or json".to_owned()),
    };
    let _ = if is_text {
        tracing::subscriber::set_global_default(lines::subscriber(io::stderr))
    } else {
        tracing::subscriber::set_global_default(log::subscriber(io::stderr))
    };
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this program prints its addresses")]
async fn serve(mut stack: Stack, ended: impl Future<Output = ()>) -> ExitCode {
    println!("api http://{}", stack.api);
    println!("inbox http://{}", stack.inbox);
    println!("aws http://{}", stack.aws);
    println!("web http://{}", stack.web);
    tokio::select! {
        () = asked_to_end() => ExitCode::SUCCESS,
        () = ended => ExitCode::SUCCESS,
        () = stack.failed() => ExitCode::FAILURE,
    }
}

/// Waits for the end of the program that holds the other side of the standard input.
async fn stdin_ended() {
    let (told, ended) = oneshot::channel();
    // A thread of its own, which the end of the program does not wait for.
    thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = told.send(());
    });
    let _ = ended.await;
}

/// Waits for Ctrl-C, or for what ends a container.
async fn asked_to_end() {
    #[cfg(unix)]
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        tokio::select! {
            _ = ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = ctrl_c().await;
}

/// The sign-in page's address is the last that a stack serves.
async fn healthy() -> ExitCode {
    match TcpStream::connect(web_address()).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("no stack serves: {error}"), ExitCode::FAILURE),
    }
}

fn web_address() -> String {
    address("WEB_ADDR", "127.0.0.1:8080")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the stack's addresses are variables, too"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The variable; an empty one does not turn a limit on.
fn setting(name: &str) -> Option<String> {
    let Some(generous) = limits::generous(name) else {
        return variable(name);
    };
    let told = variable(name).filter(|value| !value.trim().is_empty());
    Some(told.unwrap_or_else(|| generous.to_owned()))
}

fn address(name: &str, default: &str) -> String {
    variable(name).unwrap_or_else(|| default.to_owned())
}

#[expect(clippy::print_stdout, reason = "what was asked for")]
fn print(text: &str) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}

#[expect(
    clippy::print_stderr,
    reason = "the log has requests only, not a failed start"
)]
fn refuse(why: &str, exit: ExitCode) -> ExitCode {
    eprintln!("local: {why}");
    exit
}
