//! A gate before the services: calls wait there, so that a race happens each time.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use super::{Call, FaultProxy, Plan, http::HttpMessage};

/// The longest that a call waits. The functions would repeat it after a second.
const PATIENCE: Duration = Duration::from_millis(800);

/// How long a test waits for calls that must come.
const LONGEST: Duration = Duration::from_secs(20);

/// What a call waits for.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Decides what a call waits for, if for anything.
type Hook = Box<dyn FnMut(Call, &[u8]) -> Option<Wait> + Send>;

/// The gates of a proxy.
#[derive(Default)]
pub(super) struct Gates {
    hook: Option<Hook>,
    gates: Vec<Arc<Gate>>,
}

/// Where calls of one kind wait for each other, or for the test. Proxies can share it.
pub struct Gate {
    call: Call,
    /// Words in the body of each call that waits.
    about: String,
    /// The gate opens once so many calls are here.
    opens_at: usize,
    here: watch::Sender<usize>,
    open: watch::Sender<bool>,
    /// How many calls were here when it opened.
    met: AtomicUsize,
}

impl Gate {
    /// Opens when so many calls of a kind, with these words in their bodies, are here at once.
    #[must_use]
    pub fn of(calls: usize, call: Call, about: &str) -> Arc<Self> {
        Arc::new(Self {
            call,
            about: about.to_owned(),
            opens_at: calls,
            here: watch::Sender::default(),
            open: watch::Sender::default(),
            met: AtomicUsize::default(),
        })
    }

    /// Opens when the test says so.
    #[must_use]
    pub fn closed(call: Call, about: &str) -> Arc<Self> {
        Self::of(usize::MAX, call, about)
    }

    /// Waits until a call is here. Panics if none comes: the test would not meet its race.
    pub async fn reached(&self) {
        let mut here = self.here.subscribe();
        let reached = timeout(LONGEST, here.wait_for(|here| *here > 0)).await;
        let call = self.call;
        assert!(reached.is_ok(), "no {call:?} came to the gate");
    }

    /// Lets all calls pass. Returns how many have waited until now.
    pub fn open(&self) -> usize {
        let here = *self.here.borrow();
        if !self.open.send_replace(true) {
            self.met.store(here, Ordering::SeqCst);
        }
        here
    }

    /// Whether the gate was opened while as many calls as it opens at, or at least one, were
    /// here.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.met.load(Ordering::SeqCst) > 0
    }

    /// Panics unless the calls have met.
    #[track_caller]
    pub fn assert_met(&self) {
        assert!(self.is_met(), "the race at {:?} did not happen", self.call);
    }

    async fn pass(self: Arc<Self>) {
        let mut open = self.open.subscribe();
        self.here.send_modify(|here| *here += 1);
        if *self.here.borrow() >= self.opens_at {
            self.open();
        }
        let _ = timeout(PATIENCE, open.wait_for(|open| *open)).await;
        self.here.send_modify(|here| *here -= 1);
    }
}

impl FaultProxy {
    /// Holds the calls that a gate is for.
    pub fn hold(&self, gate: &Arc<Gate>) {
        let mut plan = self.plan();
        // A gate that only this proxy still knows is over.
        plan.gates.gates.retain(|it| Arc::strong_count(it) > 1);
        plan.gates.gates.push(Arc::clone(gate));
    }

    /// Does something before a call goes on: whatever `hook` returns for it.
    pub fn before<H>(&self, hook: H)
    where
        H: FnMut(Call, &[u8]) -> Option<Wait> + Send + 'static,
    {
        self.plan().gates.hook = Some(Box::new(hook));
    }
}

/// Waits until a call may go on.
pub(super) async fn pass(plan: &Mutex<Plan>, call: Call, request: &HttpMessage) {
    let (hooked, gate) = {
        let mut plan = plan.lock().unwrap_or_else(PoisonError::into_inner);
        let gates = &mut plan.gates;
        let hook = gates.hook.as_mut();
        let hooked = hook.and_then(|hook| hook(call, &request.body));
        let mut gates = gates.gates.iter().filter(|gate| gate.call == call);
        let body = String::from_utf8_lossy(&request.body);
        let gate = gates.find(|gate| body.contains(&gate.about));
        (hooked, gate.cloned())
    };
    if let Some(hooked) = hooked {
        hooked.await;
    }
    if let Some(gate) = gate {
        gate.pass().await;
    }
}
