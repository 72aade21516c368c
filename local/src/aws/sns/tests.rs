use super::*;

const PUBLISH: &str = "Action=Publish&Version=2010-03-31&PhoneNumber=%2B14155550100";

fn post(inbox: &Inbox, form: &str) -> Result<String, &'static str> {
    let topics = Topics::parse("").unwrap();
    answer(inbox, &topics, form.as_bytes()).map_err(|error| error.code)
}

#[test]
fn a_text_message_arrives() {
    let inbox = Inbox::default();
    let form = format!(
        "{PUBLISH}&Message=123456+is+your+code.%0A%23123456\
         &MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType\
         &MessageAttributes.entry.1.Value.DataType=String\
         &MessageAttributes.entry.1.Value.StringValue=Transactional"
    );
    let answer = post(&inbox, &form).unwrap();
    let message = inbox.messages(Some("+14155550100")).remove(0);
    let id = &message.id;
    let result = format!("<PublishResult><MessageId>{id}</MessageId></PublishResult>");
    assert_eq!(answer, result);
    assert_eq!(
        message.text.as_deref(),
        Some("123456 is your code.\n#123456")
    );
    assert_eq!(message.code.as_deref(), Some("123456"));
}

#[test]
fn numbers_are_in_e164() {
    assert!(is_e164("+14155550100"));
    assert!(is_e164("+123456789012345"));
    for number in [
        "",
        "+",
        "+1",
        "14155550100",
        "+04155550100",
        "+1234567890123456",
    ] {
        assert!(!is_e164(number), "{number}");
    }
    assert!(!is_e164("+1415555010a"));
    assert!(!is_e164("+1 4155550100"));
}

#[test]
fn numbers_that_no_phone_has_are_refused() {
    for number in ["+1000000", "+1234567"] {
        assert!(is_e164(number) && !is_plausible(number), "{number}");
    }
    for number in [
        "+14155550100",
        "+1234567890",
        "+15005550006",
        "+4712345678",
        "+26812345",
    ] {
        assert!(is_plausible(number), "{number}");
    }
}

#[test]
fn wrong_requests_are_refused() {
    let kind = "MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType";
    let string = "MessageAttributes.entry.1.Value.DataType=String";
    let long = "x".repeat(1601);
    for (form, error) in [
        (String::new(), "MissingAction"),
        ("Action=Subscribe".to_owned(), "InvalidAction"),
        ("Action=Publish&Message=Hi".to_owned(), "InvalidParameter"),
        (
            "Action=Publish&Message=Hi&TopicArn=arn".to_owned(),
            "InvalidParameter",
        ),
        // A bare plus sign in a form is a space.
        (
            "Action=Publish&Message=Hi&PhoneNumber=+14155550100".to_owned(),
            "InvalidParameter",
        ),
        (PUBLISH.to_owned(), "InvalidParameter"),
        (format!("{PUBLISH}&Message="), "InvalidParameter"),
        (format!("{PUBLISH}&Message={long}"), "InvalidParameter"),
        (
            format!("{PUBLISH}&Message=Hi&{kind}"),
            "ParameterValueInvalid",
        ),
        (
            format!("{PUBLISH}&Message=Hi&{kind}&{string}"),
            "ParameterValueInvalid",
        ),
        (
            format!(
                "{PUBLISH}&Message=Hi&{kind}&{string}&{}",
                "MessageAttributes.entry.1.Value.StringValue=Spam"
            ),
            "InvalidParameter",
        ),
    ] {
        let inbox = Inbox::default();
        assert_eq!(post(&inbox, &form), Err(error), "{form}");
        assert!(inbox.messages(None).is_empty());
    }
}

#[test]
fn a_refusing_inbox_refuses() {
    let inbox = Inbox::default();
    inbox.set_refusing(true);
    let form = format!("{PUBLISH}&Message=Hi");
    assert_eq!(post(&inbox, &form), Err("InvalidParameter"));
    inbox.set_refusing(false);
    assert!(post(&inbox, &form).is_ok());
}
