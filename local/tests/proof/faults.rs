//! A proxy between the functions and the services. It knows every call that the
//! functions make by name, and fails those that a test asks it to.

mod calls;
mod message;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

pub use self::calls::Call;
use self::message::{Message, error};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused, because the service is busy.
    Throttled,
    /// Answered with 500, and nothing is done.
    Broken,
    /// Answered with 503, and nothing is done.
    Unavailable,
    /// The connection is reset, and nothing is done.
    Reset,
    /// No answer, ever, and nothing is done.
    Hang,
    /// Done, and answered late, but in time.
    Slow,
    /// Done, and half of the answer arrives.
    Truncated,
    /// Done, and the connection closed without an answer.
    Dropped,
    /// Done, but the answer is 500.
    Denied,
}

impl Fault {
    /// Those after which nothing is done.
    pub const BEFORE: [Self; 5] = [
        Self::Throttled,
        Self::Broken,
        Self::Unavailable,
        Self::Reset,
        Self::Hang,
    ];
    /// Those that hide what was done.
    pub const AFTER: [Self; 3] = [Self::Truncated, Self::Dropped, Self::Denied];
}

/// Later than any answer here, and well within the least time-out.
const LATE: Duration = Duration::from_millis(200);

/// What is to go wrong.
#[derive(Default)]
pub struct Faults(Mutex<Plan>);

#[derive(Default)]
struct Plan {
    /// Calls to fail, each so many times.
    planned: Vec<(Call, Fault, usize)>,
    /// Any call may fail, with this probability.
    weather: Option<(StdRng, f64)>,
    happened: usize,
    /// While it rains: the admissions that stand and the messages that leave, in
    /// their order.
    history: Vec<(Call, String)>,
}

impl Faults {
    /// Fails the next `times` calls of that kind.
    pub fn plan(&self, call: Call, fault: Fault, times: usize) {
        self.0.lock().unwrap().planned.push((call, fault, times));
    }

    /// Fails any call with that probability from now on.
    pub fn let_it_rain(&self, rng: StdRng, probability: f64) {
        self.0.lock().unwrap().weather = Some((rng, probability));
    }

    /// The admissions that stand and the messages that left since it began to
    /// rain: bodies of calls, in order.
    pub fn history(&self) -> Vec<(Call, String)> {
        self.0.lock().unwrap().history.clone()
    }

    fn remember(&self, call: Call, request: &Message) {
        let mut plan = self.0.lock().unwrap();
        if plan.weather.is_some() {
            let body = String::from_utf8_lossy(&request.body).into_owned();
            plan.history.push((call, body));
        }
    }

    /// Fails nothing any more; tells how many calls failed.
    pub fn stop(&self) -> usize {
        std::mem::take(&mut *self.0.lock().unwrap()).happened
    }

    fn of(&self, call: Call) -> Option<Fault> {
        let mut plan = self.0.lock().unwrap();
        let planned = plan
            .planned
            .iter_mut()
            .find(|(of, _, left)| *of == call && *left > 0)
            .map(|(_, fault, left)| {
                *left -= 1;
                *fault
            });
        let fault = planned.or_else(|| {
            let (rng, probability) = plan.weather.as_mut()?;
            let all = [Fault::BEFORE.as_slice(), &Fault::AFTER, &[Fault::Slow]].concat();
            rng.random_bool(*probability)
                .then(|| *all.choose(rng).unwrap())
        });
        plan.happened += usize::from(fault.is_some());
        fault
    }
}

/// Starts a proxy in front of `services`.
pub async fn proxy(services: SocketAddr) -> (SocketAddr, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let plan = Arc::clone(&faults);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let plan = Arc::clone(&plan);
            tokio::spawn(async move { serve(client, services, &plan).await });
        }
    });
    (address, faults)
}

/// Serves one connection until either side, or a fault, ends it.
async fn serve(client: TcpStream, services: SocketAddr, faults: &Faults) -> io::Result<()> {
    let upstream = TcpStream::connect(services).await?;
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let (mut client, mut upstream) = (BufReader::new(client), BufReader::new(upstream));
    while let Some(request) = Message::read(&mut client).await? {
        let call = request.call();
        let fault = faults.of(call);
        match fault {
            Some(Fault::Throttled) => {
                client.write_all(&error(400, "ThrottlingException")).await?;
                continue;
            }
            Some(Fault::Broken) => {
                client.write_all(&error(500, "InternalServerError")).await?;
                continue;
            }
            Some(Fault::Unavailable) => {
                client.write_all(&error(503, "ServiceUnavailable")).await?;
                continue;
            }
            Some(Fault::Reset) => return client.get_ref().set_zero_linger(),
            Some(Fault::Hang) => {
                // Until the caller gives up.
                client.read_u8().await?;
                return Ok(());
            }
            Some(Fault::Slow) => tokio::time::sleep(LATE).await,
            None | Some(Fault::Truncated | Fault::Dropped | Fault::Denied) => {}
        }
        if matches!(call, Call::Email | Call::Sms) {
            faults.remember(call, &request);
        }
        upstream.write_all(&request.bytes()).await?;
        let Some(answer) = Message::read(&mut upstream).await? else {
            return Ok(());
        };
        if call == Call::Admit && answer.head.starts_with("HTTP/1.1 200") {
            faults.remember(call, &request);
        }
        let answer = answer.bytes();
        match fault {
            Some(Fault::Dropped) => return Ok(()),
            Some(Fault::Truncated) => {
                let half = answer.len() - 1;
                return client.write_all(&answer[..half]).await;
            }
            Some(Fault::Denied) => client.write_all(&error(500, "InternalServerError")).await?,
            _ => client.write_all(&answer).await?,
        }
    }
    Ok(())
}
