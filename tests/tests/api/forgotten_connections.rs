//! A service, or a network on the way, has forgotten every connection: the next call on each of
//! them resets it.

use std::{sync::Arc, time::Duration};

use tests::{ALICE, Call, TestApp, Wait};

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
    let app = Arc::new(TestApp::start().await);
    forget(&app).await;
    let before = app.faults.pings();
    let of_hook = Arc::downgrade(&app);
    app.faults.before(move |call, _| {
        let app = of_hook.upgrade().filter(|_| call == Call::Admit)?;
        let opened: Wait = Box::pin(async move {
            while app.faults.pings() == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        Some(opened)
    });
    app.login(ALICE).await.assert_ok();
}
