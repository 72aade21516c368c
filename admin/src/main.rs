//! `cargo run -p admin -- users|sessions ...`: see `--help`.

use std::{io, process::ExitCode};

use admin::{Io, run};
use otp_service::{ambient, aws};
use otp_settings::variable;

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
        variable("TABLE_NAME"),
        aws::operator_sdk_config,
        ambient::now(),
        &mut io,
    );
    exit.await.into()
}
