//! Events of users: what `EventPipe` in `template.yaml` does. It takes the events from the
//! table's stream, shows them beside the inbox, and posts each to `EVENTS_URL` as a rule on the
//! bus would.

use std::{io, time::Duration};

use axum::http::Uri;
use dynoxide::{
    Database,
    actions::{
        get_records::{GetRecordsRequest, Record},
        get_shard_iterator::GetShardIteratorRequest,
    },
    streams::{shard_id, stream_arn},
    types::AttributeValue,
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{inbox::Inbox, offer::Offers};

/// The pause before the stream is read again.
const PAUSE: Duration = Duration::from_millis(50);

/// A pipe from the stream of a table.
pub(crate) struct Pipe {
    /// The database.
    pub(crate) database: Database,
    /// The table, which has a stream.
    pub(crate) table: String,
    /// Where events are shown.
    pub(crate) inbox: Inbox,
    /// Where each is posted, if somebody is to hear of it.
    pub(crate) url: Option<Uri>,
}

impl Pipe {
    /// Takes events until the database fails.
    pub(crate) async fn run(self) -> io::Result<()> {
        let offers = Offers::default();
        let mut position = self.start();
        while let Some(iterator) = position {
            let request = GetRecordsRequest {
                shard_iterator: iterator,
                limit: None,
            };
            let Ok(read) = self.database.get_records(request) else {
                break;
            };
            for event in read.records.iter().filter_map(|record| self.event(record)) {
                self.inbox.learn(event.clone());
                if let Some(url) = &self.url {
                    let media_type = "application/json";
                    offers.make(url, media_type, None, &event.to_string()).await;
                }
            }
            position = read.next_shard_iterator;
            sleep(PAUSE).await;
        }
        Ok(())
    }

    fn start(&self) -> Option<String> {
        let request = GetShardIteratorRequest {
            stream_arn: stream_arn(&self.table, "local"),
            shard_id: shard_id(&self.table),
            shard_iterator_type: "TRIM_HORIZON".to_owned(),
            sequence_number: None,
        };
        self.database
            .get_shard_iterator(request)
            .ok()?
            .shard_iterator
    }

    /// What the bus makes of a record, if it is the insert of an event.
    fn event(&self, record: &Record) -> Option<Value> {
        let sort = text(record.dynamodb.keys.get("sk"))?;
        let item = record.dynamodb.new_image.as_ref()?;
        if record.event_name != "INSERT" || !sort.starts_with("event#") {
            return None;
        }
        let of = |name| text(item.get(name));
        Some(json!({
            "version": "0",
            "id": uuid::Uuid::new_v4().to_string(),
            "detail-type": "user",
            "source": "login-with-otp",
            "account": "000000000000",
            "time": of("time"),
            "region": "us-east-1",
            "resources": [format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}", self.table)],
            "detail": {
                "user_id": of("owner"),
                "kind": of("kind"),
                "sequence": of("sequence"),
                "time": of("time"),
                "session_id": of("session_id"),
            },
        }))
    }
}

fn text(value: Option<&AttributeValue>) -> Option<&str> {
    match value? {
        AttributeValue::S(text) => Some(text),
        _ => None,
    }
}
