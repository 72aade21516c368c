//! `cargo run -p admin -- users|sessions ...`: see `--help`.

use std::{io, process::ExitCode};

use admin::{Io, run};
use aws_config::{BehaviorVersion, SdkConfig};
use otp_service::{
    ambient,
    aws::{Connections, TrustRoots},
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
    let exit = run(
        args,
        variable("TABLE_NAME"),
        sdk_config,
        ambient::now(),
        &mut io,
    );
    exit.await.into()
}

/// The SDK's full configuration, for operators on their own machines: profiles,
/// credential programs, environment variables, and the system's trust roots.
async fn sdk_config() -> SdkConfig {
    let roots = TrustRoots::of(rustls_native_certs::load_native_certs().certs);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(Connections::new(&roots).client())
        .load()
        .await
}
