//! What stands between a code and the one who waits for it.

use aws_sdk_sesv2::{
    Client,
    error::SdkError,
    operation::get_email_identity::{GetEmailIdentityError, GetEmailIdentityOutput},
    types::{DkimStatus, MailFromDomainStatus, SendingOptions, SuppressionAttributes},
};
use otp_service::delivery::Region;

use super::Doctor;

impl<L: Fn(&str) -> Option<String>> Doctor<'_, L> {
    pub(super) async fn sending(&mut self) {
        let sender = self.setting("EMAIL_FROM");
        let sends_sms = self.setting("SMS_PREFIXES").is_some();
        if sender.is_none() && !sends_sms {
            let mend = "set EMAIL_FROM or SMS_PREFIXES as the login function has them";
            self.wrong("messages", "no message can be sent", mend);
        }
        if let Some(sender) = sender {
            self.email(&sender).await;
        }
        if sends_sms {
            self.sms().await;
        }
    }

    async fn email(&mut self, sender: &str) {
        let region = self.region("SES_REGION");
        let client = self.aws.in_region(region.as_ref()).ses();
        match client.get_account().send().await {
            Ok(account) => {
                self.judge(
                    "SES: sandbox",
                    account.production_access_enabled(),
                    [
                        "the account has production access",
                        "the account is in the sandbox: e-mails reach verified addresses only",
                    ],
                    "request production access in the SES console",
                );
                self.judge(
                    "SES: sending",
                    account.sending_enabled(),
                    ["on", "paused: no e-mail is sent"],
                    "read the account dashboard of SES, which says why",
                );
                let status = account.enforcement_status().unwrap_or("HEALTHY");
                self.judge(
                    "SES: reputation",
                    status == "HEALTHY",
                    ["healthy", &format!("under review: {status}")],
                    "read the reputation metrics of SES: bounces and complaints",
                );
                let suppressed = account.suppression_attributes();
                let reasons = suppressed.map(SuppressionAttributes::suppressed_reasons);
                let count = reasons.map_or(0, <[_]>::len);
                self.well(
                    "SES: suppression",
                    match count {
                        0 => "the account's list is off",
                        _ => "the account's list is on: admin destinations clear takes an address off",
                    },
                );
            }
            Err(error) => self.unknown("SES: account", "ses:GetAccount", &error),
        }
        self.identity(&client, sender).await;
        if let Some(name) = self.setting("CONFIGURATION_SET") {
            let set = client.get_configuration_set().configuration_set_name(name);
            match set.send().await {
                Ok(set) => {
                    let sending = set.sending_options();
                    let is_on = sending.is_none_or(SendingOptions::sending_enabled);
                    self.judge(
                        "SES: configuration set",
                        is_on,
                        ["exists, and sends", "its sending is off"],
                        "turn its sending on in the SES console",
                    );
                }
                Err(error) => {
                    self.unknown("SES: configuration set", "ses:GetConfigurationSet", &error);
                }
            }
        }
    }

    async fn identity(&mut self, client: &Client, sender: &str) {
        let address = sender.rsplit('<').next().unwrap_or_default();
        let address = address.trim_end_matches('>');
        let domain = address.rsplit('@').next().unwrap_or_default();
        let identity = match identity_of(client, address, domain).await {
            Ok(identity) => identity,
            Err(error) => return self.unknown("SES: identity", "ses:GetEmailIdentity", &error),
        };
        self.judge(
            "SES: identity",
            identity.verified_for_sending_status(),
            [
                &format!("{domain} is verified"),
                &format!("{domain} is not verified"),
            ],
            "publish the records that SES shows for it",
        );
        let dkim = identity.dkim_attributes();
        let is_signed = dkim.is_some_and(|dkim| {
            dkim.signing_enabled() && dkim.status() == Some(&DkimStatus::Success)
        });
        self.judge(
            "SES: DKIM",
            is_signed,
            [
                "e-mails are signed",
                "e-mails are not signed, and land in spam",
            ],
            "turn on DKIM of the identity, and publish its records",
        );
        let from = identity.mail_from_attributes();
        let is_own = from
            .is_some_and(|from| *from.mail_from_domain_status() == MailFromDomainStatus::Success);
        self.judge(
            "SES: MAIL FROM",
            is_own,
            [
                "a domain of your own",
                "amazonses.com, so SPF does not align with the sender",
            ],
            "set a custom MAIL FROM domain of the identity",
        );
    }

    async fn sms(&mut self) {
        let region = self.region("SNS_REGION");
        let client = self.aws.in_region(region.as_ref()).sns();
        match client.get_sms_sandbox_account_status().send().await {
            Ok(status) => self.judge(
                "SNS: sandbox",
                !status.is_in_sandbox(),
                [
                    "the account has left the sandbox",
                    "the account is in the SMS sandbox: ten verified numbers only",
                ],
                "leave the sandbox in the SNS console, under Text messaging",
            ),
            Err(error) => {
                self.unknown("SNS: sandbox", "sns:GetSMSSandboxAccountStatus", &error);
            }
        }
        match client.get_sms_attributes().send().await {
            Ok(found) => {
                let of = |name: &str| found.attributes().and_then(|all| all.get(name)).cloned();
                let limit = of("MonthlySpendLimit");
                self.judge(
                    "SNS: spend limit",
                    limit.as_deref() != Some("1"),
                    [
                        &format!(
                            "{} USD a month",
                            limit.as_deref().unwrap_or("the account's")
                        ),
                        "1 USD a month, that of a new account: about a hundred messages",
                    ],
                    "ask AWS to raise the account's spend quota for text messages",
                );
                let logs = of("DeliveryStatusIAMRole").is_some();
                self.judge(
                    "SNS: delivery status",
                    logs,
                    ["logged", "not logged, so nobody hears what carriers say"],
                    "turn on delivery status logging in the SNS console",
                );
            }
            Err(error) => self.unknown("SNS: attributes", "sns:GetSMSAttributes", &error),
        }
    }

    fn region(&self, setting: &str) -> Option<Region> {
        self.setting(setting).map(Region::new)
    }
}

/// The domain's identity, else that of the address.
async fn identity_of(
    client: &Client,
    address: &str,
    domain: &str,
) -> Result<GetEmailIdentityOutput, SdkError<GetEmailIdentityError>> {
    let ask = |identity: &str| client.get_email_identity().email_identity(identity).send();
    let found = ask(domain).await;
    let error = found.as_ref().err().and_then(SdkError::as_service_error);
    if error.is_some_and(GetEmailIdentityError::is_not_found_exception) {
        return ask(address).await;
    }
    found
}
