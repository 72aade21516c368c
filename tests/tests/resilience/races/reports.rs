//! Races of reports with each other, with logins and with a right code.

use futures_util::future::join_all;
use otp_edge::route::Route;
use tests::{
    Call, Gate, TestApp,
    table::{number, partition_key},
};

/// Reports of three messages, each twice at once, beside a login and the right code of the
/// last message. None of them fails, and no message and no time is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reports_at_once_lose_nothing_of_each_other_nor_of_a_login() {
    let settings = [
        ("RESEND_COOLDOWN_SECONDS", "0"),
        ("REQUESTS_PER_IP_PER_HOUR", "1000"),
        ("SENDS_PER_HOUR", "1000"),
        ("SENDS_PER_DAY", "1000"),
        ("CONVERSION_GUARD", "0"),
    ];
    let app = TestApp::with(&settings).await;
    let mut met = 0;
    for race in 0..10 {
        let to = format!("complaint+{race}@simulator.amazonses.com");
        app.add_user(&to, false).await;
        let mut code = (String::new(), String::new());
        for _ in 0..3 {
            code = app.receive_code(&to).await;
        }
        let reports = app.stack.messages.take_reports();
        assert_eq!(reports.len(), 6);
        let gate = Gate::of(3, Call::RecordReport, &to);
        app.faults.hold(&gate);
        let brought = (0..12).map(|nth| bring(&app, &reports[nth % 6]));
        let (id, code) = code;
        let (taken, login, right) = tokio::join!(
            join_all(brought),
            app.login(&to),
            app.validate(&to, Some(&id), &code),
        );
        assert!(taken.iter().all(|is_taken| *is_taken), "a report was lost");
        // The login may come after the complaint.
        assert!(
            [200, 409].contains(&login.status.as_u16()),
            "{}",
            login.status
        );
        right.assert_ok();
        let history = app
            .partition(&partition_key(&to))
            .await
            .remove("history")
            .unwrap();
        let mut states: Vec<_> = history
            .iter()
            .filter(|(name, _)| name.starts_with("sent#"))
            .map(|(_, value)| value.as_s().unwrap().split(' ').nth(2).unwrap())
            .collect();
        states.sort_unstable();
        let complained = states.iter().filter(|state| **state == "complained");
        assert_eq!(complained.count(), 3, "{states:?}");
        assert_eq!(states.len(), 3 + usize::from(login.status == 200));
        for time in ["complained#email", "reached#email", "returned#email"] {
            assert!(number(&history, time).is_some(), "{time}");
        }
        app.stack.messages.clear();
        let _ = app.stack.messages.take_reports();
        met += u32::from(gate.is_met());
    }
    assert!(met > 0, "the reports did not meet");
}

/// Brings a report as Lambda does: three times at most.
async fn bring(app: &TestApp, report: &str) -> bool {
    for _ in 0..3 {
        if app.invoke(Route::Login, report).await.is_some() {
            return true;
        }
    }
    false
}
