//! `cargo run -p admin -- users|logins ...`: see `--help`.

use std::{io, process::ExitCode};

use admin::{Io, run};
use otp::{ambient, clients};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut io = Io {
        stdin: &mut io::stdin(),
        stdout: &mut io::stdout(),
        stderr: &mut io::stderr(),
    };
    let args = std::env::args_os().skip(1);
    let exit = run(
        args,
        default_table(),
        clients::operator_sdk_config,
        ambient::now(),
        &mut io,
    );
    exit.await.into()
}

#[expect(
    clippy::disallowed_methods,
    reason = "of the functions' settings this tool needs only one"
)]
fn default_table() -> Option<String> {
    std::env::var("TABLE_NAME").ok()
}
