//! The floor: SDK calls and nothing else. The body of each request lists the calls to make. The
//! clients are built in the SDK's own way, and no code is shared with the functions, so that the
//! difference is what they do.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem, Update};
use aws_sdk_kms::{
    primitives::Blob,
    types::{MacAlgorithmSpec, MessageType, SigningAlgorithmSpec},
};
use aws_sdk_sesv2::types::{Body as Text, Content, Destination, EmailContent, Message};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use lambda_http::{Body, Error, Request, Response, run, service_fn};

/// The certificate authorities of AWS endpoints.
const ROOTS: &[u8] = include_bytes!("../../../shared/service/src/aws/amazon-roots.pem");

const TABLE: &str = "login-with-otp";
const ADDRESS: &str = "somebody@example.com";
const DIGEST: [u8; 32] = [7; 32];

struct Clients {
    dynamodb: aws_sdk_dynamodb::Client,
    kms: aws_sdk_kms::Client,
    ses: aws_sdk_sesv2::Client,
    sns: aws_sdk_sns::Client,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let clients = &Clients::new(&sdk_config().await?);
    run(service_fn(async |request: Request| {
        let calls = std::str::from_utf8(request.body())?;
        for call in calls.split_whitespace() {
            clients.make(call).await?;
        }
        Ok::<_, Error>(Response::new(Body::Empty))
    }))
    .await
}

/// The SDK's usual configuration, with its trust roots embedded.
async fn sdk_config() -> Result<SdkConfig, Error> {
    let roots = TrustStore::empty().with_pem_certificate(ROOTS);
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .tls_context(TlsContext::builder().with_trust_store(roots).build()?)
        .build_https();
    let defaults = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    Ok(defaults.load().await)
}

impl Clients {
    fn new(sdk: &SdkConfig) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
            kms: aws_sdk_kms::Client::new(sdk),
            ses: aws_sdk_sesv2::Client::new(sdk),
            sns: aws_sdk_sns::Client::new(sdk),
        }
    }

    async fn make(&self, call: &str) -> Result<(), Error> {
        match call {
            "GetItem" => self.get().await,
            "BatchGetItem" => self.batch_get().await,
            "UpdateItem" => self.update().await,
            "TransactWriteItems" => self.transact().await,
            "GenerateMac" => self.generate_mac().await,
            "GetPublicKey" => self.get_public_key().await,
            "Sign" => self.sign().await,
            "SendEmail" => self.send_email().await,
            "Publish" => self.publish().await,
            _ => Err(format!("unknown call: {call}").into()),
        }
    }

    async fn get(&self) -> Result<(), Error> {
        let call = self.dynamodb.get_item().table_name(TABLE);
        let call = call.key("pk", text(ADDRESS)).key("sk", text("user"));
        call.consistent_read(true).send().await?;
        Ok(())
    }

    async fn batch_get(&self) -> Result<(), Error> {
        let key = |sort| [("pk", text(ADDRESS)), ("sk", text(sort))];
        let keys = ["user", "history", "guesses"].map(|sort| {
            let pairs = key(sort).map(|(name, value)| (name.to_owned(), value));
            pairs.into()
        });
        let asked = KeysAndAttributes::builder()
            .set_keys(Some(keys.into()))
            .consistent_read(true)
            .build()?;
        let call = self.dynamodb.batch_get_item().request_items(TABLE, asked);
        call.send().await?;
        Ok(())
    }

    async fn update(&self) -> Result<(), Error> {
        let call = self.dynamodb.update_item().table_name(TABLE);
        call.key("pk", text(ADDRESS))
            .key("sk", text("floor"))
            .update_expression("SET seen_at = :now ADD admitted :one")
            .expression_attribute_values(":now", number("1767226200000"))
            .expression_attribute_values(":one", number("1"))
            .send()
            .await?;
        Ok(())
    }

    /// The number of writes is that of an e-mail login's admission, and of a redemption.
    async fn transact(&self) -> Result<(), Error> {
        let mut call = self.dynamodb.transact_write_items();
        for sort_key in [
            "sends",
            "client",
            "messages",
            "history",
            "guesses",
            "challenge",
        ] {
            let update = Update::builder()
                .table_name(TABLE)
                .key("pk", text(ADDRESS))
                .key("sk", text(sort_key))
                .update_expression("SET expires_at_seconds = :end ADD admitted :one")
                .condition_expression("attribute_not_exists(admitted) OR admitted < :most")
                .expression_attribute_values(":end", number("1767226200"))
                .expression_attribute_values(":one", number("1"))
                .expression_attribute_values(":most", number("1000000"))
                .build()?;
            call = call.transact_items(TransactWriteItem::builder().update(update).build());
        }
        call.send().await?;
        Ok(())
    }

    async fn generate_mac(&self) -> Result<(), Error> {
        let call = self.kms.generate_mac().key_id("local-digest-key");
        call.mac_algorithm(MacAlgorithmSpec::HmacSha256)
            .message(Blob::new(DIGEST))
            .send()
            .await?;
        Ok(())
    }

    async fn get_public_key(&self) -> Result<(), Error> {
        let call = self.kms.get_public_key().key_id("local-signing-key");
        call.send().await?;
        Ok(())
    }

    async fn sign(&self) -> Result<(), Error> {
        let call = self.kms.sign().key_id("local-signing-key");
        call.message_type(MessageType::Digest)
            .message(Blob::new(DIGEST))
            .signing_algorithm(SigningAlgorithmSpec::RsassaPkcs1V15Sha256)
            .send()
            .await?;
        Ok(())
    }

    /// A text part and an HTML part, of about the length of the real ones.
    async fn send_email(&self) -> Result<(), Error> {
        let content = |text: String| Content::builder().data(text).charset("UTF-8").build();
        let body = Text::builder()
            .text(content("123456 is your code.\n".repeat(11))?)
            .html(content("<p>123456 is your code.</p>\n".repeat(30))?);
        let subject = content("Your code: 123456".to_owned())?;
        let message = Message::builder().subject(subject).body(body.build());
        let content = EmailContent::builder().simple(message.build()).build();
        let to = Destination::builder().to_addresses(ADDRESS).build();
        let call = self.ses.send_email().from_email_address(ADDRESS);
        call.destination(to).content(content).send().await?;
        Ok(())
    }

    async fn publish(&self) -> Result<(), Error> {
        let call = self.sns.publish().phone_number("+14155550123");
        call.message("123456 is your code.").send().await?;
        Ok(())
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: &str) -> AttributeValue {
    AttributeValue::N(value.to_owned())
}
