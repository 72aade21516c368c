//! What providers report of the messages that they took: events that wait for the function.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use otp_domain::UnixTime;
use otp_service::ambient;
use serde_json::Value;
use tokio::sync::Notify;

use super::CAPACITY;
use crate::functions::Clock;

/// The events that wait, and the addresses on the account's suppression list.
#[derive(Default)]
pub(super) struct Reports {
    waiting: Mutex<VecDeque<String>>,
    arrived: Notify,
    pub(super) suppressed: Mutex<BTreeSet<String>>,
    pub(super) clock: OnceLock<Clock>,
}

impl Reports {
    pub(super) fn now(&self) -> UnixTime {
        self.clock.get().map_or_else(ambient::now, |clock| clock())
    }

    pub(super) fn push(&self, event: &Value) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() == CAPACITY {
            waiting.pop_front();
        }
        waiting.push_back(event.to_string());
        self.arrived.notify_one();
    }

    pub(super) fn take(&self) -> Vec<String> {
        lock(&self.waiting).drain(..).collect()
    }

    pub(super) async fn next(&self) -> String {
        loop {
            let first = lock(&self.waiting).pop_front();
            match first {
                Some(event) => return event,
                None => self.arrived.notified().await,
            }
        }
    }
}

/// Every change is one call, so a poisoned lock still has a valid value.
pub(super) fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
