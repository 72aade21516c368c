//! A setting that some routes need is wrong: the others go on.

use tests::{ALICE, TestApp};

use crate::tokens::published;

#[tokio::test]
async fn a_mistake_in_what_is_sent_stops_logins_and_nothing_else() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    let mut login = app.settings.login.clone();
    for (name, value) in [
        ("DEFAULT_LOCALE", "german"),
        ("SMS_TEXTS", "{"),
        ("SMS_SENDERS", "?"),
        ("BRAND", ""),
    ] {
        login = TestApp::with(&[(name, value)]).await.settings.login.clone();
        assert!(login.is_err(), "{name}");
        let app = app.deploy(|settings| settings.login = login.clone()).await;
        app.login("bob@example.com").await.assert_unavailable();
        let lines = app.log.lines();
        let mut lines = lines.iter().rev().filter(|line| line["event"] == "login");
        let line = lines.next().unwrap();
        assert_eq!(line["dependency"], "settings", "{line}");
        published(&app).await;
    }
    let app = app.deploy(|settings| settings.login = login).await;
    let answer = app.validate(ALICE, Some(&id), &code).await;
    let login = answer.assert_ok();
    let refreshed = app.refresh(&login["refresh_token"]).await;
    let token = refreshed.assert_ok()["token"].as_str().unwrap().to_owned();
    app.me(&token).await.assert_ok();
}

#[tokio::test]
async fn a_second_signing_key_that_cannot_be_read_does_not_hide_the_first() {
    let app = TestApp::start().await;
    let only = published(&app).await.keys;
    let gone = Some("gone".to_owned());
    let change = |settings: &mut otp_edge::settings::Settings| {
        settings.sessions.tokens.second_signing_key_id = gone;
    };
    let app = app.deploy(change).await;
    assert_eq!(published(&app).await.keys, only);
    let lines = app.log.lines();
    let logged = lines.iter().any(|line| {
        line["event"] == "keys" && line["outcome"] == "published" && line["dependency"] == "keys"
    });
    assert!(logged);
    let login = app.log_in(ALICE).await;
    app.me(login["token"].as_str().unwrap()).await.assert_ok();
}
