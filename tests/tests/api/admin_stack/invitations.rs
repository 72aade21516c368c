//! An operator invites a person.

use tests::table::sort_key;

use super::*;

const PAGE: &str = "https://www.example.com/sign-in?a=1";
const SETTINGS: &[(&str, &str)] = &[
    ("Brand", "Firm"),
    ("EmailFrom", "login@example.com"),
    ("SmsPrefixes", "US,+1"),
    ("SignInUrl", PAGE),
    ("TokenAudience", "api"),
];

/// What `users invite` leaves on a stack with these parameters.
async fn invite(app: &TestApp, parameters: &[(&str, &str)], line: &str) -> (Exit, String) {
    let outputs: Vec<_> = outputs(app).into_iter().collect();
    let answer = (StatusCode::OK, stack(&outputs, parameters));
    let (exit, _, err) = ran(app, answer, &format!("users invite {line}")).await;
    (exit, err)
}

#[tokio::test]
async fn an_invited_person_gets_a_link_to_the_page_and_logs_in_where_strangers_cannot() {
    let app = TestApp::with(&[
        ("UNKNOWN_USERS", "conceal"),
        ("RESEND_COOLDOWN_SECONDS", "0"),
    ])
    .await;
    let (exit, said) = invite(&app, SETTINGS, ALICE).await;
    assert_eq!(exit, Exit::Done, "{said}");
    let message = &app.stack.messages.messages(Some(ALICE))[0];
    assert_eq!(message.subject.as_deref(), Some("Sign in to Firm"));
    let text = message.text.as_deref().unwrap();
    assert_eq!(text, format!("Sign in to Firm\n\n{PAGE}\n"));
    assert!(
        message
            .html
            .as_ref()
            .unwrap()
            .contains("href='https://www.example.com/sign-in?a=1'")
    );
    let login = app.log_in(ALICE).await;
    assert_eq!(login["new_user"], false);
    let id = login["user_id"].as_str().unwrap();
    assert_eq!(said, format!("{ALICE}: invited, user_id {id}\n"));

    // Again, in another language, and by text message.
    let (exit, said) = invite(&app, SETTINGS, &format!("{ALICE} --locale de")).await;
    assert_eq!(
        (exit, said),
        (Exit::Done, format!("{ALICE}: invited, user_id {id}\n"))
    );
    let message = &app.stack.messages.messages(Some(ALICE))[0];
    assert_ne!(message.subject.as_deref(), Some("Sign in to Firm"));
    let (exit, said) = invite(&app, SETTINGS, PHONE).await;
    assert_eq!(exit, Exit::Done, "{said}");
    let message = &app.stack.messages.messages(Some(PHONE))[0];
    assert!(message.text.as_ref().unwrap().contains(PAGE));
    assert_eq!(app.log_in(PHONE).await["new_user"], false);
}

#[tokio::test]
async fn an_invitation_counts_as_a_notice() {
    let app = TestApp::start().await;
    for _ in 0..5 {
        assert_eq!(invite(&app, SETTINGS, ALICE).await.0, Exit::Done);
    }
    let (exit, said) = invite(&app, SETTINGS, ALICE).await;
    assert_eq!(exit, Exit::Failed);
    assert!(said.contains("a limit of messages is full"), "{said}");
    assert_eq!(app.stack.messages.messages(Some(ALICE)).len(), 5);
    let mut capped = SETTINGS.to_vec();
    capped.push(("SmsPerDay", "1"));
    let other = "+14155550199";
    assert_eq!(invite(&app, &capped, PHONE).await.0, Exit::Done);
    assert_eq!(invite(&app, &capped, other).await.0, Exit::Failed);
}

#[tokio::test]
async fn nobody_is_invited_without_a_page_or_to_where_no_message_arrives() {
    let app = TestApp::with(&[("UNKNOWN_USERS", "reveal")]).await;
    let parameters = SETTINGS
        .iter()
        .copied()
        .filter(|(name, _)| *name != "SignInUrl");
    let parameters: Vec<_> = parameters.collect();
    let (exit, said) = invite(&app, &parameters, ALICE).await;
    assert_eq!(exit, Exit::Failed);
    assert!(said.contains("set SignInUrl"), "{said}");
    let (exit, said) = invite(&app, SETTINGS, "+447400123456").await;
    assert_eq!(exit, Exit::Failed);
    assert!(said.contains("sends nothing there"), "{said}");
    app.login(ALICE).await.assert_problem(404, "user-not-found");
    let items = app.items().await;
    assert!(items.iter().all(|item| sort_key(item) != "user"));

    let gone = "bounce@simulator.amazonses.com";
    assert_eq!(invite(&app, SETTINGS, gone).await.0, Exit::Done);
    app.deliver_reports().await;
    let (exit, said) = invite(&app, SETTINGS, gone).await;
    assert_eq!(exit, Exit::Failed);
    assert!(said.contains("no message arrives"), "{said}");
    assert_eq!(app.stack.messages.messages(Some(gone)).len(), 1);
    assert_eq!(app.stack.messages.messages(Some(ALICE)).len(), 0);
}
