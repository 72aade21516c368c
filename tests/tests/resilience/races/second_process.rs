//! The second process of a race: this test program, started again. It is a gateway with
//! functions of its own on the same services.

use std::{net::SocketAddr, process::Stdio, sync::Arc};

use local::{aws::clients, functions::Functions};
use otp_domain::UnixTime;
use otp_edge::settings::Settings;
use tests::{
    Client,
    app::{START, serve},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
};

use super::SETTINGS;

/// The test that is the second process.
const TEST: &str = "races::second_process::the_second_process";
/// The variable that tells the second process where the services are.
const SERVICES: &str = "OTP_TEST_SERVICES";
const LISTENING: &str = "listening at ";

pub struct SecondProcess {
    /// A client of its gateway.
    pub client: Client,
    _process: Child,
}

impl SecondProcess {
    pub async fn start(services: SocketAddr) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--ignored", "--nocapture"])
            .env(SERVICES, services.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the second process starts");
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = loop {
            let line = output.next_line().await.unwrap().expect("an address");
            if let Some((_, address)) = line.split_once(LISTENING) {
                break address.parse().expect("an address");
            }
        };
        // The output must be read, or a full pipe would stop the process.
        tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
        Self {
            client: Client::of(address),
            _process: process,
        }
    }
}

/// Does nothing unless another process started it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the races start it"]
#[expect(
    clippy::disallowed_methods,
    reason = "the first process sets the variable"
)]
#[expect(clippy::print_stdout, reason = "the first process reads the line")]
async fn the_second_process() {
    let Ok(services) = std::env::var(SERVICES) else {
        return;
    };
    let now = UnixTime::from_millis(START);
    let find = |name: &str| {
        let found = SETTINGS.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let settings = Settings::from_lookup(find, now).expect("the settings are right");
    let aws = clients(services.parse().unwrap());
    let functions = Functions::new(&settings, &aws, Arc::new(move || now));
    functions.warm_up().await;
    let (address, _gateway) = serve(Arc::new(functions)).await;
    println!("{LISTENING}{address}");
    // The first process holds the other end of the pipe. Reading fails when it has ended.
    let _ = tokio::io::stdin().read_u8().await;
}
