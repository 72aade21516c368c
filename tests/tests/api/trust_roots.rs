//! Which certificates the AWS clients trust.

use std::{fs, path::PathBuf, time::Duration};

use aws_sdk_dynamodb::error::DisplayErrorContext;
use local::{
    aws::clients,
    tls::{Certificate, Terminator},
};
use otp_domain::UnixTime;
use otp_edge::settings::Settings;
use otp_service::aws::{Aws, Service, TrustRoots};
use tests::TestApp;

/// Clients that trust `roots`, of services at this URL.
fn clients_at(url: String, roots: &TrustRoots, app: &TestApp) -> Aws {
    let sdk = clients(app.stack.aws).sdk().clone().into_builder();
    Aws::new(sdk.endpoint_url(url).build(), roots)
}

/// Reads an item over TLS as a function that trusts `roots`.
async fn read_over_tls(app: &TestApp, tls: &Terminator, roots: &TrustRoots) -> Result<(), String> {
    let url = format!("https://localhost:{}", tls.address.port());
    let key = |value: &str| aws_sdk_dynamodb::types::AttributeValue::S(value.to_owned());
    clients_at(url, roots, app)
        .dynamodb()
        .get_item()
        .table_name(&app.settings.sessions.table_name)
        .key("pk", key("nobody"))
        .key("sk", key("nothing"))
        .send()
        .await
        .map(|_| ())
        .map_err(|error| DisplayErrorContext(error).to_string())
}

/// A file of certificates, removed when dropped.
pub struct Bundle(PathBuf);

impl Bundle {
    pub fn of(test: &str, pem: &str) -> Self {
        let name = format!("otp-{test}-{}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, pem).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn settings(bundle: &str) -> Result<Settings, String> {
    let value = |name: &str| match name {
        "AWS_CA_BUNDLE" => bundle,
        _ => "example",
    };
    let known = ["TABLE_NAME", "BRAND", "TOKEN_ISSUER", "TOKEN_AUDIENCE"];
    let known = [
        &known[..],
        &["SIGNING_KEY_ID", "DIGEST_KEY_ID", "AWS_CA_BUNDLE"],
    ]
    .concat();
    let lookup = |name: &str| known.contains(&name).then(|| value(name).to_owned());
    Settings::from_lookup(lookup, UnixTime::from_secs(1_767_226_200)).map_err(|e| e.to_string())
}

#[tokio::test]
async fn a_self_signed_server_is_refused() {
    let app = TestApp::start().await;
    let certificate = Certificate::generate().unwrap();
    let tls = Terminator::start(&certificate, app.stack.aws)
        .await
        .unwrap();
    let default = settings("").unwrap().trust_roots;
    let refusal = read_over_tls(&app, &tls, &default).await.unwrap_err();
    assert!(refusal.contains("UnknownIssuer"), "{refusal}");
}

#[tokio::test]
async fn a_server_with_a_certificate_of_the_bundle_is_trusted_and_no_other() {
    let app = TestApp::start().await;
    let certificate = Certificate::generate().unwrap();
    let tls = Terminator::start(&certificate, app.stack.aws)
        .await
        .unwrap();
    let bundle = Bundle::of("trusted", &certificate.pem);
    let roots = settings(bundle.path()).unwrap().trust_roots;
    assert_eq!(read_over_tls(&app, &tls, &roots).await, Ok(()));

    let other = Certificate::generate().unwrap();
    let other = Terminator::start(&other, app.stack.aws).await.unwrap();
    let refusal = read_over_tls(&app, &other, &roots).await.unwrap_err();
    assert!(refusal.contains("invalid peer certificate"), "{refusal}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let app = TestApp::start().await;
    let certificate = Certificate::generate().unwrap();
    let tls = Terminator::start(&certificate, app.stack.aws)
        .await
        .unwrap();
    let bundle = Bundle::of("name", &certificate.pem);
    let roots = TrustRoots::from_file(bundle.path()).unwrap();
    let aws = clients_at(format!("https://{}", tls.address), &roots, &app);
    let error = aws.dynamodb().list_tables().send().await.unwrap_err();
    let refusal = DisplayErrorContext(error).to_string();
    assert!(refusal.contains("NotValidForName"), "{refusal}");
}

#[test]
fn a_bundle_that_cannot_be_read_is_an_invalid_setting() {
    let error = settings("/no/such/bundle.pem").unwrap_err();
    assert!(error.contains("AWS_CA_BUNDLE must be a file of certificates in PEM"));
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_does_not_delay_the_start_for_long() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let aws = clients(silent.local_addr().unwrap());
    let open = aws.connect(Service::Table);
    let done = tokio::time::timeout(Duration::from_secs(3), open).await;
    assert!(done.is_ok());
}
