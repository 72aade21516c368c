//! SNS topics: each exists, and may have one subscriber over HTTP.
//!
//! What an own sender is to send stands in the inbox, too, so that no subscriber is needed to
//! log in.

use std::{collections::HashMap, sync::Arc};

use axum::http::Uri;
use otp_domain::Topic;
use serde::Deserialize;
use serde_json::json;

use super::{
    protocol::AwsError,
    sns::{Form, invalid, refused, required},
};
use crate::{
    inbox::{Channel, Draft, Inbox},
    offer::{self, Offers},
};

/// The subscribers of topics. Clones share them.
#[derive(Clone)]
pub struct Topics {
    subscribers: Arc<HashMap<String, Uri>>,
    offers: Offers,
}

/// The members of a message to an own sender that the inbox shows.
#[derive(Deserialize)]
struct Published {
    way: String,
    destination: String,
    text: String,
    subject: Option<String>,
    html: Option<String>,
    locale: String,
}

impl Topics {
    /// Reads `<topic ARN>=<URL>` pairs, separated by commas.
    ///
    /// # Errors
    ///
    /// Says what is expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pairs = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        let subscriber = |pair: &str| {
            let (arn, url) = pair.split_once('=')?;
            let url = offer::url(url)?;
            Topic::parse(arn).map(|_| (arn.to_owned(), url))
        };
        let subscribers: Option<_> = pairs.map(subscriber).collect();
        let subscribers = subscribers
            .ok_or("SUBSCRIBERS must be pairs such as arn:aws:sns:us-east-1:123456789012:codes=http://127.0.0.1:9000/")?;
        Ok(Self {
            subscribers: Arc::new(subscribers),
            offers: Offers::default(),
        })
    }

    pub(super) fn publish(&self, inbox: &Inbox, form: &Form) -> Result<String, AwsError> {
        let arn = required(form, "TopicArn")?;
        if Topic::parse(arn).is_none() {
            return Err(invalid("TopicArn"));
        }
        let message = required(form, "Message")?;
        let published = serde_json::from_str::<Published>(message).ok();
        if published.as_ref().is_some_and(|it| inbox.refuses(&it.way)) {
            return Err(refused());
        }
        let received = published.map(|it| inbox.receive(it.draft()));
        let id = received.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
        if let Some(url) = self.subscribers.get(arn) {
            let notification = json!({
                "Type": "Notification", "MessageId": id, "TopicArn": arn, "Message": message,
            });
            let (offers, url) = (self.offers.clone(), url.clone());
            tokio::spawn(async move {
                let header = Some(("x-amz-sns-message-type", "Notification"));
                let (media_type, text) = ("text/plain; charset=UTF-8", notification.to_string());
                offers.make(&url, media_type, header, &text).await;
            });
        }
        Ok(format!("<MessageId>{id}</MessageId>"))
    }
}

impl Published {
    fn draft(self) -> Draft {
        let is_number = self.destination.starts_with('+');
        Draft {
            channel: if is_number {
                Channel::Sms
            } else {
                Channel::Email
            },
            way: self.way,
            to: self.destination,
            from: None,
            subject: self.subject,
            text: Some(self.text),
            html: self.html,
            locale: Some(self.locale),
        }
    }
}
