use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use local::{
    aws::clients_in,
    functions::{Clock, Functions},
    gateway::router,
    inbox::Inbox,
};
use otp_domain::UnixTime;
use otp_edge::settings::Settings;
use tokio::{net::TcpListener, task::JoinSet};

use crate::Log;

/// Functions with a retry budget of their own: the SDK keeps one for each region.
pub(super) fn functions(settings: &Settings, aws: SocketAddr, clock: Clock) -> Functions {
    static STARTED: AtomicU64 = AtomicU64::new(0);
    let region = format!("test-{}", STARTED.fetch_add(1, Ordering::SeqCst));
    Functions::new(settings, &clients_in(region, aws), clock)
}

/// Serves functions behind a gateway until the set is dropped.
pub async fn serve(functions: Arc<Functions>) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    let gateway = router(functions).into_make_service_with_connect_info::<SocketAddr>();
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, gateway).await.expect("a server") });
    (address, server)
}

/// Reads a clock that is some milliseconds ahead of a shared one.
pub(super) fn reading(clock: &Arc<AtomicU64>, ahead: &Arc<AtomicI64>) -> Clock {
    let (clock, ahead) = (Arc::clone(clock), Arc::clone(ahead));
    Arc::new(move || {
        let millis = clock.load(Ordering::SeqCst);
        UnixTime::from_millis(millis.saturating_add_signed(ahead.load(Ordering::SeqCst)))
    })
}

/// Fails the test when it is dropped and the log holds a code or a destination of a message.
pub(super) struct LoggedSecrets {
    pub(super) inbox: Inbox,
    pub(super) log: &'static Log,
}

impl Drop for LoggedSecrets {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let lines = self.log.lines_with_a_code_or_a_destination();
        for message in self.inbox.messages(None) {
            for secret in [Some(message.to), message.code].into_iter().flatten() {
                let logged = lines.iter().any(|line| line.contains(&secret));
                assert!(!logged, "a code or a destination is in the log");
            }
        }
    }
}
