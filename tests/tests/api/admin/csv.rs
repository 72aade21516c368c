//! Users as CSV.

use super::*;

/// The columns e-mail, number and disabled of each line, sorted.
fn columns(lines: &[String]) -> Vec<(String, String, String)> {
    let mut columns: Vec<_> = lines
        .iter()
        .map(|line| {
            let fields: Vec<_> = line.split(',').map(str::to_owned).collect();
            (fields[1].clone(), fields[2].clone(), fields[5].clone())
        })
        .collect();
    columns.sort();
    columns
}

/// Enough for two pages of a scan, because most users have two items.
const MANY: usize = 300;

/// A file of users, and their columns as the tool lists them.
pub fn many_users() -> (String, Vec<(String, String, String)>) {
    let (mut csv, mut expected) = ("phone_number,email,disabled\r\n".to_owned(), Vec::new());
    for n in 0..MANY {
        let phone = match n % 10 {
            0 => String::new(),
            _ => format!("+1415{n:07}"),
        };
        let (email, disabled) = (format!("user{n:04}@example.com"), n % 7 == 0);
        write!(csv, "\"{phone}\",{email},{disabled}\r\n").unwrap();
        expected.push((email, phone, disabled.to_string()));
    }
    (csv, expected)
}

#[tokio::test]
async fn users_go_in_and_out_as_csv() {
    let app = TestApp::start().await;
    let (csv, expected) = many_users();
    let ran = app.admin_reading("add --csv -", &csv).await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    let lines: Vec<_> = ran.err.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], "100 of 300");
    assert_eq!(lines[2], "300 added, 0 unchanged, 0 failed");
    let listed = app.listed().await;
    assert_eq!(columns(&listed), expected);

    let out = app.admin("list").await.out;
    let again = app.admin_reading("add --csv -", &out).await;
    assert_eq!(
        again.exit,
        Exit::Done,
        "a user that exists already is an error"
    );
    assert!(again.err.starts_with("ignored columns: last_login_at\n"));
    assert!(again.err.ends_with("\n0 added, 300 unchanged, 0 failed\n"));
    let elsewhere = TestApp::start().await;
    let ran = elsewhere.admin_reading("add --csv -", &out).await;
    assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    assert_eq!(columns(&elsewhere.listed().await), expected);
    // With the same ids and times.
    let sorted = |out: &str| {
        let mut lines: Vec<_> = out.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&elsewhere.admin("list").await.out), sorted(&out));

    for command in ["remove", "remove"] {
        let ran = app.admin_reading(&format!("{command} --csv -"), &out).await;
        assert_eq!(ran.exit, Exit::Done, "{}", ran.err);
    }
    assert!(app.listed().await.is_empty());
    let swept = |item: &HashMap<_, _>| item.contains_key("expires_at_seconds");
    let items = app.items().await;
    assert!(items.iter().all(swept), "an item of a removed user stays");
}

#[tokio::test]
async fn a_malformed_csv_file_writes_nothing() {
    let app = TestApp::start().await;
    let csv = "email,phone_number\nalice@example.com,\nbob,\n,\ncarol@example.com,+1\n";
    let ran = app.admin_reading("add --csv -", csv).await;
    assert_eq!(ran.exit, Exit::Failed);
    for line in ["line 3: ", "line 5: ", "nothing was written"] {
        assert!(ran.err.contains(line), "{}", ran.err);
    }
    assert!(app.items().await.is_empty());

    let missing = app.admin("add --csv /no/such/file.csv").await;
    assert_eq!(missing.exit, Exit::Failed);
    assert!(missing.err.starts_with("/no/such/file.csv: "));
}
