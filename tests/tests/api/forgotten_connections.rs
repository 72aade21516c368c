//! A service, or a network on the way, has forgotten every connection: the next call on each of
//! them resets it.

use std::time::Duration;

use tests::{ALICE, Call, Gate, TestApp};
use tokio::time::timeout;

/// Some seconds without a request.
async fn forget(app: &TestApp) {
    app.faults.forget_connections();
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn every_code_arrives() {
    for unknown_users in ["sign-up", "conceal"] {
        let app = TestApp::with(&[("UNKNOWN_USERS", unknown_users)]).await;
        for nth in 0..10 {
            let to = match nth % 2 {
                0 => format!("user-{nth}@example.com"),
                _ => format!("+1415555010{nth}"),
            };
            app.add_user(&to, false).await;
            forget(&app).await;
            let answer = app.login(&to).await;
            assert_eq!(
                answer.assert_ok()["delivery"] == "confirmed",
                unknown_users == "sign-up",
            );
            assert_eq!(app.messages(&to).len(), 1, "{unknown_users} {to}");
        }
    }
}

#[tokio::test]
async fn a_code_logs_in_and_a_session_goes_on() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    forget(&app).await;
    let answer = app.validate(ALICE, Some(&id), &code).await;
    let token = answer.assert_ok()["refresh_token"].clone();
    forget(&app).await;
    app.refresh(&token).await.assert_ok();
}

#[tokio::test]
async fn the_connection_of_a_send_opens_while_the_login_is_admitted() {
    let app = TestApp::start().await;
    forget(&app).await;
    let before = app.faults.pings();
    let gate = Gate::closed(Call::Admit, "");
    app.faults.hold(&gate);
    let (answer, waiting) = tokio::join!(app.login(ALICE), async {
        gate.reached().await;
        let opened = async {
            while app.faults.pings() == before {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(20), opened)
            .await
            .expect("a connection opens");
        gate.open()
    });
    answer.assert_ok();
    assert_eq!(waiting, 1, "the admission was over");
    app.login("bob@example.com").await.assert_ok();
    assert_eq!(
        app.faults.pings(),
        before + 1,
        "the connection is new enough"
    );
}
