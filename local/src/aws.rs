//! The AWS services that the functions call, emulated on one port, for any SDK and for the AWS CLI.
//!
//! | a request with | goes to | protocol |
//! |---|---|---|
//! | `X-Amz-Target: DynamoDB…` | [`dynamodb`], a real emulator behind a proxy | awsJson 1.0 |
//! | `X-Amz-Target: TrentService.…` | [`kms`] | awsJson 1.1 |
//! | a path below `/v2/email/` | `ses` | REST JSON |
//! | a form for a body | `sns` | awsQuery |
//!
//! Request signatures are **not** checked: any credentials and any region work, so never expose
//! this port to a network. It writes no log, because requests contain codes and addresses.

pub mod dynamodb;
pub mod kms;
mod protocol;
mod ses;
mod sns;
pub mod topics;

use std::{borrow::Cow, net::SocketAddr};

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_types::SdkConfig;
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{
        Method, StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue},
        request::Parts,
    },
    response::Response,
    routing::any,
};

use otp_service::aws::{self, TrustRoots};

use self::protocol::{AwsError, Protocol};
use crate::inbox::Inbox;

/// The largest request that `DynamoDB` accepts, and the limit of the other services here.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

const ABOUT: &str = "AWS for development: DynamoDB, KMS, SES v2 and SNS on one port.\n\
    Point an SDK or the AWS CLI here with AWS_ENDPOINT_URL; any credentials and region do.\n";

static TARGET: HeaderName = HeaderName::from_static("x-amz-target");
static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

#[derive(Clone)]
struct Aws {
    dynamodb: dynamodb::Proxy,
    inbox: Inbox,
    keys: kms::Keys,
    templates: ses::Templates,
    topics: topics::Topics,
}

/// Serves `DynamoDB` from the emulator at `dynamodb`, KMS with `keys`, and SES and SNS, which
/// deliver to `inbox` and to the subscribers of `topics`.
pub fn router(
    dynamodb: SocketAddr,
    inbox: Inbox,
    keys: kms::Keys,
    topics: topics::Topics,
) -> Router {
    let aws = Aws {
        dynamodb: dynamodb::Proxy::new(dynamodb),
        inbox,
        keys,
        templates: ses::Templates::default(),
        topics,
    };
    Router::new()
        .route("/", any(dispatch).get(async || ABOUT))
        .fallback(dispatch)
        .with_state(aws)
}

/// The clients of the emulated services at this address.
#[must_use]
pub fn clients(aws: SocketAddr) -> aws::Aws {
    clients_in("us-east-1", aws)
}

/// The clients of a region.
#[must_use]
pub fn clients_in(region: impl Into<Cow<'static, str>>, aws: SocketAddr) -> aws::Aws {
    let credentials = Credentials::new("local", "local", None, None, "local");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(format!("http://{aws}"))
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials));
    aws::Aws::new(sdk.build(), &TrustRoots::of_amazon())
}

/// The service that a request calls, according to its head.
#[derive(Debug, PartialEq, Eq)]
enum Call {
    DynamoDb,
    Kms { operation: String },
    Ses,
    Sns,
    Unknown(Protocol),
}

impl Call {
    fn of(head: &Parts) -> Self {
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(target) = header(&TARGET) {
            return match target.split_once('.') {
                Some(("TrentService", operation)) => Self::Kms {
                    operation: operation.to_owned(),
                },
                _ if target.starts_with("DynamoDB") => Self::DynamoDb,
                _ => Self::Unknown(Protocol::Json),
            };
        }
        let media_type = header(&CONTENT_TYPE).unwrap_or_default();
        if head.uri.path().starts_with("/v2/email/") {
            Self::Ses
        } else if head.method == Method::POST
            && media_type.starts_with("application/x-www-form-urlencoded")
        {
            Self::Sns
        } else {
            Self::Unknown(Protocol::RestJson)
        }
    }

    fn protocol(&self) -> Protocol {
        match self {
            Self::DynamoDb | Self::Kms { .. } => Protocol::Json,
            Self::Ses => Protocol::RestJson,
            Self::Sns => Protocol::Query,
            Self::Unknown(protocol) => *protocol,
        }
    }
}

async fn dispatch(State(aws): State<Aws>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let call = Call::of(&head);
    if call == Call::DynamoDb {
        // The emulator has its own limit and its own request ids.
        return aws.dynamodb.forward(Request::from_parts(head, body)).await;
    }

    let protocol = call.protocol();
    let answer = match read(body).await {
        Ok(body) => aws.answer(call, &head, &body),
        Err(error) => Err(error),
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let mut response = match answer {
        Ok(answer) => protocol.success(answer, &request_id),
        Err(error) => protocol.failure(&error, &request_id),
    };
    if let Ok(value) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    response
}

async fn read(body: Body) -> Result<Bytes, AwsError> {
    to_bytes(body, BODY_LIMIT).await.map_err(|_| AwsError {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        code: "RequestEntityTooLargeException",
        message: format!("The body cannot be read, or is larger than {BODY_LIMIT} bytes."),
    })
}

impl Aws {
    /// The answer's body, which is text in every protocol.
    fn answer(&self, call: Call, head: &Parts, body: &[u8]) -> Result<String, AwsError> {
        match call {
            Call::Kms { operation } => self.keys.answer(&operation, body),
            Call::Ses => {
                let path = head.uri.path();
                ses::answer(&self.inbox, &self.templates, &head.method, path, body)
            }
            Call::Sns => sns::answer(&self.inbox, &self.topics, body),
            Call::DynamoDb | Call::Unknown(_) => Err(AwsError::client(
                "UnknownOperationException",
                "No service here takes this request.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, uri: &str, name: &HeaderName, value: &str) -> Call {
        let request = Request::builder().method(method).uri(uri);
        let request = request.header(name, value).body(()).unwrap();
        Call::of(&request.into_parts().0)
    }

    #[test]
    fn a_request_says_whom_it_calls() {
        let target = |value| call("POST", "/", &TARGET, value);
        assert_eq!(target("DynamoDB_20120810.PutItem"), Call::DynamoDb);
        assert_eq!(
            target("DynamoDBStreams_20120810.ListStreams"),
            Call::DynamoDb
        );
        let operation = "Sign".to_owned();
        assert_eq!(target("TrentService.Sign"), Call::Kms { operation });
        assert_eq!(
            target("AmazonSQS.SendMessage"),
            Call::Unknown(Protocol::Json)
        );

        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(call("POST", "/", &CONTENT_TYPE, form), Call::Sns);
        let json = "application/json";
        let send = "/v2/email/outbound-emails";
        assert_eq!(call("POST", send, &CONTENT_TYPE, json), Call::Ses);
        let other = call("PUT", "/bucket/key", &CONTENT_TYPE, json);
        assert_eq!(other, Call::Unknown(Protocol::RestJson));
    }
}
