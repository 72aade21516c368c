//! A proxy between the functions and the AWS services that makes chosen calls fail.

mod call;
mod capacity;
mod expression;
mod gate;
mod half;
mod http;
mod slip;
mod strict;

use std::{
    io, mem,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

pub use self::{
    call::Call,
    gate::{Gate, Wait},
};
use self::{http::HttpMessage, strict::Strict};

/// What the proxy does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// The service does not see the call; the answer is a throttling error.
    Throttled,
    /// The service does not see the call; the answer is a 500.
    Http500,
    /// The service does not see the call; the answer is a 503.
    Http503,
    /// The service does not see the call; the answer has this status and this error code.
    Error(u16, &'static str),
    /// The service does not see the call; the answer says that a transaction was cancelled
    /// because another write was at the same items.
    TransactionConflict,
    /// The service does not see the call; the connection is reset.
    ConnectionReset,
    /// The service does not see the call; no answer ever comes.
    NoReply,
    /// The service does its work; the answer is late, but in time.
    ReplyDelayed,
    /// The service reads the first half of a batch, and says that it left out the rest.
    HalfOfBatch,
    /// The service does its work; the last byte of the answer is missing.
    ReplyTruncated,
    /// The service does its work; the connection is closed without an answer.
    ReplyDropped,
    /// The service does its work; the answer is a 500.
    ReplyReplacedBy500,
}

impl CallFault {
    /// The faults after which the service has done nothing.
    pub const NOTHING_DONE: [Self; 5] = [
        Self::Throttled,
        Self::Http500,
        Self::Http503,
        Self::ConnectionReset,
        Self::NoReply,
    ];

    /// The faults that hide what the service has done.
    pub const REPLY_LOST: [Self; 3] = [
        Self::ReplyTruncated,
        Self::ReplyDropped,
        Self::ReplyReplacedBy500,
    ];

    /// The error that the proxy answers with in place of the service.
    fn error(self, call: Call) -> Option<Vec<u8>> {
        let error = |status, code| Some(http::error(call, status, code));
        match self {
            Self::Throttled => error(400, "ThrottlingException"),
            Self::Http500 => error(500, "InternalServerError"),
            Self::Http503 => error(503, "ServiceUnavailable"),
            Self::Error(status, code) => error(status, code),
            Self::TransactionConflict => Some(http::transaction_conflict(&[true, false]).bytes()),
            _ => None,
        }
    }
}

/// Longer than any answer here takes, and much shorter than the shortest time-out.
const DELAY: Duration = Duration::from_millis(200);

/// Decides about each call that no planned fault is for.
type Rule = Box<dyn FnMut(Call, &[u8]) -> Option<CallFault> + Send>;

#[derive(Default)]
struct Plan {
    /// Which calls to fail, how, and how many more times.
    planned: Vec<(Call, CallFault, usize)>,
    rule: Option<Rule>,
    injected: usize,
    history: Option<Vec<(Call, String)>>,
    calls: Vec<Call>,
    /// The write units of the calls, if they are measured.
    write_units: Option<f64>,
    gates: gate::Gates,
    /// How often all connections were forgotten.
    forgotten: usize,
    /// The requests that only open a connection.
    pings: usize,
}

/// A running proxy. It knows each call that the functions make by name. Dropping it ends it.
pub struct FaultProxy {
    /// Where the functions reach the services through the proxy.
    pub address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    strict: Arc<Strict>,
    _server: JoinSet<()>,
}

impl FaultProxy {
    /// Starts a proxy in front of the services at this address. It passes all calls on.
    pub async fn start(services: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let plan = Arc::new(Mutex::new(Plan::default()));
        let strict = Strict::of(services);
        let shared = (Arc::clone(&plan), Arc::clone(&strict));
        let mut server = JoinSet::new();
        server.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (plan, strict) = shared.clone();
                tokio::spawn(async move {
                    let judge = Arc::clone(&strict);
                    let connection = async move { serve(client, services, &plan, &judge).await };
                    if let Err(panic) = tokio::spawn(connection).await {
                        strict.note(format!("the proxy stopped: {panic:?}"));
                    }
                });
            }
        });
        Self {
            address,
            plan,
            strict,
            _server: server,
        }
    }

    /// Fails the next `times` calls of a kind.
    pub fn inject(&self, call: Call, fault: CallFault, times: usize) {
        self.plan().planned.push((call, fault, times));
    }

    /// Fails the calls that a rule picks, by their kind and their body.
    pub fn inject_by<R>(&self, rule: R)
    where
        R: FnMut(Call, &[u8]) -> Option<CallFault> + Send + 'static,
    {
        self.plan().rule = Some(Box::new(rule));
    }

    /// Fails each call in a random way with this probability.
    pub fn inject_at_random(&self, mut rng: StdRng, probability: f64) {
        let faults = [
            &CallFault::NOTHING_DONE[..],
            &CallFault::REPLY_LOST,
            &[CallFault::ReplyDelayed],
        ]
        .concat();
        self.inject_by(move |_, _| {
            let fails = rng.random_bool(probability);
            fails.then(|| *faults.choose(&mut rng).expect("there are faults"))
        });
    }

    /// How many calls have failed since the start or the last [`stop`](Self::stop).
    #[must_use]
    pub fn injected(&self) -> usize {
        self.plan().injected
    }

    /// How many planned faults have not happened yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        let plan = self.plan();
        let left = plan.planned.iter().map(|(_, _, left)| *left);
        left.fold(0, usize::saturating_add)
    }

    /// The calls since the start or the last [`stop`](Self::stop), in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.plan().calls.clone()
    }

    /// Waits for a call that was under way when its caller gave up, so that it meets its fault
    /// too.
    pub async fn outlast(&self) {
        tokio::time::sleep(DELAY).await;
    }

    /// Stops failing calls, and forgets the calls, the number of failed calls and the history.
    pub fn stop(&self) {
        let mut plan = self.plan();
        *plan = Plan {
            forgotten: plan.forgotten,
            ..Plan::default()
        };
    }

    /// Forgets all open connections: the next call on each of them resets it.
    pub fn forget_connections(&self) {
        self.plan().forgotten += 1;
    }

    /// How many requests only opened a connection, since the start or the last
    /// [`stop`](Self::stop).
    #[must_use]
    pub fn pings(&self) -> usize {
        self.plan().pings
    }

    /// Measures from now on what calls cost.
    pub fn measure(&self) {
        self.plan().write_units = Some(0.0);
    }

    /// The write units of the measured calls.
    #[must_use]
    pub fn write_units(&self) -> f64 {
        self.plan().write_units.unwrap_or_default()
    }

    /// Records from now on which challenges are stored and which messages are sent.
    pub fn record_history(&self) {
        self.plan().history = Some(Vec::new());
    }

    /// The recorded calls with their bodies, in order.
    #[must_use]
    pub fn history(&self) -> Vec<(Call, String)> {
        self.plan().history.clone().unwrap_or_default()
    }

    /// The rules of the table that calls have broken since the last time. What nobody takes
    /// fails the test when the proxy is dropped.
    #[must_use]
    pub fn broken_rules(&self) -> Vec<String> {
        self.strict.take_broken()
    }

    /// Leaves no keys of a batch out from now on, except by [`CallFault::HalfOfBatch`]: for tests
    /// that count the batches.
    pub fn read_whole_batches(&self) {
        self.strict.read_whole_batches();
    }

    /// How many writes met a transaction at the same item, and were refused.
    #[must_use]
    pub fn conflicts(&self) -> usize {
        self.strict.conflicts()
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap()
    }
}

impl Drop for FaultProxy {
    #[expect(clippy::print_stderr, reason = "the test already fails")]
    fn drop(&mut self) {
        let broken = self.broken_rules();
        if std::thread::panicking() {
            eprintln!("{}", broken.join("\n"));
        } else {
            assert!(broken.is_empty(), "{}", broken.join("\n"));
        }
    }
}

impl Plan {
    fn fault_of(&mut self, call: Call, body: &[u8]) -> Option<CallFault> {
        // The operator's tool asks it once, before all else: it reads no item and changes none.
        if call == Call::DescribeTable {
            return None;
        }
        self.calls.push(call);
        let mut planned = self.planned.iter_mut();
        let planned = planned.find(|(of, _, left)| *of == call && *left > 0);
        let fault = match planned {
            Some((_, fault, left)) => {
                *left -= 1;
                Some(*fault)
            }
            None => self.rule.as_mut().and_then(|rule| rule(call, body)),
        };
        self.injected += usize::from(fault.is_some());
        fault
    }

    /// Whether the cost of calls is measured. If so, asks the table for that of this one.
    fn asks_for_units(&self, request: &mut HttpMessage) -> bool {
        if self.write_units.is_some() {
            capacity::ask(request);
        }
        self.write_units.is_some()
    }

    fn record(&mut self, call: Call, body: &[u8]) {
        if let Some(history) = &mut self.history {
            history.push((call, String::from_utf8_lossy(body).into_owned()));
        }
    }
}

/// Serves one connection until either side, or a fault, ends it.
async fn serve(
    client: TcpStream,
    services: SocketAddr,
    plan: &Mutex<Plan>,
    strict: &Strict,
) -> io::Result<()> {
    let upstream = TcpStream::connect(services).await?;
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let (mut client, mut upstream) = (BufReader::new(client), BufReader::new(upstream));
    let mut forgotten = plan.lock().unwrap().forgotten;
    while let Some(mut request) = HttpMessage::read(&mut client).await? {
        let before = mem::replace(&mut forgotten, plan.lock().unwrap().forgotten);
        if before != forgotten {
            return client.get_ref().set_zero_linger();
        }
        if request.is_ping() {
            plan.lock().unwrap().pings += 1;
            let pong = strict.pass_on(None, &request, &mut upstream).await?;
            client.write_all(&pong.expect("an answer").bytes()).await?;
            continue;
        }
        let call = Call::of(&request);
        if call != Call::DescribeTable {
            gate::pass(plan, call, &request).await;
        }
        let slipped = slip::happen(call, &mut request);
        let fault = plan.lock().unwrap().fault_of(call, &request.body);
        let judged = strict.judge(&mut request);
        if let Some(error) = fault.and_then(|fault| fault.error(call)) {
            client.write_all(&error).await?;
            continue;
        }
        if !passes(&mut client, fault).await? {
            return Ok(());
        }
        if matches!(call, Call::SendEmail | Call::SendSms | Call::PublishToTopic) {
            plan.lock().unwrap().record(call, &request.body);
        }
        let measures = plan.lock().unwrap().asks_for_units(&mut request);
        let halves = fault == Some(CallFault::HalfOfBatch) || strict.leaves_out(judged.as_ref());
        let left = halves.then(|| half::take(&mut request));
        let answer = strict.pass_on(judged.as_ref(), &request, &mut upstream);
        let Some(mut answer) = answer.await? else {
            return Ok(());
        };
        if slipped {
            slip::check_answer(&answer);
        }
        if measures && let Some(units) = &mut plan.lock().unwrap().write_units {
            *units += capacity::write_units(&request, &answer);
        }
        if call == Call::Admit && answer.is_ok() {
            plan.lock().unwrap().record(call, &request.body);
        }
        if let Some(left) = left {
            half::tell(left, &mut answer);
        }
        if !reply(&mut client, call, fault, &answer.bytes()).await? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether a fault lets the service see the call.
async fn passes(client: &mut BufReader<TcpStream>, fault: Option<CallFault>) -> io::Result<bool> {
    match fault {
        Some(CallFault::ConnectionReset) => client.get_ref().set_zero_linger()?,
        // Until the caller gives up.
        Some(CallFault::NoReply) => drop(client.read_u8().await?),
        Some(CallFault::ReplyDelayed) => {
            tokio::time::sleep(DELAY).await;
            return Ok(true);
        }
        _ => return Ok(true),
    }
    Ok(false)
}

/// Sends the answer, or what a fault leaves of it. Returns whether the connection goes on.
async fn reply(
    client: &mut BufReader<TcpStream>,
    call: Call,
    fault: Option<CallFault>,
    answer: &[u8],
) -> io::Result<bool> {
    match fault {
        Some(CallFault::ReplyDropped) => return Ok(false),
        Some(CallFault::ReplyTruncated) => {
            client.write_all(&answer[..answer.len() - 1]).await?;
            return Ok(false);
        }
        Some(CallFault::ReplyReplacedBy500) => {
            let error = http::error(call, 500, "InternalServerError");
            client.write_all(&error).await?;
        }
        _ => client.write_all(answer).await?,
    }
    Ok(true)
}
