use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_credential_types::provider::{
    ProvideCredentials, SharedCredentialsProvider, future::ProvideCredentials as Provided,
};
use aws_sdk_dynamodb::config::{BehaviorVersion, IdentityCache, Region};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningParams, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::HttpResponse,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use proptest::prelude::*;

use super::{plain::Signed, *};
use crate::aws;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2026-01-01T00:10:00Z.
const NOW: u64 = 1_767_226_200;
const BY_THE_SIGNATURE: [&str; 3] = ["authorization", "x-amz-date", "x-amz-security-token"];

fn credentials(id: &str, token: Option<&str>) -> Credentials {
    Credentials::new(id, SECRET, token.map(str::to_owned), None, "test")
}

fn request(method: &str, uri: &str, headers: &[(&'static str, &str)], body: &[u8]) -> HttpRequest {
    let mut request = HttpRequest::new(SdkBody::from(body.to_vec()));
    request.set_method(method).unwrap();
    request.set_uri(uri).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, (*value).to_owned());
    }
    request
}

fn plainly_signed(request: &HttpRequest, of: &Credentials, seconds: u64) -> Signed {
    let key = SigningKey::derive(&Scope {
        credentials: of,
        day: seconds / key::DAY,
        region: "us-east-1",
        service: "service",
    });
    let plain = PlainRequest::of(request).expect("the request is plain");
    plain.sign(&key, Duration::from_secs(seconds))
}

/// What `aws-sigv4` writes for the same headers.
fn reference(request: &HttpRequest, of: &Credentials, scope: (&str, &str), seconds: u64) -> String {
    let demanded = |name: &str| name == "content-type" || name.starts_with("x-amz-");
    let headers = request.headers().iter();
    let headers = headers.filter(|(name, _)| demanded(name) && !BY_THE_SIGNATURE.contains(name));
    let body = SignableBody::Bytes(request.body().bytes().unwrap());
    let signable = SignableRequest::new(request.method(), request.uri(), headers, body).unwrap();
    let identity = of.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(scope.0)
        .name(scope.1)
        .time(UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(SigningSettings::default());
    let params = SigningParams::V4(params.build().unwrap());
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let mut headers = instructions.headers();
    let (_, authorization) = headers.find(|(name, _)| *name == "authorization").unwrap();
    authorization.to_owned()
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-test-suite.html>
#[test]
fn awss_published_examples_are_signed_as_published() {
    let vectors = [
        (
            "GET",
            None,
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "POST",
            None,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "POST",
            Some(concat!(
                "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAe",
                "MicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phU",
                "ZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38x",
                "Vqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2",
                "ICCR/oLxBA==",
            )),
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ];
    for (method, token, signature) in vectors {
        let request = request(method, "https://example.amazonaws.com/", &[], b"");
        let signed = plainly_signed(&request, &credentials("AKIDEXAMPLE", token), 1_440_938_160);
        assert_eq!(signed.date, "20150830T123600Z");
        let names = token.map_or("", |_| ";x-amz-security-token");
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date{names}, Signature={signature}"
        );
        assert_eq!(signed.authorization, expected);
    }
}

proptest! {
    #[test]
    fn every_plain_request_is_signed_as_aws_sigv4_signs_it(
        body in prop::collection::vec(any::<u8>(), 0..2000),
        path in "(/[a-zA-Z0-9_~-]{1,8}){0,3}",
        port in prop::option::of(1024..=u16::MAX),
        kind in "[!-~]{1,12}( [!-~]{1,12})?",
        target in prop::option::of("[!-~]{1,40}"),
        token in prop::option::of("[a-zA-Z0-9/+=]{1,900}"),
        unsigned in "[!-~]{1,20}",
        seconds in 0..4_102_444_800_u64,
    ) {
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let uri = format!("https://service.us-east-1.amazonaws.com{port}{path}");
        let mut headers = vec![("content-type", &*kind), ("user-agent", &*unsigned)];
        headers.extend(target.iter().map(|target| ("x-amz-target", &**target)));
        headers.push(("amz-sdk-request", &unsigned));
        let request = request("POST", &uri, &headers, &body);
        let credentials = credentials("AKIDEXAMPLE", token.as_deref());
        let signed = plainly_signed(&request, &credentials, seconds);
        let expected = reference(&request, &credentials, ("us-east-1", "service"), seconds);
        prop_assert_eq!(signed.authorization, expected);
    }
}

#[test]
fn what_is_not_plain_is_left_to_the_sdk() {
    let plain = |uri: &str, headers: &[(&'static str, &str)]| {
        PlainRequest::of(&request("POST", uri, headers, b"")).is_some()
    };
    assert!(plain("http://a.example:8000", &[("x-amz-target", "a b")]));
    for uri in [
        "https://a.example/?b=c",
        "https://a.example/%20",
        "https://a.example/b/../c",
        "https://a.example/b//c",
        "https://a.example:443/",
        "http://a.example:80/",
        "https://user@a.example/",
        "https://[::1]/",
    ] {
        assert!(!plain(uri, &[]), "{uri}");
    }
    let twice = [("x-amz-target", "a"), ("x-amz-target", "b")];
    assert!(!plain("https://a.example/", &twice));
    for value in ["a  b", " a", "a\tb", "\u{e9}"] {
        assert!(!plain("https://a.example/", &[("x-amz-target", value)]));
    }
    assert!(!plain("https://a.example/", &[("host", "b.example")]));
    let mut streamed = request("POST", "https://a.example/", &[], b"");
    *streamed.body_mut() = SdkBody::taken();
    assert!(PlainRequest::of(&streamed).is_none());
}

/// Records the requests, and answers each with the next of `answers`.
#[derive(Clone, Debug, Default)]
struct Service {
    requests: Arc<Mutex<Vec<HttpRequest>>>,
    answers: Arc<Mutex<Vec<HttpResponse>>>,
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.requests.lock().unwrap().push(request);
        let next = self.answers.lock().unwrap().pop();
        HttpConnectorFuture::ready(Ok(next.unwrap_or_else(|| answer(400, "Refused"))))
    }
}

fn answer(status: u16, code: &str) -> HttpResponse {
    let body = format!(r#"{{"__type":"{code}"}}"#);
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body))
}

/// Credentials that can change at any time.
#[derive(Clone, Debug)]
struct Changing(Arc<Mutex<Credentials>>);

impl ProvideCredentials for Changing {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::ready(Ok(self.0.lock().unwrap().clone()))
    }
}

fn sdk(service: &Service, credentials: &Changing) -> SdkConfig {
    let connector = SharedHttpConnector::new(service.clone());
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials.clone()))
        .identity_cache(IdentityCache::no_cache())
        .time_source(StaticTimeSource::from_secs(NOW))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build()
}

/// Checks that the signature is the one of `aws-sigv4`.
fn check(request: &HttpRequest, of: &Credentials, service: &str) {
    let header = |name: &str| request.headers().get(name);
    assert_eq!(header("x-amz-security-token"), of.session_token());
    assert_eq!(header("x-amz-date"), Some("20260101T001000Z"));
    let expected = reference(request, of, ("eu-central-1", service), NOW);
    assert_eq!(header("authorization"), Some(&*expected));
}

#[tokio::test]
async fn each_client_signs_its_requests_with_the_credentials_of_the_moment() {
    let service = Service::default();
    let first = credentials("AKIDFIRST", Some("token-of-the-first"));
    let credentials_now = Changing(Arc::new(Mutex::new(first.clone())));
    let sdk = sdk(&service, &credentials_now);
    let (table, keys) = (aws::dynamodb(&sdk), aws::kms(&sdk));
    let (email, sms) = (aws::ses(&sdk), aws::sns(&sdk));
    let call_all = async || {
        let key = aws_sdk_dynamodb::types::AttributeValue::S("\u{e9}".into());
        let _ = table.get_item().table_name("t").key("pk", key).send().await;
        let _ = keys.get_public_key().key_id("k").send().await;
        let content = aws_sdk_sesv2::types::EmailContent::builder().build();
        let _ = email.send_email().content(content).send().await;
        let _ = sms
            .publish()
            .phone_number("+14155550123")
            .message("a b&c")
            .send()
            .await;
    };
    let rotated = credentials("AKIDSECOND", Some("token-of-the-second"));
    let without_token = credentials("AKIDSECOND", None);
    for of in [&first, &first, &rotated, &without_token] {
        *credentials_now.0.lock().unwrap() = of.clone();
        call_all().await;
        let requests = std::mem::take(&mut *service.requests.lock().unwrap());
        let names = ["dynamodb", "kms", "ses", "sns"];
        assert_eq!(requests.len(), names.len());
        for (request, name) in requests.iter().zip(names) {
            check(request, of, name);
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_corrected_by_a_second_attempt() {
    let service = Service::default();
    let of = credentials("AKIDEXAMPLE", None);
    let sdk = sdk(&service, &Changing(Arc::new(Mutex::new(of))));
    let mut refusal = answer(403, "InvalidSignatureException");
    refusal
        .headers_mut()
        .insert("date", "Thu, 01 Jan 2026 00:20:00 GMT");
    service.answers.lock().unwrap().push(refusal);
    let _ = aws::kms(&sdk).get_public_key().key_id("k").send().await;
    let requests = service.requests.lock().unwrap();
    let dates = requests
        .iter()
        .map(|request| request.headers().get("x-amz-date").unwrap());
    let dates: Vec<&str> = dates.collect();
    assert_eq!(dates, ["20260101T001000Z", "20260101T002000Z"]);
}

#[test]
fn no_secret_is_shown() {
    let credentials = credentials("AKIDEXAMPLE", Some("session-token"));
    let signer = Signer::default();
    let mut request = request("POST", "https://a.example/", &[], b"");
    let scope = Scope {
        credentials: &credentials,
        day: 0,
        region: "us-east-1",
        service: "kms",
    };
    let key = SigningKey::derive(&scope);
    assert!(signer.sign_plain(&mut request, &scope, Duration::ZERO));
    let scheme = CachedSigning(signer);
    let shown = format!("{:?} {scheme:?} {key:?} {request:?}", scheme.signer());
    for secret in [SECRET, "session-token", "Signature=", "AKIDEXAMPLE"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
