//! The log line of each request.

use tests::{ALICE, PHONE, TestApp, other_than};

#[tokio::test]
async fn each_request_logs_one_line_with_its_outcome() {
    let app = TestApp::start().await;
    let to = "log-reader@somewhere.example.org";

    let (id, code) = app.receive_code(to).await;
    app.login(to).await.assert_too_many();
    app.validate(to, Some(&id), &other_than(&code))
        .await
        .assert_problem(400, "invalid-otp");
    app.validate(to, Some(&id), &code).await.assert_ok();

    let lines = app.log.lines_about("l***@s***.org");
    let outcomes: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["event"].as_str().unwrap(),
                line["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
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
async fn the_log_never_holds_a_code_a_token_or_an_unmasked_destination() {
    let app = TestApp::start().await;
    for to in [ALICE, PHONE] {
        let (id, code) = app.receive_code(to).await;
        let wrong = other_than(&code);
        app.validate(to, Some(&id), &wrong).await;
        let answer = app.validate(to, Some(&id), &code).await;
        let token = answer.assert_ok()["token"].as_str().unwrap();
        for secret in [to, &code, &wrong, &id, token] {
            app.log.assert_lacks(secret);
        }
    }
    assert!(!app.log.lines().is_empty(), "nothing was logged");
}
