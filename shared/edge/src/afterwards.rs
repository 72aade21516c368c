//! The work that follows an answer.
//!
//! Lambda gives a function no further event, and does not freeze it, until it asks
//! for the next one. So what runs between the answer and that question runs to its
//! end, and delays nobody's answer.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use otp_service::ambient::Stopwatch;

/// What remains to be done after an answer.
#[must_use = "the work is done only if it is run"]
pub struct Afterwards {
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
    hold: Duration,
}

impl Afterwards {
    pub(crate) fn new(hold: Duration, work: impl Future<Output = ()> + Send + 'static) -> Self {
        let work = Box::pin(work);
        Self { work, hold }
    }

    /// Does the work.
    pub async fn run(self) {
        self.work.await;
    }

    /// Does the work, and waits until the hold has passed since the call. An
    /// instance that is free again sooner for some than for others would show who
    /// had more work.
    ///
    /// A panic in the work ends the work, not the process: the next cold start would
    /// show it.
    pub(crate) async fn run_and_hold(self) {
        let started = Stopwatch::start();
        let _ = tokio::spawn(self.work).await;
        started.reach(self.hold).await;
    }
}

/// Takes the work from the answer to the layer that runs it. A function answers one
/// event at a time.
#[derive(Default)]
pub(crate) struct Between(Mutex<Option<Afterwards>>);

impl Between {
    pub(crate) fn put(&self, afterwards: Option<Afterwards>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = afterwards;
    }

    /// Does the work of the last answer, if it left any.
    pub(crate) async fn run(&self) {
        let left = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(afterwards) = left {
            afterwards.run_and_hold().await;
        }
    }
}
