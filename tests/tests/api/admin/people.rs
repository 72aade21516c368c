//! Finding users, bringing them from elsewhere, and taking all that is known of one along.

use serde_json::Value;

use super::*;

#[tokio::test]
async fn users_are_found_by_a_part_of_an_address_an_id_or_a_claim() {
    let app = TestApp::start().await;
    let csv = "user_id,email,phone_number,claims\n\
               auth0|a1,alice@example.com,+14155550123,\n\
               b2,bob@example.org,,\"{\"\"plan\"\":\"\"gold\"\"}\"\n";
    let ran = app.admin_reading("add --csv -", csv).await;
    assert_eq!(ran.err, "2 added, 0 unchanged, 0 failed\n");
    for (text, found) in [
        ("ALICE@", &["auth0|a1"][..]),
        ("4155550123", &["auth0|a1"]),
        ("auth0", &["auth0|a1"]),
        ("gold", &["b2"]),
        ("example", &["auth0|a1", "b2"]),
    ] {
        let ran = app.admin(&format!("find {text}")).await;
        assert_eq!(ran.exit, Exit::Done, "{text}");
        let lines = ran.out.strip_prefix(HEADER).expect("the header").lines();
        let mut ids: Vec<_> = lines.map(|line| line.split(',').next().unwrap()).collect();
        ids.sort_unstable();
        assert_eq!(ids, found, "{text}");
    }
    let nobody = app.admin("find nobody").await;
    assert_eq!((nobody.exit, nobody.out.as_str()), (Exit::Failed, ""));
    assert_eq!(nobody.err, "nobody: no such user\n");
    assert_eq!(app.admin("find").await.exit, Exit::Usage);
}

#[tokio::test]
async fn users_of_another_service_keep_their_id_and_their_age() {
    let app = TestApp::with(REVEAL).await;
    let csv = "email;phone_number;user_id;created_at\r\n\
               alice@example.com;;auth0|5f7c8ec7;2020-02-03T04:05:06Z\r\n";
    let ran = app.admin_reading("add --csv -", csv).await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    let again = app.admin_reading("add --csv -", csv).await;
    assert_eq!(again.err, "0 added, 1 unchanged, 0 failed\n");
    let listed = &app.listed().await[0];
    assert!(listed.starts_with("auth0|5f7c8ec7,alice@example.com,,2020-02-03T04:05:06Z,"));
    assert_eq!(
        app.log_in_afresh(ALICE).await,
        ("auth0|5f7c8ec7".to_owned(), false)
    );
    app.advance(Duration::from_millis(1));
    let login = app.log_in(ALICE).await;
    let refreshed = app.refresh(&login["refresh_token"]).await;
    assert_eq!(refreshed.assert_ok()["user_id"], "auth0|5f7c8ec7");

    // By that id, alone or in a file.
    app.admin_does("disable auth0|5f7c8ec7").await;
    let ran = app
        .admin_reading("enable --csv -", "user_id\nauth0|5f7c8ec7\n")
        .await;
    assert_eq!(ran.err, "1 enabled, 0 unchanged, 0 failed\n");
    let set = app.admin(r#"set auth0|5f7c8ec7 --claims {"a":1}"#).await;
    assert_eq!(set.exit, Exit::Done, "{}", set.err);
    assert!(app.listed().await[0].ends_with(r#",false,"{""a"":1}""#));
    app.admin_does("remove auth0|5f7c8ec7").await;
    assert!(app.listed().await.is_empty());
}

#[tokio::test]
async fn an_address_that_a_spreadsheet_would_run_is_listed_as_text_and_read_back() {
    let app = TestApp::start().await;
    app.admin_does("add --email =1+1@example.com").await;
    let out = app.admin("list").await.out;
    assert!(out.contains(",'=1+1@example.com,"), "{out}");
    let elsewhere = TestApp::start().await;
    let ran = elsewhere.admin_reading("add --csv -", &out).await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    assert_eq!(elsewhere.admin("list").await.out, out);
    elsewhere.admin_does("show =1+1@example.com").await;
}

#[tokio::test]
async fn failures_come_last_and_are_counted() {
    let app = TestApp::start().await;
    app.admin_does(&format!("add --email {ALICE} --phone {PHONE}"))
        .await;
    let mut csv = format!("email,phone_number\n{ALICE},\n");
    for n in 0..200 {
        writeln!(csv, "user{n}@example.com,").unwrap();
    }
    let ran = app.admin_reading("add --csv -", &csv).await;
    assert_eq!(ran.exit, Exit::Failed);
    let lines: Vec<_> = ran.err.lines().collect();
    let failed = format!("line 2: {ALICE}: failed: {ALICE} already belongs to a user");
    assert_eq!(
        lines,
        [
            "100 of 201",
            "200 of 201",
            &failed,
            "200 added, 0 unchanged, 1 failed"
        ]
    );
}

#[tokio::test]
async fn an_export_has_all_that_is_stored_of_one_user_and_nothing_of_another() {
    let app = TestApp::start().await;
    app.admin_does(&format!("add --email {ALICE} --phone {PHONE}"))
        .await;
    let (user, _) = app.log_in_afresh(ALICE).await;
    app.log_in("other@example.com").await;
    let ran = app.admin(&format!("export {PHONE}")).await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    let export: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(export["user_id"], user.as_str());
    assert_eq!(export["destinations"], serde_json::json!([ALICE, PHONE]));
    let exported = export["items"].as_array().unwrap();
    let own = [ALICE, PHONE].map(partition_key);
    let own = [own[0].clone(), own[1].clone(), format!("user#{user}")];
    let stored = app.items().await.into_iter();
    let stored = stored.filter(|item| own.contains(item["pk"].as_s().unwrap()));
    let mut stored: Vec<_> = stored.map(|item| sort_key(&item)).collect();
    let mut told: Vec<_> = exported
        .iter()
        .map(|item| item["sk"].as_str().unwrap())
        .collect();
    stored.sort();
    told.sort_unstable();
    assert_eq!(told, stored);
    assert!(told.iter().any(|sort| sort.starts_with("session#")));
    for item in exported {
        assert!(own.iter().any(|key| item["pk"] == key.as_str()), "{item}");
        assert!(item.get("current_digest").is_none() && item.get("seal").is_none());
    }
    let by_id = app.admin(&format!("export {user}")).await;
    assert_eq!(by_id.out, ran.out);
    assert_eq!(
        app.admin("export nobody@example.com").await.exit,
        Exit::Failed
    );
}

#[tokio::test]
async fn an_id_has_one_user() {
    let app = TestApp::start().await;
    let csv = |to: &str| format!("user_id,email,phone_number\nx1,{to},\n");
    app.admin_reading("add --csv -", &csv(ALICE)).await;
    let ran = app
        .admin_reading("add --csv -", &csv("bob@example.com"))
        .await;
    assert_eq!(ran.exit, Exit::Failed);
    let failed = "line 2: bob@example.com: failed: user_id x1 already belongs to a user\n";
    assert!(ran.err.starts_with(failed), "{}", ran.err);
    let other = csv(ALICE).replace("x1", "x2");
    let ran = app.admin_reading("add --csv -", &other).await;
    assert_eq!(ran.exit, Exit::Failed, "another id for a user who exists");
    assert_eq!(app.listed().await.len(), 1);
}

#[tokio::test]
async fn a_changed_destination_logs_the_same_user_in_and_the_old_one_does_not() {
    let app = TestApp::with(REVEAL).await;
    let new = "alice@example.org";
    app.admin_does(&format!("add --email {ALICE} --phone {PHONE}"))
        .await;
    app.admin_does("add --email bob@example.com").await;
    app.advance(Duration::from_millis(1));
    let login = app.log_in(ALICE).await;
    let user = login["user_id"].as_str().unwrap().to_owned();

    let taken = app
        .admin(&format!("change {ALICE} --email bob@example.com"))
        .await;
    assert_eq!(taken.exit, Exit::Failed);
    assert!(
        taken.err.contains("already belongs to a user"),
        "{}",
        taken.err
    );
    app.admin_does(&format!("change {ALICE} --email {new}"))
        .await;
    app.login(ALICE).await.assert_problem(404, "user-not-found");
    for to in [new, PHONE] {
        assert_eq!(app.log_in_afresh(to).await, (user.clone(), false));
    }
    app.refresh(&login["refresh_token"]).await.assert_ok();
    let again = app.admin(&format!("change {ALICE} --email {new}")).await;
    assert_eq!(again.exit, Exit::Failed);
    assert!(again.err.contains("no such user"), "{}", again.err);

    app.admin_does(&format!("change {new} --email {ALICE} --end-sessions"))
        .await;
    assert_eq!(app.sessions_of(ALICE).await, 0);
    for line in [
        "change",
        "change x --email a@example.com",
        &format!("change {ALICE}"),
    ] {
        assert_eq!(app.admin(line).await.exit, Exit::Usage, "{line}");
    }
}
