//! `SIGN_UP_DOMAINS` and `PHONE_SIGN_UP`: who may sign up, and how everybody else is treated.

use tests::{Call, CallFault, LOGIN, PHONE, TestApp, destination};

use crate::users::seen;

const LISTED: &str = "alice@example.com";
const OUTSIDE: &str = "someone@example.org";
const LIST: (&str, &str) = ("SIGN_UP_DOMAINS", "example.com");

#[tokio::test]
async fn only_listed_domains_sign_up_and_numbers_as_the_setting_says() {
    for (settings, admitted) in [
        (&[LIST][..], [true, false, false]),
        (&[LIST, ("PHONE_SIGN_UP", "on")], [true, false, true]),
        (&[("PHONE_SIGN_UP", "off")], [true, true, false]),
        (&[("PHONE_SIGN_UP", "on")], [true, true, true]),
    ] {
        let app = TestApp::with(settings).await;
        for (to, admitted) in [LISTED, OUTSIDE, PHONE].into_iter().zip(admitted) {
            app.login(to).await.assert_ok();
            app.settle().await;
            assert_eq!(
                app.messages(to).len(),
                usize::from(admitted),
                "{settings:?}"
            );
            if admitted {
                let answer = app.validate(to, None, &app.newest_code(to)).await;
                assert_eq!(answer.assert_ok()["new_user"], true);
            }
        }
    }
}

#[tokio::test]
async fn outside_the_list_a_user_and_a_stranger_get_the_same_answers() {
    let app = TestApp::with(&[LIST]).await;
    let (user, stranger) = ("useruser@example.org", "stranger@example.org");
    app.add_user(user, false).await;
    for again in ["a code", "a cooldown"] {
        let [user, stranger] = [app.login(user).await, app.login(stranger).await];
        assert_eq!(seen(&user), seen(&stranger), "{again}");
    }
    assert!(app.messages(stranger).is_empty());
    let answer = app.validate(user, None, &app.newest_code(user)).await;
    assert_eq!(answer.assert_ok()["new_user"], false);
    // A right guess of a stranger makes no user, as in `conceal`.
    let (id, code) = app.receive_code(LISTED).await;
    let closed = app
        .deploy(|settings| {
            settings.sessions.policy.sign_ups =
                otp_domain::SignUps::new(otp_domain::SignUpDomains::parse("example.net"), None);
        })
        .await;
    let refused = closed.validate(LISTED, Some(&id), &code).await;
    refused.assert_problem(400, "invalid-otp");
    app.validate(LISTED, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn outside_the_list_the_answer_comes_before_the_user_is_looked_for() {
    let app = TestApp::with(&[LIST]).await;
    app.add_user(OUTSIDE, false).await;
    app.faults.inject(Call::FindUser, CallFault::NoReply, 1);
    let client = app.client.hurried();
    let body = destination(OUTSIDE).to_string();
    client.post(LOGIN, &[], body).await.assert_ok();
    let calls = app.faults.calls();
    let found = calls.iter().filter(|call| **call == Call::FindUser);
    assert!(found.count() < 2, "the answer came after {calls:?}");
}

#[tokio::test]
async fn an_operator_says_nothing_else_than_domains() {
    for (name, value) in [
        ("SIGN_UP_DOMAINS", "@example.com"),
        ("PHONE_SIGN_UP", "yes"),
    ] {
        let lookup = |asked: &str| match asked {
            _ if asked == name => Some(value.to_owned()),
            "DIGEST_KEY_ID" | "SIGNING_KEY_ID" | "TABLE_NAME" | "BRAND" | "TOKEN_ISSUER"
            | "TOKEN_AUDIENCE" => Some("example".to_owned()),
            _ => None,
        };
        let now = otp_domain::UnixTime::from_secs(0);
        let wrong = otp_edge::settings::Settings::from_lookup(lookup, now).unwrap_err();
        assert!(wrong.to_string().contains(name), "{wrong}");
    }
}
