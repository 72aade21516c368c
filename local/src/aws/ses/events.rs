//! What SES reports of an e-mail, by `EventBridge`. The mailbox simulator's addresses have
//! their own fates, with or without a label, such as `bounce+1@simulator.amazonses.com`.

use otp_domain::UnixTime;
use serde_json::{Value, json};

use super::super::protocol::time;

const SIMULATOR: &str = "@simulator.amazonses.com";

/// What becomes of an e-mail.
#[derive(Clone, Copy)]
enum Fate {
    Delivered,
    Bounced,
    Complained,
    /// It is not sent: the address is on this list.
    Suppressed(&'static str),
}

/// An e-mail that SES took.
pub(super) struct Taken<'a> {
    pub(super) id: &'a str,
    pub(super) to: &'a str,
    pub(super) tags: &'a Value,
    pub(super) at: UnixTime,
}

impl Fate {
    fn of(to: &str, is_listed: bool) -> Self {
        let simulated = to.to_ascii_lowercase();
        let simulated = simulated.strip_suffix(SIMULATOR);
        match simulated.map(|local| local.split('+').next().unwrap_or_default()) {
            Some("bounce") => Self::Bounced,
            Some("complaint") => Self::Complained,
            Some("suppressionlist") => Self::Suppressed("Suppressed"),
            _ if is_listed => Self::Suppressed("OnAccountSuppressionList"),
            _ => Self::Delivered,
        }
    }
}

impl Taken<'_> {
    /// The last state, and the events on the way to it.
    pub(super) fn events(&self, is_listed: bool) -> (&'static str, Vec<Value>) {
        let at = time(self.at);
        let bounce = |sub: &str| {
            let bounce = json!({
                "bounceType": "Permanent",
                "bounceSubType": sub,
                "bouncedRecipients": [{ "emailAddress": self.to, "action": "failed" }],
                "timestamp": at,
                "feedbackId": self.id,
            });
            self.event("Email Bounced", "Bounce", &json!({ "bounce": bounce }))
        };
        let delivery = || {
            let delivery = json!({ "timestamp": at, "recipients": [self.to] });
            let delivery = json!({ "delivery": delivery });
            self.event("Email Delivered", "Delivery", &delivery)
        };
        match Fate::of(self.to, is_listed) {
            Fate::Delivered => ("delivered", vec![delivery()]),
            Fate::Bounced => ("bounced", vec![bounce("General")]),
            Fate::Suppressed(list) => ("suppressed", vec![bounce(list)]),
            Fate::Complained => {
                let complaint = json!({
                    "complainedRecipients": [{ "emailAddress": self.to }],
                    "complaintFeedbackType": "abuse",
                    "complaintSubType": null,
                    "timestamp": at,
                    "feedbackId": self.id,
                });
                let complaint = json!({ "complaint": complaint });
                let complaint = self.event("Email Complaint Received", "Complaint", &complaint);
                ("complained", vec![delivery(), complaint])
            }
        }
    }

    fn event(&self, detail_type: &str, event_type: &str, more: &Value) -> Value {
        let mut detail = json!({
            "eventType": event_type,
            "mail": {
                "timestamp": time(self.at),
                "messageId": self.id,
                "destination": [self.to],
                "tags": self.tags,
            },
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            detail[name] = value.clone();
        }
        json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": detail_type,
            "source": "aws.ses",
            "account": "000000000000",
            "time": time(self.at),
            "region": "us-east-1",
            "resources": [],
            "detail": detail,
        })
    }
}
