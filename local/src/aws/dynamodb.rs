//! `DynamoDB`: an emulator in this process, and a proxy to it from the common port.
//!
//! The emulator listens on its own loopback port, because it takes HTTP requests from a socket
//! only.

use std::{
    collections::HashSet,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{
        StatusCode, Uri, Version,
        header::{CONNECTION, CONTENT_TYPE},
        uri::{Authority, PathAndQuery, Scheme},
    },
    response::{IntoResponse, Response},
};
use dynoxide::{
    Database,
    actions::{
        create_table::{CreateTableRequest, StreamSpecification},
        update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest},
    },
    types::{AttributeDefinition, KeySchemaElement, KeyType, ScalarAttributeType},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use otp_service::store::Events;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The table's partition key, a string.
pub const PARTITION_KEY: &str = "pk";
/// The table's sort key, a string.
pub const SORT_KEY: &str = "sk";
/// The attribute that holds the second at which an item may be deleted.
pub const EXPIRY_ATTRIBUTE: &str = "expires_at_seconds";

/// Starts an empty in-memory database. It is served over HTTP at the returned address until the
/// runtime ends.
///
/// Expired items stay until [`Database::sweep_ttl`] is called, like in the real service, which may
/// delete them days late.
///
/// # Errors
///
/// The database cannot be created, or no loopback port is free.
pub async fn start() -> Result<(SocketAddr, Database), String> {
    let database = Database::memory().map_err(|error| error.to_string())?;
    let (listener, address) = listen().await.map_err(|error| error.to_string())?;
    tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
    Ok((address, database))
}

async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Creates a table with the keys and the TTL attribute of the deployed table, and its stream if
/// there are events.
///
/// # Errors
///
/// The name is not valid for a table, or the table exists.
pub fn create_table(database: &Database, name: &str, events: Events) -> Result<(), String> {
    create(database, name, events)
        .and_then(|()| expire_items(database, name))
        .map_err(|error| error.to_string())
}

fn create(database: &Database, name: &str, events: Events) -> dynoxide::Result<()> {
    let keys = [(PARTITION_KEY, KeyType::HASH), (SORT_KEY, KeyType::RANGE)];
    database.create_table(CreateTableRequest {
        table_name: name.to_owned(),
        billing_mode: Some("PAY_PER_REQUEST".to_owned()),
        stream_specification: (events == Events::On).then(|| StreamSpecification {
            stream_enabled: true,
            stream_view_type: Some("NEW_IMAGE".to_owned()),
        }),
        attribute_definitions: keys
            .iter()
            .map(|(key, _)| AttributeDefinition {
                attribute_name: (*key).to_owned(),
                attribute_type: ScalarAttributeType::S,
            })
            .collect(),
        key_schema: keys
            .into_iter()
            .map(|(key, key_type)| KeySchemaElement {
                attribute_name: key.to_owned(),
                key_type,
            })
            .collect(),
        ..CreateTableRequest::default()
    })?;
    Ok(())
}

fn expire_items(database: &Database, name: &str) -> dynoxide::Result<()> {
    database.update_time_to_live(UpdateTimeToLiveRequest {
        table_name: name.to_owned(),
        time_to_live_specification: TimeToLiveSpecification {
            attribute_name: EXPIRY_ATTRIBUTE.to_owned(),
            enabled: true,
        },
    })?;
    Ok(())
}

/// Forwards requests to the emulator, and returns its answers unchanged.
#[derive(Clone)]
pub(super) struct Proxy {
    client: Client<HttpConnector, Body>,
    emulator: SocketAddr,
    /// The tables whose point-in-time recovery is off.
    without_recovery: Arc<Mutex<HashSet<String>>>,
}

impl Proxy {
    pub(super) fn new(emulator: SocketAddr) -> Self {
        let mut connector = HttpConnector::new();
        // Without this, a small write waits for the acknowledgement of the one before.
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            emulator,
            without_recovery: Arc::default(),
        }
    }

    pub(super) async fn forward(&self, mut request: Request) -> Response {
        // The emulator keeps no backups. Its table is as the template makes it otherwise.
        let target = request.headers().get("x-amz-target");
        if target.is_some_and(|target| target.as_bytes().ends_with(b"ContinuousBackups")) {
            return self.backups(request.into_body()).await;
        }
        let Some(uri) = self.uri(request.uri()) else {
            return unavailable();
        };
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        // This header describes one connection only, and the proxy has two.
        request.headers_mut().remove(CONNECTION);
        match self.client.request(request).await {
            Ok(mut response) => {
                response.headers_mut().remove(CONNECTION);
                response.map(Body::new)
            }
            Err(_) => unavailable(),
        }
    }

    /// Whether a table has point-in-time recovery, as the last call that set it says.
    async fn backups(&self, body: Body) -> Response {
        let body = to_bytes(body, super::BODY_LIMIT).await.unwrap_or_default();
        let call: Value = serde_json::from_slice(&body).unwrap_or_default();
        let table = call["TableName"].as_str().unwrap_or_default();
        let set = &call["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        let mut without = self
            .without_recovery
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match set.as_bool() {
            Some(true) => without.remove(table),
            Some(false) => without.insert(table.to_owned()),
            None => false,
        };
        let status = if without.contains(table) {
            "DISABLED"
        } else {
            "ENABLED"
        };
        let answer = json!({
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": status },
            }
        });
        let json = [(CONTENT_TYPE, "application/x-amz-json-1.0")];
        (json, answer.to_string()).into_response()
    }

    fn uri(&self, original: &Uri) -> Option<Uri> {
        let authority = Authority::try_from(self.emulator.to_string()).ok()?;
        let path = original.path_and_query().cloned();
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(authority)
            .path_and_query(path.unwrap_or(PathAndQuery::from_static("/")))
            .build()
            .ok()
    }
}

/// The answer of a broken `DynamoDB`, which SDKs retry.
fn unavailable() -> Response {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        [(CONTENT_TYPE, "application/x-amz-json-1.0")],
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"The emulator does not answer."}"#,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_deployed_one() {
        let database = Database::memory().unwrap();
        create_table(&database, "otp", Events::Off).unwrap();
        assert!(create_table(&database, "otp", Events::Off).is_err());

        let table = database.get_table_metadata("otp").unwrap().unwrap();
        assert_eq!(table.ttl_attribute.as_deref(), Some("expires_at_seconds"));
        let keys: serde_json::Value = serde_json::from_str(&table.key_schema).unwrap();
        assert_eq!(keys[0]["AttributeName"], "pk");
        assert_eq!(keys[1]["AttributeName"], "sk");
    }

    #[test]
    fn the_proxy_keeps_path_and_query() {
        let proxy = || Proxy::new(SocketAddr::from(([127, 0, 0, 1], 8000)));
        let uri = Uri::from_static("/path?x=1");
        // This needs no runtime: a client starts no task before its first request.
        assert_eq!(proxy().uri(&uri).unwrap(), "http://127.0.0.1:8000/path?x=1");
    }
}
