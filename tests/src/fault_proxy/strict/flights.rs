//! Writes that are on their way, and those that conflict with them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::{
    super::http::{HttpMessage, json_error, transaction_conflict},
    TableCall, key_of,
};

/// How often one write is refused. It is repeated with pauses, in a budget of seconds that a
/// crowd on a busy machine would use up.
const REFUSALS: usize = 2;

/// The transactions that are on their way.
#[derive(Default)]
pub struct Flights {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Vec<String>,
    tokens: Vec<String>,
    /// How often each write was refused, by its token or its body.
    refused: HashMap<String, usize>,
}

/// A transaction on its way. Dropping it ends it.
pub struct Flight {
    flights: Arc<Flights>,
    keys: Vec<String>,
    token: String,
}

impl Flights {
    /// Starts a write, or answers as `DynamoDB` does if it conflicts with a transaction that
    /// is on its way. Two writes that are no transactions never conflict.
    pub fn start(flights: &Arc<Self>, call: &TableCall) -> Result<Option<Flight>, HttpMessage> {
        let mut state = flights.state.lock().unwrap();
        let keys = call.writes().into_iter().filter_map(key_of);
        let keys: Vec<String> = keys.map(|key| key.to_string()).collect();
        let meets: Vec<bool> = keys.iter().map(|key| state.keys.contains(key)).collect();
        let is_transaction = call.operation == "TransactWriteItems";
        let token = token(call);
        let write = if token.is_empty() {
            call.body.to_string()
        } else {
            token.clone()
        };
        let refused = state.refused.get(&write).copied().unwrap_or_default();
        let refusal = if refused == REFUSALS {
            None
        } else if is_transaction && state.tokens.contains(&token) {
            Some(json_error("TransactionInProgressException"))
        } else if !meets.contains(&true) {
            None
        } else if is_transaction {
            Some(transaction_conflict(&meets))
        } else {
            Some(json_error("TransactionConflictException"))
        };
        if let Some(refusal) = refusal {
            state.refused.insert(write, refused + 1);
            return Err(refusal);
        }
        if !is_transaction {
            return Ok(None);
        }
        state.keys.extend(keys.iter().cloned());
        state.tokens.push(token.clone());
        drop(state);
        let flights = Arc::clone(flights);
        Ok(Some(Flight {
            flights,
            keys,
            token,
        }))
    }

    pub fn conflicts(&self) -> usize {
        self.state.lock().unwrap().refused.values().sum()
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.flights.state.lock().unwrap();
        for key in &self.keys {
            remove(&mut state.keys, key);
        }
        remove(&mut state.tokens, &self.token);
    }
}

/// Removes one of a text, of perhaps several.
fn remove(texts: &mut Vec<String>, text: &str) {
    if let Some(nth) = texts.iter().position(|it| it == text) {
        texts.swap_remove(nth);
    }
}

fn token(call: &TableCall) -> String {
    let token = call.body["ClientRequestToken"].as_str();
    token.unwrap_or_default().to_owned()
}
