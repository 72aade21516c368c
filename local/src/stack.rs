//! The whole stack: emulated services, functions, gateway, inbox and sign-in page.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use dynoxide::Database;
use otp_edge::{
    event::Event,
    route::Route,
    settings::{Settings, SettingsError},
};
use otp_service::{session::SessionSettings, store::Events};
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    aws::{self, dynamodb, kms, topics::Topics},
    clock::{self, Ahead},
    events::Pipe,
    functions::{Clock, Functions},
    gateway,
    inbox::{self, Inbox},
    limits::{self, Limits},
    offer, web,
};

/// Two countries, and the numbers for documents and tests that no phone has.
const SMS_PREFIXES: &str = "US,CA,+10,+1234567890,+1500555,+1555,+1999";

/// The mistake in `EVENTS_URL`.
const NO_EVENTS_URL: &str = "EVENTS_URL must be a URL such as http://127.0.0.1:9000/";

/// How often an event comes that the function does not take, and after which pause.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// The addresses and the settings of a stack.
pub struct Options<L> {
    /// The API's address; port 0 picks a free one.
    pub api: String,
    /// The inbox's address.
    pub inbox: String,
    /// The AWS endpoints' address.
    pub aws: String,
    /// The sign-in page's address.
    pub web: String,
    /// Looks up the settings that differ from the local defaults.
    pub settings: L,
    /// The functions' clock, until `POST /api/clock` moves it.
    pub clock: Clock,
}

/// A running stack. Dropping it stops it.
pub struct Stack {
    /// Where the API listens.
    pub api: SocketAddr,
    /// Where the inbox listens.
    pub inbox: SocketAddr,
    /// Where the AWS endpoints listen.
    pub aws: SocketAddr,
    /// Where the sign-in page is served.
    pub web: SocketAddr,
    /// The messages that were sent.
    pub messages: Inbox,
    /// The settings that the functions use.
    pub settings: Settings,
    /// The functions, for callers with their own events.
    pub functions: Arc<Functions>,
    servers: JoinSet<io::Result<()>>,
}

/// Why a stack did not start.
#[derive(Debug)]
pub enum StartError {
    /// The stack cannot listen at an address, which a variable may change.
    Address(&'static str, String, io::Error),
    /// One or more settings are wrong.
    Settings(SettingsError),
    /// The emulated services did not start.
    Services(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(name, address, error) if error.kind() == io::ErrorKind::AddrInUse => {
                let port = address.rsplit(':').next().unwrap_or_default();
                write!(
                    f,
                    "cannot listen at {address}: another program uses port {port}. End it, or set \
                     {name} to another address; port 0 picks a free one."
                )
            }
            Self::Address(name, address, error) => {
                write!(f, "cannot listen at {address} ({name}): {error}")
            }
            Self::Settings(error) => error.fmt(f),
            Self::Services(error) => write!(f, "the emulated services did not start: {error}"),
        }
    }
}

impl std::error::Error for StartError {}

impl Stack {
    /// Starts the stack. When this returns, every address accepts connections.
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
        let (web, web_at) = listen("WEB_ADDR", &options.web).await?;

        let events_url = (options.settings)("EVENTS_URL").filter(|url| !url.is_empty());
        let lookup = |name: &str| {
            let hears = name == "EVENT_BUS_NAME" && events_url.is_some();
            (options.settings)(name)
                .or_else(|| hears.then(|| "local".to_owned()))
                .or_else(|| local_default(name, api_at, web_at))
        };
        let settings =
            Settings::from_lookup(lookup, (options.clock)()).map_err(StartError::Settings)?;
        let ahead = Ahead::default();
        let clock = ahead.of(options.clock);
        let messages = Inbox::ahead(ahead.clone());
        messages.keep_time(Arc::clone(&clock));
        if let Ok(login) = &settings.login {
            messages.know(&login.delivery);
        }
        let subscribers = (options.settings)("SUBSCRIBERS").unwrap_or_default();
        let topics = Topics::parse(&subscribers).map_err(StartError::Services)?;
        let database = database(&settings).await?;
        let (services, limits) = services(&database, &settings, messages.clone(), topics)?;

        let mut servers = JoinSet::new();
        if let Some(pipe) = pipe(&settings, events_url.as_deref(), database.1, &messages)? {
            servers.spawn(pipe.run());
        }
        serve(&mut servers, aws, &services);
        let functions = Arc::new(Functions::new(
            &settings,
            &aws::clients(aws_at),
            Arc::clone(&clock),
        ));
        functions.warm_up().await;
        serve(&mut servers, api, &gateway::router(Arc::clone(&functions)));
        let limits = limits::router(limits, Arc::clone(&functions));
        let tests = inbox::for_this_machine(limits.merge(clock::router(ahead, clock)));
        let page = inbox::router(messages.clone()).merge(tests);
        serve(&mut servers, inbox, &page);
        let sign_in = web::router(web::Page {
            api: api_at,
            inbox: inbox_at,
            // The default allows the numbers of these two.
            countries: (options.settings)("SMS_PREFIXES").map_or("US,CA", |_| ""),
        });
        serve(&mut servers, web, &sign_in);

        Ok(Self {
            api: api_at,
            inbox: inbox_at,
            aws: aws_at,
            web: web_at,
            messages,
            settings,
            functions,
            servers,
        })
    }

    /// Brings every report of a provider to the function from now on, as AWS does.
    pub fn deliver_reports(&mut self) {
        let (messages, functions) = (self.messages.clone(), Arc::clone(&self.functions));
        self.servers.spawn(async move {
            loop {
                let report = messages.next_report().await;
                let read = || serde_json::from_str::<Event>(&report);
                for _ in 0..TRIES {
                    let Ok(event) = read() else { break };
                    if functions.invoke(Route::Login, event).await.is_ok() {
                        break;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        });
    }

    /// Waits until a server fails.
    pub async fn failed(&mut self) {
        self.servers.join_next().await;
    }
}

/// The sockets of one address: `localhost` is 127.0.0.1 to some clients, and `::1` to others.
async fn listen(
    name: &'static str,
    address: &str,
) -> Result<(Vec<TcpListener>, SocketAddr), StartError> {
    let failed = |error| StartError::Address(name, address.to_owned(), error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let mut listeners = vec![listener];
    if address.ip() == Ipv4Addr::LOCALHOST {
        // A machine may have no IPv6, and another program may have this port of it.
        let second = TcpListener::bind((Ipv6Addr::LOCALHOST, address.port())).await;
        listeners.extend(second);
    }
    Ok((listeners, address))
}

fn serve(servers: &mut JoinSet<io::Result<()>>, listeners: Vec<TcpListener>, router: &Router) {
    for listener in listeners {
        let service = router
            .clone()
            .into_make_service_with_connect_info::<SocketAddr>();
        servers.spawn(async { axum::serve(listener, service).await });
    }
}

/// What brings events from the table to `EVENTS_URL`, if there are events.
fn pipe(
    settings: &Settings,
    url: Option<&str>,
    database: Database,
    inbox: &Inbox,
) -> Result<Option<Pipe>, StartError> {
    let url = match url.map(offer::url) {
        Some(None) => return Err(StartError::Services(NO_EVENTS_URL.to_owned())),
        url => url.flatten(),
    };
    let pipe = Pipe {
        database,
        table: settings.sessions.table_name.clone(),
        inbox: inbox.clone(),
        url,
    };
    Ok((settings.sessions.events == Events::On).then_some(pipe))
}

/// The database with the table, and where it listens.
async fn database(settings: &Settings) -> Result<(SocketAddr, Database), StartError> {
    let (address, database) = dynamodb::start().await.map_err(StartError::Services)?;
    let SessionSettings {
        table_name, events, ..
    } = &settings.sessions;
    dynamodb::create_table(&database, table_name, *events).map_err(StartError::Services)?;
    Ok((address, database))
}

fn services(
    (address, database): &(SocketAddr, Database),
    settings: &Settings,
    messages: Inbox,
    topics: Topics,
) -> Result<(Router, Limits), StartError> {
    let sessions = &settings.sessions;
    let tokens = &sessions.tokens;
    let keys = kms::Keys::generate(
        &ids(
            &tokens.signing_key_id,
            tokens.second_signing_key_id.as_ref(),
        ),
        &ids(
            &sessions.digest_key_id,
            sessions.second_digest_key_id.as_ref(),
        ),
    )
    .map_err(StartError::Services)?;
    let limits = Limits::new(database.clone(), sessions.table_name.clone());
    Ok((aws::router(*address, messages, keys, topics), limits))
}

fn ids<'a>(first: &'a String, second: Option<&'a String>) -> Vec<&'a str> {
    [Some(first), second]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect()
}

fn local_default(name: &str, api: SocketAddr, web: SocketAddr) -> Option<String> {
    let value = match name {
        "TABLE_NAME" => "login-with-otp",
        "BRAND" => "Example",
        "EMAIL_FROM" => "login@example.com",
        "SMS_PREFIXES" => SMS_PREFIXES,
        "TOKEN_ISSUER" => return Some(format!("http://{api}")),
        "TOKEN_AUDIENCE" => "example",
        "ALLOWED_ORIGINS" => return Some(web::origins(web)),
        "SIGNING_KEY_ID" => kms::SIGNING_KEY_ID,
        "DIGEST_KEY_ID" => kms::DIGEST_KEY_ID,
        _ => return None,
    };
    Some(value.to_owned())
}
