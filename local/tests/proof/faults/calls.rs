//! The calls, by name.

use self::Call::{
    Admit, CountValidation, DigestKey, Email, EndFamily, Families, Family, Newest, Prove,
    PublicKey, Redeem, Remember, Rotate, Sign, Sms, Spend, User, Withdraw, WithdrawCounts,
    WithdrawEnd,
};
use super::message::{Message, header};

/// Every call that the functions make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    DigestKey,
    PublicKey,
    Sign,
    Admit,
    User,
    Email,
    Sms,
    Remember,
    Withdraw,
    WithdrawCounts,
    WithdrawEnd,
    CountValidation,
    Newest,
    Spend,
    Redeem,
    Prove,
    Family,
    Families,
    Rotate,
    EndFamily,
}

/// How to tell a call: its operation, and words of its body. The first that fits
/// is meant.
const CALLS: [(Call, &str, &str); 20] = [
    (DigestKey, "GenerateMac", ""),
    (PublicKey, "GetPublicKey", ""),
    (Sign, "Sign", ""),
    (CountValidation, "TransactWriteItems", ":\"validation-"),
    (Redeem, "TransactWriteItems", ":\"redeem-"),
    (Withdraw, "TransactWriteItems", ":\"all-"),
    (WithdrawCounts, "TransactWriteItems", ":\"counts-"),
    (WithdrawEnd, "TransactWriteItems", ":\"end-"),
    (Admit, "TransactWriteItems", "#"),
    (Spend, "UpdateItem", "ADD spent_by"),
    (Remember, "UpdateItem", "seen_through"),
    (Prove, "UpdateItem", "admitted - :room"),
    (Rotate, "UpdateItem", "previous_digest"),
    (EndFamily, "DeleteItem", "\"family#"),
    (Family, "GetItem", "\"family#"),
    (User, "GetItem", "\"user\""),
    (Families, "Query", ":family"),
    (Newest, "Query", ":challenge"),
    (Email, "SendEmail", ""),
    (Sms, "Publish", ""),
];

impl Message {
    /// `X-Amz-Target` says what is asked for, or the path (SES), or nothing does
    /// (SNS).
    pub fn call(&self) -> Call {
        let target = header(&self.head, "x-amz-target");
        let operation = match target.and_then(|target| target.split('.').next_back()) {
            Some(name) => name,
            None if self.head.starts_with("POST /v2/email/") => "SendEmail",
            None => "Publish",
        };
        let body = String::from_utf8_lossy(&self.body);
        let call = CALLS
            .iter()
            .find(|(_, name, words)| *name == operation && body.contains(words));
        assert!(call.is_some(), "a call without a name: {operation}");
        call.unwrap().0
    }
}
