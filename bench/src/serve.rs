//! The functions as processes behind a gateway, like in Lambda: each process
//! works on one request at a time.

use std::{net::SocketAddr, path::Path, sync::Arc};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use local::gateway::event;
use otp_edge::route::Route;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::Command,
    sync::{Mutex, mpsc},
};

use crate::{Outcome, RELEASE, function::Function, say, story::Story};

/// The largest body, in bytes: larger than any request of the load test.
const MAX_BODY: usize = 64 * 1024;

/// High limits, so that the load reaches the functions.
const SETTINGS: [(&str, &str); 3] = [
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("SENDS_PER_HOUR", "1000000"),
    ("SENDS_PER_DAY", "1000000"),
];

struct Gateway {
    login: Pool,
    validate: Pool,
}

/// The idle processes of one function.
struct Pool {
    idle: Mutex<mpsc::UnboundedReceiver<Function>>,
    done: mpsc::UnboundedSender<Function>,
}

/// Serves until the program ends.
///
/// # Errors
///
/// A function does not start, or no port is free.
pub async fn serve(story: &Story, processes: usize) -> Outcome<()> {
    let mut variables = story.variables_unrecorded();
    let settings = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    variables.extend(settings);
    let gateway = Gateway {
        login: Pool::start("login-with-otp", processes, &variables).await?,
        validate: Pool::start("validate-otp", processes, &variables).await?,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say(&format!("inbox http://{}", story.inbox()));
    say(&format!("api http://{}", listener.local_addr()?));
    let router = Router::new().fallback(ask).with_state(Arc::new(gateway));
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, router).await?)
}

impl Pool {
    async fn start(name: &str, processes: usize, variables: &[(String, String)]) -> Outcome<Self> {
        let program = Path::new(RELEASE).join(name);
        let (done, idle) = mpsc::unbounded_channel();
        for _ in 0..processes {
            let function = Function::start(Command::new(&program), variables).await?;
            say(&format!("process {} {name}", function.id()));
            done.send(function)?;
        }
        Ok(Self {
            idle: Mutex::new(idle),
            done,
        })
    }

    /// A process that fails gets no more requests.
    async fn invoke(&self, event: String) -> Outcome<Bytes> {
        let function = self.idle.lock().await.recv().await;
        let mut function = function.ok_or("no process is left")?;
        let answer = function.invoke(event).await?;
        self.done.send(function)?;
        Ok(answer)
    }
}

/// Runs in its own task: a client that disconnects must not cancel a process's
/// request.
async fn ask(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let answer = tokio::spawn(forward(gateway, peer, request)).await;
    match answer {
        Ok(Ok(response)) => response,
        _ => StatusCode::BAD_GATEWAY.into_response(),
    }
}

async fn forward(gateway: Arc<Gateway>, peer: SocketAddr, request: Request) -> Outcome<Response> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await?;
    let pool = match Route::at(head.uri.path()) {
        Some(Route::Login) => &gateway.login,
        _ => &gateway.validate,
    };
    let answer = pool.invoke(event(&head, &body, peer).to_string()).await?;
    into_http(&serde_json::from_slice(&answer)?)
}

/// Reads an answer of payload 1.0.
fn into_http(answer: &Value) -> Outcome<Response> {
    let body = answer["body"].as_str().unwrap_or_default().to_owned();
    let status = answer["statusCode"].as_u64().unwrap_or_default();
    let mut response = Response::builder().status(u16::try_from(status)?);
    let headers = answer["multiValueHeaders"]
        .as_object()
        .ok_or("no headers")?;
    for (name, values) in headers {
        for value in values.as_array().into_iter().flatten() {
            response = response.header(name, value.as_str().unwrap_or_default());
        }
    }
    Ok(response.body(Body::from(body))?)
}
