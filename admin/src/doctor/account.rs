//! What a deployment keeps: its table and its keys.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    PointInTimeRecoveryStatus, SseStatus, TableStatus, TimeToLiveStatus,
};
use aws_sdk_kms::types::{KeySpec, KeyState, KeyUsageType};

use super::Doctor;

/// The attribute that holds the second at which an item may be deleted.
const EXPIRY: &str = "expires_at_seconds";

/// A setting that names a key, and what the key must be.
const KEYS: [(&str, KeySpec, KeyUsageType); 4] = [
    (
        "DIGEST_KEY_ID",
        KeySpec::Hmac256,
        KeyUsageType::GenerateVerifyMac,
    ),
    (
        "SECOND_DIGEST_KEY_ID",
        KeySpec::Hmac256,
        KeyUsageType::GenerateVerifyMac,
    ),
    ("SIGNING_KEY_ID", KeySpec::Rsa2048, KeyUsageType::SignVerify),
    (
        "SECOND_SIGNING_KEY_ID",
        KeySpec::Rsa2048,
        KeyUsageType::SignVerify,
    ),
];

impl<L: Fn(&str) -> Option<String>> Doctor<'_, L> {
    pub(super) async fn table(&mut self) {
        let Some(name) = self.setting("TABLE_NAME") else {
            let mend = "give --stack NAME or --table NAME, or set TABLE_NAME";
            return self.wrong("table", "no table is named", mend);
        };
        let client = self.aws.dynamodb();
        if self.state(&client, &name).await {
            self.expiry(&client, &name).await;
            self.recovery(&client, &name).await;
        }
    }

    /// Whether the table was found.
    async fn state(&mut self, client: &Client, name: &str) -> bool {
        let table = match client.describe_table().table_name(name).send().await {
            Ok(found) => found.table,
            Err(error) => {
                self.unknown("table", "dynamodb:DescribeTable", &error);
                return false;
            }
        };
        let status = table.as_ref().and_then(|table| table.table_status());
        self.judge(
            "table",
            status == Some(&TableStatus::Active),
            [
                &format!("{name} is active"),
                &format!("{name} is not active"),
            ],
            "wait until it is, or look for it in the console",
        );
        let sse = table.as_ref().and_then(|table| table.sse_description());
        let by_kms = sse.and_then(|sse| sse.status()) == Some(&SseStatus::Enabled);
        self.well(
            "table: encryption",
            if by_kms {
                "by a key of KMS"
            } else {
                "by a key of DynamoDB"
            },
        );
        true
    }

    async fn expiry(&mut self, client: &Client, name: &str) {
        match client.describe_time_to_live().table_name(name).send().await {
            Ok(found) => {
                let found = found.time_to_live_description();
                let is_on = found.is_some_and(|ttl| {
                    ttl.time_to_live_status() == Some(&TimeToLiveStatus::Enabled)
                        && ttl.attribute_name() == Some(EXPIRY)
                });
                self.judge(
                    "table: TTL",
                    is_on,
                    [
                        &format!("on, by {EXPIRY}"),
                        "off, or by another attribute: nothing that has expired is deleted",
                    ],
                    format!(
                        "aws dynamodb update-time-to-live --table-name {name} \
                         --time-to-live-specification Enabled=true,AttributeName={EXPIRY}"
                    ),
                );
            }
            Err(error) => self.unknown("table: TTL", "dynamodb:DescribeTimeToLive", &error),
        }
    }

    async fn recovery(&mut self, client: &Client, name: &str) {
        match client
            .describe_continuous_backups()
            .table_name(name)
            .send()
            .await
        {
            Ok(found) => {
                let found = found.continuous_backups_description;
                let found = found.and_then(|backups| backups.point_in_time_recovery_description);
                let status = found.and_then(|recovery| recovery.point_in_time_recovery_status);
                self.judge(
                    "table: recovery",
                    status == Some(PointInTimeRecoveryStatus::Enabled),
                    [
                        "point-in-time recovery is on",
                        "point-in-time recovery is off",
                    ],
                    format!(
                        "aws dynamodb update-continuous-backups --table-name {name} \
                         --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
                    ),
                );
            }
            Err(error) => {
                self.unknown(
                    "table: recovery",
                    "dynamodb:DescribeContinuousBackups",
                    &error,
                );
            }
        }
    }

    pub(super) async fn keys(&mut self) {
        for (setting, spec, usage) in KEYS {
            let Some(id) = self.setting(setting) else {
                if !setting.starts_with("SECOND") {
                    let mend = format!("set {setting} as the function has it");
                    self.wrong(setting, "no key is named", mend);
                }
                continue;
            };
            let found = match self.aws.kms().describe_key().key_id(&id).send().await {
                Ok(found) => found.key_metadata,
                Err(error) => {
                    self.unknown(setting, "kms:DescribeKey", &error);
                    continue;
                }
            };
            let key = found.as_ref();
            if key.and_then(|key| key.key_state()) != Some(&KeyState::Enabled) {
                let mend = format!("aws kms enable-key --key-id {id}");
                self.wrong(setting, "the key is not enabled", mend);
                continue;
            }
            let is_right = key.is_some_and(|key| {
                key.key_spec() == Some(&spec) && key.key_usage() == Some(&usage)
            });
            let is = format!("{} for {}", spec.as_str(), usage.as_str());
            self.judge(
                setting,
                is_right,
                [&is, &format!("the key is not {is}")],
                "name a key that the template made: its outputs have the ids",
            );
        }
    }
}
