//! The operator's tool on a stack, whose outputs and parameters tell the rest.

mod invitations;

use std::{collections::HashMap, ffi::OsString, net::SocketAddr};

use admin::{Exit, Io, run};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use axum::{Router, http::StatusCode, routing::post};
use local::aws::clients;
use otp_domain::UnixTime;
use otp_service::aws::{Aws, TrustRoots};
use tests::{ALICE, PHONE, TestApp};
use tokio::net::TcpListener;

/// Where `CloudFormation` is, apart from the other services.
#[derive(Debug)]
struct Elsewhere(SocketAddr);

impl LoadServiceConfig for Elsewhere {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.service_id() == "CloudFormation").then(|| format!("http://{}", self.0))
    }
}

/// A `CloudFormation` that answers every call so.
async fn cloudformation(status: StatusCode, answer: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = async move |called: String| {
        let asks = called.contains("Action=DescribeStacks") && called.contains("StackName=login");
        assert!(asks, "{called}");
        (status, answer)
    };
    let router = Router::new().route("/", post(async move |body: String| answer(body).await));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>\
         </Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

fn stack(outputs: &[(&str, &str)], parameters: &[(&str, &str)]) -> String {
    let members = |kind: &str, pairs: &[(&str, &str)]| {
        let members = pairs.iter().map(|(name, value)| {
            format!(
                "<member><{kind}Key>{name}</{kind}Key><{kind}Value>{value}</{kind}Value></member>"
            )
        });
        members.collect::<String>()
    };
    format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>\
         <StackName>login</StackName><StackStatus>CREATE_COMPLETE</StackStatus>\
         <CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <Outputs>{}</Outputs><Parameters>{}</Parameters></member></Stacks>\
         </DescribeStacksResult></DescribeStacksResponse>",
        members("Output", outputs),
        members("Parameter", parameters)
    )
}

/// What a command line on the stack `login` leaves.
async fn admin(app: &TestApp, answers: (StatusCode, String), line: &str) -> [String; 2] {
    let (exit, out, err) = ran(app, answers, line).await;
    assert_eq!(exit, Exit::Done, "{line}: {err}");
    [out, err]
}

async fn ran(
    app: &TestApp,
    (status, answer): (StatusCode, String),
    line: &str,
) -> (Exit, String, String) {
    let elsewhere = Elsewhere(cloudformation(status, answer).await);
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = Io {
        stdin: &mut [].as_slice(),
        stdout: &mut out,
        stderr: &mut err,
    };
    let args = format!("{line} --stack login");
    let args = args.split_whitespace().map(OsString::from);
    let sdk = clients(app.stack.aws).sdk().clone();
    let sdk = sdk.into_builder().service_config(elsewhere).build();
    let aws = async || Aws::new(sdk, &TrustRoots::of_amazon());
    let now = UnixTime::from_millis(app.now());
    let default = Some("no-such-table".to_owned());
    let exit = run(args, default, aws, now, &mut io).await;
    let [out, err] = [out, err].map(|text| String::from_utf8(text).unwrap());
    (exit, out, err)
}

/// The outputs of a stack whose table and keys are those of the app.
fn outputs(app: &TestApp) -> HashMap<&str, &str> {
    let settings = &app.settings.sessions;
    HashMap::from([
        ("TableName", settings.table_name.as_str()),
        ("DigestKeyId", settings.digest_key_id.as_str()),
        ("SigningKeyId", "local-signing-key"),
        ("Issuer", "https://login.example.com"),
    ])
}

#[tokio::test]
async fn a_stack_tells_the_table_the_keys_and_the_settings() {
    let app = TestApp::start().await;
    let outputs: Vec<_> = outputs(&app).into_iter().collect();
    let parameters = [
        ("Brand", "Firm"),
        ("EmailFrom", "login@example.com"),
        ("SmsPrefixes", "GB"),
        ("TokenAudience", "api"),
        ("TokenIssuer", ""),
        ("TestIdentities", "****"),
    ];
    let answer = || (StatusCode::OK, stack(&outputs, &parameters));
    let added = admin(&app, answer(), &format!("users add --email {ALICE}")).await;
    assert!(
        added[1].starts_with("alice@example.com: added"),
        "{added:?}"
    );
    let [listed, _] = admin(&app, answer(), "users list").await;
    assert!(listed.contains(ALICE), "{listed}");
    let [why, _] = admin(&app, answer(), &format!("why {PHONE}")).await;
    assert!(why.contains("403 destination-not-allowed"), "{why}");
    let [pseudonym, _] = admin(&app, answer(), &format!("users pseudonym {PHONE}")).await;
    assert!(why.contains(pseudonym.trim()), "{why}");
    let [shown, _] = admin(&app, answer(), "messages preview --channel email").await;
    assert!(shown.contains("Firm"), "{shown}");
    let (_, examined, _) = ran(&app, answer(), "doctor").await;
    assert!(examined.contains("SIGNING_KEY_ID"), "{examined}");
    assert!(!examined.contains("no key is named"), "{examined}");
    let [judged, _] = admin(&app, answer(), "settings check").await;
    assert_eq!(judged, "the settings are right\n");
}

#[tokio::test]
async fn a_stack_that_does_not_tell_is_named_in_a_sentence() {
    let app = TestApp::start().await;
    let outputs = outputs(&app);
    let table = [("TableName", outputs["TableName"])];
    for (status, answer, sentence) in [
        (
            StatusCode::BAD_REQUEST,
            refusal("ValidationError", "Stack with id login does not exist"),
            "there is no stack login in region us-east-1",
        ),
        (
            StatusCode::FORBIDDEN,
            refusal("AccessDenied", "User is not authorized"),
            "settings: DescribeStacks: AccessDenied\nthese credentials may not call DescribeStacks \
             here: admin/operator-policy.json names what the tool needs\ntried stack login in \
             region us-east-1",
        ),
        (
            StatusCode::OK,
            stack(&table, &[]),
            "the stack login has no output DigestKeyId, SigningKeyId: its deployment is not done, \
             or it is none of this template",
        ),
    ] {
        for line in [
            "users list",
            "doctor",
            "settings check",
            "why alice@example.com",
        ] {
            let (exit, out, err) = ran(&app, (status, answer.clone()), line).await;
            assert_eq!((exit, out.as_str()), (Exit::Failed, ""), "{line}: {err}");
            assert!(err.starts_with(sentence), "{line}: {err}");
        }
    }
}

#[tokio::test]
async fn without_a_table_nothing_is_done() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    for default in [None, Some(String::new())] {
        let mut io = Io {
            stdin: &mut [].as_slice(),
            stdout: &mut out,
            stderr: &mut err,
        };
        let args = ["users", "list"].map(OsString::from);
        let aws = async || clients(([127, 0, 0, 1], 9).into());
        let exit = run(args, default, aws, UnixTime::from_millis(0), &mut io).await;
        assert_eq!(exit, Exit::Usage);
    }
    let err = String::from_utf8(err).unwrap();
    assert!(
        err.starts_with("no table: give --stack NAME or --table NAME"),
        "{err}"
    );
    assert!(out.is_empty());
}
