use serde_json::Value;

use super::*;

fn email() -> Value {
    json!({
        "FromEmailAddress": "Sign in <login@example.com>",
        "Destination": { "ToAddresses": ["Ada <ada@example.com>"] },
        "Content": { "Simple": {
            "Subject": { "Data": "Your code", "Charset": "UTF-8" },
            "Body": { "Text": { "Data": "Code: 123456 – keep it", "Charset": "UTF-8" } },
        }},
    })
}

fn post(inbox: &Inbox, email: &Value) -> Result<String, AwsError> {
    let path = "/v2/email/outbound-emails";
    let templates = Templates::default();
    answer(
        inbox,
        &templates,
        &Method::POST,
        path,
        email.to_string().as_bytes(),
    )
}

#[test]
fn an_email_arrives() {
    let inbox = Inbox::default();
    let answer: Value = serde_json::from_str(&post(&inbox, &email()).unwrap()).unwrap();
    let message = inbox.messages(Some("ada@example.com")).remove(0);
    assert_eq!(answer, json!({ "MessageId": message.id }));
    assert_eq!(message.from.as_deref(), Some("Sign in <login@example.com>"));
    assert_eq!(message.subject.as_deref(), Some("Your code"));
    assert_eq!(message.code.as_deref(), Some("123456"));
    assert_eq!(message.html, None);
}

#[test]
fn each_recipient_gets_a_message() {
    let inbox = Inbox::default();
    let mut email = email();
    email["Destination"]["CcAddresses"] = json!(["bob@example.com"]);
    post(&inbox, &email).unwrap();
    assert_eq!(inbox.messages(None).len(), 2);
}

#[test]
fn wrong_emails_are_refused() {
    let many = vec!["ada@example.com"; 51];
    for (pointer, value) in [
        ("/FromEmailAddress", json!("login")),
        ("/FromEmailAddress", Value::Null),
        ("/Destination/ToAddresses", json!([])),
        ("/Destination/ToAddresses", json!(many)),
        ("/Destination/ToAddresses", json!(["@example.com"])),
        ("/Destination/ToAddresses", json!(["ada@exämple.com"])),
        ("/Destination", json!("ada@example.com")),
        ("/Content", json!({ "Raw": { "Data": "" } })),
        ("/Content", json!({ "Template": {} })),
        ("/Content", json!({})),
        ("/Content/Simple/Body", json!({})),
        ("/Content/Simple/Body/Text/Charset", json!("ISO-8859-1")),
        ("/Content/Simple/Body/Text/Charset", Value::Null),
    ] {
        let mut email = email();
        *email.pointer_mut(pointer).unwrap() = value;
        let inbox = Inbox::default();
        let error = post(&inbox, &email).unwrap_err();
        assert_eq!(
            error.code, "BadRequestException",
            "{pointer}: {}",
            error.message
        );
        assert!(inbox.messages(None).is_empty());
    }
}

#[test]
fn a_refusing_inbox_rejects() {
    let inbox = Inbox::default();
    inbox.set_refusing(true);
    assert_eq!(post(&inbox, &email()).unwrap_err().code, "MessageRejected");
    inbox.set_refusing(false);
    assert!(post(&inbox, &email()).is_ok());
}
