//! A program opens its connections during the start: the first call waits for no TLS handshake.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use local::tls::{Certificate, Terminator};
use tests::{Program, TestApp};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::Command,
};

use super::{LOGIN, VALIDATE, assert_answers, end};
use crate::trust_roots::Bundle;

/// The services that a login by e-mail and a validation call, by their variables.
const SERVICES: [&str; 3] = ["DYNAMODB", "KMS", "SESV2"];

/// A service over TLS that counts its handshakes: one for each connection.
struct Service {
    handshakes: Arc<AtomicUsize>,
    address: SocketAddr,
    _tls: Terminator,
}

impl Service {
    async fn start(certificate: &Certificate, app: &TestApp) -> Self {
        let tls = Terminator::start(certificate, app.stack.aws).await;
        let tls = tls.expect("a free port");
        let (behind, handshakes) = (tls.address, Arc::new(AtomicUsize::new(0)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let counter = Arc::clone(&handshakes);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(behind).await?;
                    copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        Self {
            handshakes,
            address,
            _tls: tls,
        }
    }
}

struct Services {
    bundle: Bundle,
    services: Vec<Service>,
}

impl Services {
    async fn start(test: &str, app: &TestApp) -> Self {
        let certificate = Certificate::generate().expect("a certificate");
        let mut services = Vec::new();
        for _ in SERVICES {
            services.push(Service::start(&certificate, app).await);
        }
        Self {
            bundle: Bundle::of(test, &certificate.pem),
            services,
        }
    }

    fn variables(&self) -> Vec<(String, String)> {
        let endpoints = SERVICES.iter().zip(&self.services).map(|(name, service)| {
            let url = format!("https://localhost:{}", service.address.port());
            (format!("AWS_ENDPOINT_URL_{name}"), url)
        });
        let bundle = ("AWS_CA_BUNDLE".to_owned(), self.bundle.path().to_owned());
        endpoints.chain([bundle]).collect()
    }

    fn handshakes(&self) -> Vec<usize> {
        let services = self.services.iter();
        let counts = services.map(|service| service.handshakes.load(Ordering::SeqCst));
        counts.collect()
    }
}

/// Starts a program and waits for the end of its start: it then answers what makes no call.
async fn started(path: &str, app: &TestApp, services: &Services) -> Program {
    let variables = services.variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(n, v)| (&**n, &**v)).collect();
    let mut program = Program::start(Command::new(path), app.faults.address, &variables);
    assert_answers(&mut program, "null", 400).await;
    program
}

#[tokio::test]
async fn the_first_calls_of_a_login_make_no_handshake() {
    let app = TestApp::start().await;

    let services = Services::start("login-connections", &app).await;
    let mut login = started(env!("CARGO_BIN_EXE_login-function"), &app, &services).await;
    let opened = services.handshakes();
    assert!(opened.iter().all(|&count| count > 0), "{opened:?}");
    assert_answers(&mut login, LOGIN, 200).await;
    assert_eq!(services.handshakes(), opened, "{SERVICES:?}");
    end(login).await;

    let services = Services::start("validation-connections", &app).await;
    let mut validate = started(env!("CARGO_BIN_EXE_validate-function"), &app, &services).await;
    let opened = services.handshakes();
    assert!(opened[..2].iter().all(|&count| count > 0), "{opened:?}");
    let code = app.stack.messages.messages(None)[0].code.clone().unwrap();
    let event = VALIDATE.replace("123456", &code);
    assert_answers(&mut validate, &event, 200).await;
    assert_eq!(services.handshakes(), opened, "{SERVICES:?}");
    end(validate).await;
}
