//! The second process: this executable once more, as a gateway with functions of
//! its own, on the same table, keys and providers.

use std::{net::SocketAddr, process::Stdio, sync::Arc};

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local::gateway::{Functions, router};
use otp::{config::Config, domain::UnixTime, http::route::Route};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use super::SETTINGS;
use crate::service::{Answer, START};

const ITSELF: &str = "races::neighbour::the_second_process";
const SERVICES: &str = "OTP_PROOF_SERVICES";
const LISTENING: &str = "listening at ";

pub struct Neighbour {
    address: String,
    http: Client<HttpConnector, Full<Bytes>>,
    /// Ends with us.
    _process: Child,
}

impl Neighbour {
    pub async fn start(services: SocketAddr) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", ITSELF, "--ignored", "--nocapture"])
            .env(SERVICES, services.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("a second process");
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = loop {
            let line = said.next_line().await.unwrap().expect("an address");
            if let Some((_, address)) = line.split_once(LISTENING) {
                break address.to_owned();
            }
        };
        // Whoever runs tests has more to say when they take long.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Self {
            address,
            http: Client::builder(TokioExecutor::new()).build_http(),
            _process: process,
        }
    }

    pub async fn post(&self, route: Route, body: &Value) -> Answer {
        let request = axum::http::Request::post(format!("http://{}{}", self.address, route.path()))
            .header("content-type", "application/json")
            .body(Full::new(body.to_string().into()))
            .unwrap();
        let answer = self.http.request(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a whole answer");
        Answer {
            status,
            json: serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null),
        }
    }
}

/// Does nothing unless another process started it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the second process of the races"]
#[expect(clippy::disallowed_methods, reason = "told by the first process")]
#[expect(clippy::print_stdout, reason = "tells the first process")]
async fn the_second_process() {
    let Ok(services) = std::env::var(SERVICES) else {
        return;
    };
    let now = UnixTime::from_millis(START);
    let find = |name: &str| {
        let found = SETTINGS.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let config = Config::from_lookup(find, now).expect("the settings are right");
    let functions = Functions::new(&config, services.parse().unwrap(), Arc::new(move || now));
    tokio::join!(functions.login.warm_up(), functions.validate.warm_up());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{LISTENING}{}", listener.local_addr().unwrap());
    let gateway = router(Arc::new(functions)).into_make_service_with_connect_info::<SocketAddr>();
    let mut parent = tokio::io::stdin();
    tokio::select! {
        served = async { axum::serve(listener, gateway).await } => served.unwrap(),
        // The first process holds the other end, and has ended.
        _ = parent.read_u8() => {}
    }
}
