//! Races for codes.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use futures_util::future::join_all;
use otp::http::route::Route;

use super::{Arena, SETTINGS, successes};
use crate::service::{Service, claim, destination, other_than, partition_name, spent};

const ATTEMPTS: usize = 3;

/// Ten guesses, every third of them right, and two more logins of the same
/// destination: one token at most, three attempts, and what comes after the race
/// is refused.
pub async fn guesses_at_one_code(arena: &Arc<Arena>, race: u32) {
    let to = format!("guesses{race}@example.com");
    let (id, code) = arena.service.receive_code(&to).await;
    let first_right = race as usize / 6 % 3;
    let mut requests: Vec<_> = (0..10)
        .map(|n| {
            let right = n % 3 == first_right;
            let guess = if right {
                code.clone()
            } else {
                other_than(&code)
            };
            (Route::Validate, claim(&to, Some(&id), &guess))
        })
        .collect();
    for at in [4, 7] {
        requests.insert(at, (Route::Login, destination(&to)));
    }
    let answers = arena.burst(requests).await;
    let (logins, guesses): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.json["challenge_id"].is_string());
    let tokens = successes(&guesses);
    assert!(tokens <= 1, "two tokens of one challenge");
    assert_eq!(logins.len(), 2, "a guess stopped a login");
    assert!(
        guesses
            .iter()
            .all(|answer| [200, 400].contains(&answer.status))
    );
    let items = arena.service.partition(&partition_name(&to)).await;
    assert_eq!(
        spent(&items[&format!("challenge#{id}")]),
        ATTEMPTS,
        "attempts, of ten guesses at once"
    );
    assert_eq!(arena.service.families(&to).await, tokens, "families");
    assert_eq!(arena.service.messages(&to).len(), 3);
    let late = claim(&to, Some(&id), &code);
    let late = arena.post(race as usize, Route::Validate, &late).await;
    assert_eq!(late.status, 400, "used up, and still good");
    forget(arena);
}

/// Both codes at once, three times each: one login, which voids the other.
pub async fn two_codes_of_one_destination(arena: &Arc<Arena>, race: u32) {
    let to = format!("codes{race}@example.com");
    let codes = [
        arena.service.receive_code(&to).await,
        arena.service.receive_code(&to).await,
    ];
    let requests = (0..6).map(|n| {
        let (id, code) = &codes[n / 2 % 2];
        (Route::Validate, claim(&to, Some(id), code))
    });
    let answers = arena.burst(requests.collect()).await;
    assert_eq!(successes(&answers), 1, "tokens of two codes");
    assert_eq!(arena.service.families(&to).await, 1, "families");
    for (id, code) in &codes {
        let late = claim(&to, Some(id), code);
        let late = arena.post(race as usize, Route::Validate, &late).await;
        assert_eq!(late.status, 400, "void, and still good");
    }
    forget(arena);
}

/// Eight logins at once, of which the hour admits five; guesses at whatever is
/// newest meanwhile buy none.
pub async fn logins_of_one_destination(arena: &Arc<Arena>, race: u32) {
    let to = format!("logins{race}@example.com");
    let mut requests = vec![(Route::Login, destination(&to)); 8];
    for at in [3, 6] {
        requests.insert(at, (Route::Validate, claim(&to, None, "000000")));
    }
    let answers = arena.burst(requests).await;
    let sent = answers
        .iter()
        .filter(|answer| answer.json["challenge_id"].is_string())
        .count();
    let limited = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((sent, limited), (5, 3), "logins of one hour");
    assert_eq!(arena.service.messages(&to).len(), 5, "messages of one hour");
    forget(arena);
}

/// Keeps the inbox small: it forgets the oldest when it is full.
fn forget(arena: &Arena) {
    if arena.service.stack.messages.messages(None).len() > 5000 {
        arena.service.stack.messages.clear();
    }
}

/// Whose guesses are looked for in the log.
const COMPARED: (&str, &str) = ("compared@guesses.example.net", "c***@g***.net");

/// As many as one busy thread serves before any of them is given up.
const GUESSES: usize = 12;

/// The log, which alone tells a guess that was compared from one that was not.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        if text.contains(COMPARED.1) {
            self.0.lock().unwrap().push_str(&text);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn of_many_guesses_at_once_three_are_compared() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = otp::telemetry::subscriber(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber).expect("the one log of this process");
    let service = Service::start(&SETTINGS).await;
    service.warm_up().await;
    let (to, _) = COMPARED;
    let (id, code) = service.receive_code(to).await;
    let wrong = claim(to, Some(&id), &other_than(&code));
    let answers = join_all((0..GUESSES).map(|_| service.post(Route::Validate, &wrong))).await;
    assert!(answers.iter().all(|answer| answer.status == 400));
    let said = log.0.lock().unwrap().clone();
    assert_eq!(said.matches("wrong code").count(), ATTEMPTS, "comparisons");
    assert_eq!(
        said.matches("no live challenge").count(),
        GUESSES - ATTEMPTS
    );
}
