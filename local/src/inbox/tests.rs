use super::*;

fn sms(to: &str, text: &str) -> Draft {
    Draft {
        channel: Channel::Sms,
        way: "sms".to_owned(),
        to: to.to_owned(),
        from: None,
        subject: None,
        text: Some(text.to_owned()),
        html: None,
        locale: None,
    }
}

#[test]
fn a_code_is_a_word_of_six_to_ten_digits() {
    assert_eq!(code_in("123456 is your code."), Some("123456"));
    assert_eq!(code_in("Your code:\n0123456789"), Some("0123456789"));
    assert_eq!(code_in("@example.com #654321"), Some("654321"));
    assert_eq!(code_in("验证码123456，请勿泄露"), Some("123456"));
    assert_eq!(code_in("G-123456"), Some("123456"));
}

#[test]
fn other_digits_are_no_code() {
    assert_eq!(
        code_in("Call +14155550100, then use 424242"),
        Some("424242")
    );
    for text in [
        "",
        "12345",
        "12345678901",
        "+1415555",
        "valid for 10 minutes",
        "AB123456",
    ] {
        assert_eq!(code_in(text), None, "{text}");
    }
}

#[test]
fn messages_come_newest_first_and_by_destination() {
    let inbox = Inbox::default();
    inbox.receive(sms("+14155550100", "111111"));
    inbox.receive(sms("Ada@Example.com", "222222"));
    inbox.receive(sms("+14155550100", "333333"));

    let codes = |to| -> Vec<_> {
        let messages = inbox.messages(to).into_iter();
        messages.filter_map(|message| message.code).collect()
    };
    assert_eq!(codes(None), ["333333", "222222", "111111"]);
    assert_eq!(codes(Some("+14155550100")), ["333333", "111111"]);
    assert_eq!(codes(Some("ada@example.COM")), ["222222"]);
    assert!(codes(Some("+1415555010")).is_empty());

    inbox.clear();
    assert!(codes(None).is_empty());
}

#[test]
fn the_oldest_message_gives_way() {
    let inbox = Inbox::default();
    for n in 0..=CAPACITY {
        inbox.receive(sms("+14155550100", &format!("{n:06}")));
    }
    let messages = inbox.messages(None);
    assert_eq!(messages.len(), CAPACITY);
    assert_eq!(
        messages.last().and_then(|m| m.code.as_deref()),
        Some("000001")
    );
}

#[test]
fn absent_values_are_null_and_the_time_has_milliseconds() {
    let inbox = Inbox::default();
    let id = inbox.receive(sms("+14155550100", "Hello"));
    let json = serde_json::to_value(inbox.messages(None)).unwrap();
    let sent_at = json[0]["sent_at"].as_str().unwrap();
    assert_eq!(sent_at.len(), "2026-01-31T12:00:00.000Z".len());
    assert!(sent_at.ends_with('Z'), "{sent_at}");
    assert_eq!(
        json[0],
        serde_json::json!({
            "id": id, "channel": "sms", "way": "sms", "to": "+14155550100", "from": null, "subject": null,
            "text": "Hello", "html": null, "code": null, "locale": null, "sent_at": sent_at,
            "state": "asked",
        })
    );
}
