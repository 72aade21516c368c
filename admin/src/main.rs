//! `cargo run -p admin -- users|sessions ...`: see `--help`.

use std::{io, process::ExitCode};

use admin::{CONCURRENCY, Io, run};
use aws_config::BehaviorVersion;
use otp_service::{
    ambient,
    aws::{Aws, TrustRoots, http_client},
};
use otp_settings::variable;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut io = Io {
        stdin: &mut io::stdin(),
        stdout: &mut io::stdout(),
        stderr: &mut io::stderr(),
    };
    let args = std::env::args_os().skip(1);
    let exit = run(args, variable("TABLE_NAME"), aws, ambient::now(), &mut io);
    exit.await.into()
}

/// The SDK's full configuration, for operators on their own machines: profiles,
/// credential programs, environment variables, and the system's trust roots.
async fn aws() -> Aws {
    let roots = TrustRoots::of_system();
    let sdk = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client(&roots));
    Aws::keeping(CONCURRENCY, sdk.load().await, &roots)
}
