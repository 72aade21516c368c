//! What the account says of itself: it may send, and every identity is verified.

use serde_json::json;

use crate::inbox::Inbox;

/// The answer to a question about the account, an identity or a configuration set.
pub fn answer(inbox: &Inbox, path: &str) -> Option<String> {
    let answer = if path == "/v2/email/account" {
        json!({
            "ProductionAccessEnabled": true,
            "SendingEnabled": !inbox.refuses("email"),
            "EnforcementStatus": "HEALTHY",
            "SuppressionAttributes": { "SuppressedReasons": ["BOUNCE", "COMPLAINT"] },
        })
    } else if path.starts_with("/v2/email/identities/") {
        json!({
            "VerifiedForSendingStatus": true,
            "DkimAttributes": { "SigningEnabled": true, "Status": "SUCCESS" },
            "MailFromAttributes": {
                "MailFromDomain": "mail.example.com",
                "MailFromDomainStatus": "SUCCESS",
                "BehaviorOnMxFailure": "USE_DEFAULT_VALUE",
            },
        })
    } else if path.starts_with("/v2/email/configuration-sets/") {
        json!({ "SendingOptions": { "SendingEnabled": true } })
    } else {
        return None;
    };
    Some(answer.to_string())
}
