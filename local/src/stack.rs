//! Everything together: the emulated services, the two functions, the gateway
//! and the inbox.

use std::{io, net::SocketAddr, sync::Arc};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use axum::Router;
use otp::{
    clients::{Connections, TrustRoots},
    config::{Config, ConfigError},
};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    aws::{self, dynamodb, kms},
    gateway::{self, Clock, Functions},
    inbox::{self, Inbox},
};

/// Where to listen, and with which settings.
pub struct Options<L> {
    /// The API's address; port 0 picks a free one.
    pub api: String,
    /// The inbox's address.
    pub inbox: String,
    /// The AWS endpoints' address.
    pub aws: String,
    /// Finds the settings that are to differ from the local defaults.
    pub settings: L,
    /// When the functions think it is.
    pub clock: Clock,
}

/// A running stack. Dropping it ends it.
pub struct Stack {
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where the inbox listens.
    pub inbox: SocketAddr,
    /// Where the AWS endpoints listen.
    pub aws: SocketAddr,
    /// What was sent.
    pub messages: Inbox,
    /// The settings that everything runs with.
    pub config: Config,
    /// The functions, for callers that bring their own events.
    pub functions: Arc<Functions>,
    servers: JoinSet<io::Result<()>>,
}

/// Why a stack does not start.
#[derive(Debug)]
pub enum StartError {
    /// An address cannot be listened at.
    Address(&'static str, io::Error),
    /// Settings are wrong.
    Settings(ConfigError),
    /// The emulated services do not start.
    Services(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(name, error) => write!(f, "{name}: cannot listen there: {error}"),
            Self::Settings(error) => error.fmt(f),
            Self::Services(error) => write!(f, "the emulated services do not start: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl Stack {
    /// Starts everything; each address accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// An address is taken, a setting is wrong, or an emulator fails.
    pub async fn start<L>(options: Options<L>) -> Result<Self, StartError>
    where
        L: Fn(&str) -> Option<String>,
    {
        let (api, api_at) = listen("API_ADDR", &options.api).await?;
        let (inbox, inbox_at) = listen("INBOX_ADDR", &options.inbox).await?;
        let (aws, aws_at) = listen("AWS_ADDR", &options.aws).await?;

        let lookup = |name: &str| (options.settings)(name).or_else(|| local_default(name, api_at));
        let config =
            Config::from_lookup(lookup, (options.clock)()).map_err(StartError::Settings)?;
        let messages = Inbox::default();
        let services = services(&config, messages.clone()).await?;

        let mut servers = JoinSet::new();
        servers.spawn(async { axum::serve(aws, services).await });
        let functions = Arc::new(Functions::new(&config, aws_at, options.clock));
        tokio::join!(functions.login.warm_up(), functions.validate.warm_up());
        let gateway = gateway::router(Arc::clone(&functions))
            .into_make_service_with_connect_info::<SocketAddr>();
        servers.spawn(async { axum::serve(api, gateway).await });
        let page = inbox::router(messages.clone());
        servers.spawn(async { axum::serve(inbox, page).await });

        Ok(Self {
            api: api_at,
            inbox: inbox_at,
            aws: aws_at,
            messages,
            config,
            functions,
            servers,
        })
    }

    /// Waits until a server fails, which none should.
    pub async fn failed(&mut self) {
        self.servers.join_next().await;
    }
}

async fn listen(
    name: &'static str,
    address: &str,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Address(name, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn services(config: &Config, messages: Inbox) -> Result<Router, StartError> {
    let (address, database) = dynamodb::start().await.map_err(StartError::Services)?;
    dynamodb::create_table(&database, &config.table_name).map_err(StartError::Services)?;
    let keys = kms::Keys::generate(
        &ids(
            &config.signing_key_id,
            config.second_signing_key_id.as_ref(),
        ),
        &ids(&config.digest_key_id, config.second_digest_key_id.as_ref()),
    )
    .map_err(StartError::Services)?;
    Ok(aws::router(address, messages, keys))
}

fn ids<'a>(first: &'a String, second: Option<&'a String>) -> Vec<&'a str> {
    [Some(first), second]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect()
}

/// The SDK's configuration for the emulated services at `aws`.
#[must_use]
pub fn sdk_config(aws: SocketAddr) -> SdkConfig {
    let credentials = aws_credential_types::Credentials::new("local", "local", None, None, "local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(format!("http://{aws}"))
        .region(Region::new("us-east-1"))
        .http_client(Connections::new(&TrustRoots::of_amazon()).client())
        .credentials_provider(
            aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
        )
        .build()
}

fn local_default(name: &str, api: SocketAddr) -> Option<String> {
    let value = match name {
        "TABLE_NAME" => "login-with-otp",
        "BRAND" => "Example",
        "EMAIL_FROM" => "login@example.com",
        "SMS_PREFIXES" => "+1",
        "TOKEN_ISSUER" => return Some(format!("http://{api}")),
        "TOKEN_AUDIENCE" => "example",
        "SIGNING_KEY_ID" => kms::SIGNING_KEY_ID,
        "DIGEST_KEY_ID" => kms::DIGEST_KEY_ID,
        _ => return None,
    };
    Some(value.to_owned())
}
