//! What the functions log, kept for assertions.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock},
};

use serde_json::Value;
use tracing::Subscriber;

/// The most bytes that are kept. A long run logs more; then the older half is dropped.
const CAPACITY: usize = 32 * 1024 * 1024;

/// Keeps what is written to it. Clones share their content.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

/// The fields that are random or a time.
const RANDOM: [&str; 8] = [
    "timestamp",
    "request_id",
    "duration_ms",
    "pseudonym",
    "user_id",
    "challenge_id",
    "session_id",
    "message_id",
];

impl Log {
    /// The log of the whole process. Captures from the first call on.
    pub fn of_process() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            let set = tracing::subscriber::set_global_default(log.subscriber());
            set.expect("nothing else captures the log of this process");
            log
        })
    }

    /// A subscriber that writes to this log as the functions do.
    #[must_use]
    pub fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        let log = self.clone();
        otp_edge::log::subscriber(move || log.clone())
    }

    /// Every line.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).expect("the log is text");
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().expect("each line is JSON")
    }

    /// The lines about a destination, by its masked form.
    #[must_use]
    pub fn lines_about(&self, masked: &str) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["destination"] == masked);
        lines
    }

    /// Checks that no line holds a secret.
    #[track_caller]
    pub fn assert_lacks(&self, secret: &str) {
        let logged = self.text().any(|line| line.contains(secret));
        assert!(!logged, "a secret is in the log");
    }

    /// The few lines that may hold a code or an unmasked destination: those with a run of six
    /// digits, and those with an `@` that no mask precedes.
    pub(crate) fn lines_with_a_code_or_a_destination(&self) -> Vec<String> {
        let is_suspect = |line: &String| {
            let bytes = line.as_bytes();
            bytes
                .windows(2)
                .any(|pair| pair[1] == b'@' && pair[0] != b'*')
                || bytes
                    .windows(6)
                    .any(|run| run.iter().all(u8::is_ascii_digit))
        };
        self.text().filter(is_suspect).collect()
    }

    /// Every line without the fields that are random or a time: six digits in a row occur there
    /// by chance.
    fn text(&self) -> impl Iterator<Item = String> {
        self.lines().into_iter().map(|mut line| {
            let fields = line.as_object_mut().expect("a line is an object");
            for name in RANDOM {
                fields.remove(name);
            }
            line.to_string()
        })
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap();
        kept.extend_from_slice(line);
        if kept.len() > CAPACITY {
            let rest = kept.iter().skip(CAPACITY / 2);
            let end = rest.take_while(|byte| **byte != b'\n').count();
            kept.drain(..=CAPACITY / 2 + end);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
