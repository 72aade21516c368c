//! What the functions write, kept to be searched.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;

use crate::harness::{ALICE, PHONE, TestApp, other_than};

#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Becomes the log of this whole process.
    pub fn capture() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = otp::telemetry::subscriber(move || writer.clone());
        tracing::subscriber::set_global_default(subscriber).expect("the one log of this process");
        log
    }

    pub fn lines(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).expect("the log is text");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect()
    }

    /// Looks at all but what is random or ticks: six digits turn up in those.
    #[track_caller]
    pub fn assert_never_says(&self, secret: &str) {
        for mut line in self.lines() {
            let fields = line.as_object_mut().expect("a line is an object");
            for name in ["timestamp", "request_id", "duration_ms"] {
                fields.remove(name);
            }
            assert!(!line.to_string().contains(secret), "a secret is in the log");
        }
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_request_leaves_one_line_that_says_what_came_of_it() {
    let app = TestApp::start().await;
    let masked = "l***@s***.org";
    let mine = |app: &TestApp| -> Vec<Value> {
        app.log
            .lines()
            .into_iter()
            .filter(|line| line["destination"] == masked)
            .collect()
    };
    let to = "log-reader@somewhere.example.org";

    let (id, code) = app.receive_code(to).await;
    app.login(to).await.assert_too_many();
    app.validate(to, Some(&id), &other_than(&code))
        .await
        .assert_problem(400, "invalid-otp");
    app.validate(to, Some(&id), &code).await.assert_ok();

    let lines = mine(&app);
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["event"].as_str().unwrap(),
                line["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("login", "sent"),
            ("login", "too-many-requests"),
            ("validate", "invalid-otp"),
            ("validate", "logged-in")
        ]
    );
    for line in lines {
        assert_eq!(line["channel"], "email");
        assert!(line["duration_ms"].is_u64());
        assert!(!line["request_id"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_log_never_says_a_code_a_token_or_a_whole_destination() {
    let app = TestApp::start().await;
    for to in [ALICE, PHONE] {
        let (id, code) = app.receive_code(to).await;
        let wrong = other_than(&code);
        app.validate(to, Some(&id), &wrong).await;
        let answer = app.validate(to, Some(&id), &code).await;
        let token = answer.assert_ok()["token"].as_str().unwrap();
        for secret in [to, &code, &wrong, &id, token] {
            app.log.assert_never_says(secret);
        }
    }
    assert!(
        !app.log.lines().is_empty(),
        "the log was searched, not missed"
    );
}
