//! What requests cost in write units of the table. docs/evidence/performance.md shows the same figures.

use tests::{ALICE, PHONE, TestApp};

const PAGE: &str = include_str!("../../../docs/evidence/performance.md");

/// The write units of a login.
async fn login(app: &TestApp, to: &str, status: u16) -> f64 {
    app.faults.measure();
    assert_eq!(app.login(to).await.status, status);
    app.faults.write_units()
}

/// The write units of the validation of a right code.
async fn validation(app: &TestApp, to: &str) -> f64 {
    let (id, code) = app.receive_code(to).await;
    app.faults.measure();
    app.validate(to, Some(&id), &code).await.assert_ok();
    app.faults.write_units()
}

/// A refused login and its repeat, after logins that use the limit up.
async fn refused(settings: &[(&str, &str)], before: &[&str], to: &str) -> [f64; 2] {
    let app = TestApp::with(settings).await;
    for earlier in before {
        app.login(earlier).await.assert_ok();
    }
    [login(&app, to, 429).await, login(&app, to, 429).await]
}

async fn measured() -> Vec<(&'static str, f64)> {
    let app = TestApp::start().await;
    let mut units = vec![
        ("login by e-mail, admitted", login(&app, ALICE, 200).await),
        (
            "login by text message, admitted",
            login(&app, PHONE, 200).await,
        ),
        (
            "validation of an e-mail's code",
            validation(&app, "bob@example.com").await,
        ),
        (
            "validation of a text message's code",
            validation(&app, "+14155550199").await,
        ),
    ];
    // Three counters share the cap, and all are full.
    let cap = [
        ("SMS_PER_DAY", "60"),
        ("CONVERSION_GUARD", "0"),
        ("REQUESTS_PER_IP_PER_HOUR", "1000"),
    ];
    let numbers: Vec<String> = (0..60).map(|n| format!("+1415555{n:04}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let client = [("REQUESTS_PER_IP_PER_HOUR", "1")];
    let guard = [("CONVERSION_GUARD", "1")];
    for (first, again, [once, twice]) in [
        (
            "login during the cooldown",
            "… once more",
            refused(&[], &[ALICE], ALICE).await,
        ),
        (
            "login by text message, the cap of the deployment is full",
            "… once more",
            refused(&cap, &numbers, PHONE).await,
        ),
        (
            "login by e-mail, the guard is closed",
            "… once more",
            refused(&guard, &["bob@example.com"], ALICE).await,
        ),
        (
            "login of a client over its limit",
            "… once more",
            refused(&client, &["bob@example.com"], ALICE).await,
        ),
    ] {
        units.extend([(first, once), (again, twice)]);
    }
    units
}

#[tokio::test]
async fn requests_cost_the_write_units_that_the_documentation_tells() {
    let mut rows = PAGE.lines();
    let measured = measured().await;
    for (request, units) in &measured {
        let row = rows.find(|row| row.starts_with(&format!("| {request} |")));
        let told = row.and_then(|row| row.rsplit('|').nth(1)).map(str::trim);
        assert_eq!(
            told,
            Some(units.to_string().as_str()),
            "{request} of {measured:?}"
        );
    }
}

#[tokio::test]
async fn a_repeatedly_refused_login_costs_at_most_one_write_unit() {
    for (request, units) in measured().await {
        assert!(
            !request.starts_with('…') || units <= 1.0,
            "{request}: {units}"
        );
    }
}
