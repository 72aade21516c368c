//! Who may do what: the page docs/operations.md as a table, and nothing else.

use serde_json::{Value, json};

use super::{
    Stack,
    iam::{Request, allow, statements},
};

/// What the login function does at the table, and what validate-otp does there.
pub const LOGIN_AT_TABLE: &[&str] = &[
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "GetItem",
    "BatchGetItem",
];
pub const VALIDATE_AT_TABLE: &[&str] = &[
    "GetItem",
    "BatchGetItem",
    "Query",
    "UpdateItem",
    "PutItem",
    "DeleteItem",
];
/// How the partitions begin that the login function may not touch.
pub const SESSIONS: &str = "user#";

const FROM: &str = "login@example.com";
const ACCOUNT: &str = "arn:aws:iam::123456789012:root";
/// A role of the same account that does not belong to the stack.
const OPERATOR: &str = "arn:aws:iam::123456789012:role/Operator";
const TABLE: &str = "Table.Arn";
const IDENTITY: &str = "arn:aws:ses:eu-west-1:123456789012:identity/example.com";
const CONFIGURATION_SET: &str = "arn:aws:ses:eu-west-1:123456789012:configuration-set/any";
const OWN_TEMPLATE: &str = "arn:aws:ses:eu-west-1:123456789012:template/login-de";
const PHONE: &str = "+14155550100";
const SENDER_KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/sender";

/// All that requests here are made to.
const RESOURCES: &[&str] = &[
    TABLE,
    "arn:aws:dynamodb:eu-west-1:123456789012:table/other",
    "DigestKey.Arn",
    "SecondDigestKey.Arn",
    "SigningKey.Arn",
    "SecondSigningKey.Arn",
    "arn:aws:kms:eu-west-1:123456789012:key/other",
    SENDER_KEY,
    IDENTITY,
    CONFIGURATION_SET,
    OWN_TEMPLATE,
    "arn:aws:ses:eu-west-1:123456789012:template/other",
    PHONE,
    "arn:aws:sns:eu-west-1:123456789012:topic",
    "arn:aws:sns:us-east-1:210987654321:topic",
    "LoginLog.Arn",
    "ValidateLog.Arn",
    "ApiLog.Arn",
    "arn:aws:lambda:eu-west-1:123456789012:function:other",
    "LostReports.Arn",
    "arn:aws:sqs:eu-west-1:123456789012:other",
];

/// All that is asked for: what a function does, and what none may.
const ACTIONS: &[&str] = &[
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteTable",
    "kms:GenerateMac",
    "kms:VerifyMac",
    "kms:Sign",
    "kms:Verify",
    "kms:GetPublicKey",
    "kms:GenerateDataKey",
    "kms:Decrypt",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "ses:SendEmail",
    "ses:SendTemplatedEmail",
    "ses:SendRawEmail",
    "ses:GetEmailTemplate",
    "ses:UpdateEmailTemplate",
    "sns:Publish",
    "sns:Subscribe",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "logs:DeleteLogGroup",
    "lambda:InvokeFunction",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "iam:PassRole",
];

type Permissions = Vec<(&'static [&'static str], &'static [&'static str])>;

/// Actions, and what they may be done to.
fn of_role(role: &str, sends: Sends, signing: &'static [&'static str]) -> Permissions {
    let digest: &[&str] = match signing.len() {
        2 => &["DigestKey.Arn", "SecondDigestKey.Arn"],
        _ if signing[0] == "SigningKey.Arn" => &["DigestKey.Arn"],
        _ => &["SecondDigestKey.Arn"],
    };
    let mut may: Permissions = vec![(&["kms:GenerateMac"], digest)];
    if role == "ValidateRole" {
        may.push((&["kms:Sign", "kms:GetPublicKey"], signing));
    }
    let log: &[&str] = if role == "ValidateRole" {
        &["ValidateLog.Arn"]
    } else {
        may.push((&["sqs:SendMessage"], &["LostReports.Arn"]));
        &["LoginLog.Arn"]
    };
    may.push((&["logs:CreateLogStream", "logs:PutLogEvents"], log));
    match sends {
        Sends::Nothing => {}
        Sends::Email => may.push((&["ses:SendEmail"], &[IDENTITY, CONFIGURATION_SET])),
        Sends::OwnEmail => {
            let all: &[&str] = &[IDENTITY, CONFIGURATION_SET, OWN_TEMPLATE];
            may.push((&["ses:SendEmail", "ses:SendTemplatedEmail"], all));
            may.push((&["ses:GetEmailTemplate"], &[OWN_TEMPLATE]));
        }
        Sends::Sms => may.push((&["sns:Publish"], &[PHONE])),
    }
    may
}

#[derive(Clone, Copy, PartialEq)]
enum Sends {
    Nothing,
    Email,
    OwnEmail,
    Sms,
}

/// All statements of the policies of a role.
fn of(stack: &Stack, role: &str) -> Vec<Value> {
    let policies = stack.resources("AWS::IAM::Policy").into_iter();
    let policies = policies.filter(|(_, policy)| policy["Roles"] == json!([role]));
    policies
        .flat_map(|(_, policy)| statements(&policy["PolicyDocument"]))
        .collect()
}

/// A request as the functions make it.
fn request<'a>(action: &'a str, resource: &'a str) -> Request<'a> {
    Request {
        account: ACCOUNT,
        action,
        resource,
        context: vec![
            ("dynamodb:LeadingKeys", vec!["email#alice@example.com"]),
            ("ses:FromAddress", vec![FROM]),
        ],
    }
}

#[test]
fn no_role_may_do_more_or_less_than_the_table_of_permissions_says() {
    let both = &["SigningKey.Arn", "SecondSigningKey.Arn"][..];
    for (sends, keys, signing, parameters) in [
        (Sends::Nothing, "A", &both[..1], &[][..]),
        (
            Sends::Nothing,
            "B",
            &both[1..],
            &[("EmailTemplate", "login")],
        ),
        (Sends::Email, "A,B", both, &[("EmailFrom", FROM)]),
        (
            Sends::OwnEmail,
            "B,A",
            both,
            &[("EmailFrom", FROM), ("EmailTemplate", "login")],
        ),
        (Sends::Sms, "A", &both[..1], &[("SmsPrefixes", "US")]),
    ] {
        let mut parameters = parameters.to_vec();
        parameters.extend([("SigningKeys", keys), ("DigestKeys", keys)]);
        let stack = Stack::with(&parameters);
        for role in ["LoginRole", "ValidateRole"] {
            let statements = of(&stack, role);
            if sends == Sends::Nothing {
                let all = json!(statements).to_string();
                assert!(!all.contains("ses:") && !all.contains("sns:"), "{role}");
            }
            let may = of_role(role, sends, signing);
            let at_table = if role == "LoginRole" {
                LOGIN_AT_TABLE
            } else {
                VALIDATE_AT_TABLE
            };
            for action in ACTIONS {
                for resource in RESOURCES {
                    let expected = match action.strip_prefix("dynamodb:") {
                        Some(action) => *resource == TABLE && at_table.contains(&action),
                        // A phone number has no ARN; neither has any other thing but a topic.
                        None if *action == "sns:Publish" && sends == Sends::Sms => {
                            !resource.starts_with("arn:aws:sns:")
                        }
                        None => may
                            .iter()
                            .any(|(actions, on)| actions.contains(action) && on.contains(resource)),
                    };
                    let may = allow(&statements, &request(action, resource));
                    assert_eq!(may, expected, "{role}, keys {keys}: {action} on {resource}");
                }
            }
        }
    }
}

#[test]
fn the_login_role_is_denied_every_call_that_touches_a_session() {
    let stack = Stack::full();
    for action in LOGIN_AT_TABLE.iter().chain(&["Query", "Scan"]) {
        let action = format!("dynamodb:{action}");
        for keys in [vec!["user#1"], vec!["email#alice@example.com", "user#1"]] {
            let mut request = request(&action, TABLE);
            request.context[0].1.clone_from(&keys);
            assert!(
                !allow(&of(&stack, "LoginRole"), &request),
                "{action} {keys:?}"
            );
        }
    }
}

#[test]
fn an_email_leaves_from_the_deployments_own_address_only() {
    for (template, sender) in [
        ("", FROM),
        ("login", FROM),
        ("", "Example <login@example.com>"),
        ("login", "Example <login@example.com>"),
    ] {
        let stack = Stack::with(&[("EmailFrom", sender), ("EmailTemplate", template)]);
        let statements = of(&stack, "LoginRole");
        for action in ["ses:SendEmail", "ses:SendTemplatedEmail"] {
            for (from, expected) in [
                (
                    vec![FROM],
                    action == "ses:SendEmail" || !template.is_empty(),
                ),
                (vec!["other@example.com"], false),
                (vec![], false),
            ] {
                let mut request = request(action, IDENTITY);
                request.context = from
                    .iter()
                    .map(|from| ("ses:FromAddress", vec![*from]))
                    .collect();
                assert_eq!(allow(&statements, &request), expected, "{action} {from:?}");
            }
        }
    }
}

#[test]
fn an_identity_of_another_account_sends_if_it_is_named() {
    let of_others = "arn:aws:ses:eu-central-1:210987654321:identity/example.com";
    let elsewhere = "arn:aws:ses:us-west-2:123456789012:identity/example.com";
    for template in ["", "login"] {
        for (named, may_send) in [("", false), (of_others, true)] {
            let chosen = [
                ("EmailFrom", FROM),
                ("EmailTemplate", template),
                ("EmailIdentityArn", named),
            ];
            let statements = of(&Stack::with(&chosen), "LoginRole");
            let may = |resource| allow(&statements, &request("ses:SendEmail", resource));
            assert_eq!(may(of_others), may_send, "{named}");
            assert!(may(IDENTITY) && may(elsewhere), "{named}");
            assert!(!may(
                "arn:aws:ses:eu-central-1:210987654321:identity/other.example"
            ));
        }
    }
    let without_sender = Stack::with(&[("EmailIdentityArn", of_others)]);
    let statements = of(&without_sender, "LoginRole");
    assert!(!allow(&statements, &request("ses:SendEmail", of_others)));
}

#[test]
fn a_code_is_published_to_the_topics_of_own_senders_and_to_no_other() {
    let topic = |name: &str| format!("arn:aws:sns:eu-west-1:123456789012:{name}");
    let ways = |known: &str, own: &[&str]| {
        let own = own.iter().map(|name| format!("{name}={}", topic(name)));
        // SES or SNS stands anywhere, if there is room.
        let known = (own.len() < 4).then(|| known.to_owned());
        let all: Vec<_> = own
            .clone()
            .take(1)
            .chain(known)
            .chain(own.skip(1))
            .collect();
        all.join(",")
    };
    let (email, phone) = (["a", "b", "c", "d"], ["e", "f", "g", "h"]);
    for (emails, phones) in (0..=4).flat_map(|emails| (0..=4).map(move |phones| (emails, phones))) {
        let (email, phone) = (&email[..emails], &phone[..phones]);
        let chosen = [
            ("EmailWays", &*ways("email", email)),
            ("PhoneWays", &*ways("sms", phone)),
        ];
        let stack = Stack::with(&chosen);
        assert_eq!(stack.is_allowed(), emails > 0, "{chosen:?}");
        for name in ["a", "b", "c", "d", "e", "f", "g", "h", "other", "aa"] {
            let topic = topic(name);
            let asks = request("sns:Publish", &topic);
            let is_named = email.contains(&name) || phone.contains(&name);
            for role in ["LoginRole", "ValidateRole"] {
                let may = allow(&of(&stack, role), &asks);
                assert_eq!(may, is_named, "{role} {chosen:?} {name}");
            }
        }
    }
}

#[test]
fn the_keys_of_those_topics_are_used_through_sns_alone() {
    let two = format!("arn:aws:kms:eu-west-1:123456789012:key/other,{SENDER_KEY}");
    let each = [("", false), (SENDER_KEY, true), (&two, true)];
    let each = each
        .iter()
        .flat_map(|of| ["LoginRole", "ValidateRole"].map(|role| (*of, role)));
    for ((named, may), role) in each {
        let statements = of(&Stack::with(&[("SenderKeyArns", named)]), role);
        for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
            let mut asks = request(action, SENDER_KEY);
            assert!(!allow(&statements, &asks), "{action}");
            let through_sns = ("kms:ViaService", vec!["sns.eu-west-1.amazonaws.com"]);
            asks.context.push(through_sns);
            assert_eq!(allow(&statements, &asks), may, "{action} {named}");
            asks.resource = "DigestKey.Arn";
            assert!(!allow(&statements, &asks), "{action}");
        }
    }
}

#[test]
fn every_role_has_the_boundary_that_the_operator_names() {
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    for (chosen, expected) in [("", Value::Null), (boundary, json!(boundary))] {
        let roles = Stack::with(&[("PermissionsBoundary", chosen)]).resources("AWS::IAM::Role");
        assert_eq!(roles.len(), 3);
        for (name, role) in roles {
            assert_eq!(role["PermissionsBoundary"], expected, "{name}");
        }
    }
}

/// What an administrator of the account may do with a key: all but use it.
const ADMINISTRATION: &[&str] = &[
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
];
/// The ways to use a key, or to let another use it.
const USES: &[&str] = &[
    "kms:Sign",
    "kms:Verify",
    "kms:GetPublicKey",
    "kms:GenerateMac",
    "kms:VerifyMac",
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:DeriveSharedSecret",
    "kms:CreateGrant",
    "kms:ReplicateKey",
    "kms:ImportKeyMaterial",
];

/// What a key's policy lets a role do: the action, and what the request must say.
fn uses(is_digest: bool, role: &str) -> Vec<(&'static str, Says)> {
    match (is_digest, role) {
        (true, "LoginRole.Arn" | "ValidateRole.Arn") => {
            vec![(
                "kms:GenerateMac",
                vec![("kms:MacAlgorithm", "HMAC_SHA_256")],
            )]
        }
        (false, "ValidateRole.Arn") => vec![
            (
                "kms:Sign",
                vec![
                    ("kms:SigningAlgorithm", "RSASSA_PKCS1_V1_5_SHA_256"),
                    ("kms:MessageType", "DIGEST"),
                ],
            ),
            ("kms:GetPublicKey", vec![]),
        ],
        _ => vec![],
    }
}

/// A key of the stack.
struct Key {
    name: String,
    statements: Vec<Value>,
}

type Says = Vec<(&'static str, &'static str)>;

impl Key {
    fn all() -> Vec<Self> {
        let keys = Stack::full().resources("AWS::KMS::Key").into_iter();
        let keys = keys.map(|(name, key)| Self {
            name,
            statements: statements(&key["KeyPolicy"]),
        });
        keys.collect()
    }

    /// What a role may use the key for.
    fn uses(&self, role: &str) -> Vec<(&'static str, Says)> {
        uses(self.name.ends_with("DigestKey"), role)
    }

    /// Whether the policy lets a role of this account do this, if its request says that.
    fn lets(&self, account: &str, role: &[&str], action: &str, says: &Says) -> bool {
        let role = role.iter().map(|role| ("aws:PrincipalArn", vec![*role]));
        let says = says.iter().map(|(key, value)| (*key, vec![*value]));
        let request = Request {
            account,
            action,
            resource: "any",
            context: role.chain(says).collect(),
        };
        allow(&self.statements, &request)
    }
}

const ROLES: [&str; 3] = ["LoginRole.Arn", "ValidateRole.Arn", OPERATOR];

#[test]
fn a_key_is_used_by_its_functions_and_administered_by_the_account_alone() {
    // All that the functions' requests say of any key.
    let known: Says = [true, false]
        .into_iter()
        .flat_map(|is_digest| {
            uses(is_digest, "ValidateRole.Arn")
                .into_iter()
                .flat_map(|(_, says)| says)
        })
        .collect();
    let keys = Key::all();
    assert_eq!(keys.len(), 4);
    for key in keys {
        let mut principals = key.statements.iter().map(|one| &one["Principal"]["AWS"]);
        assert!(principals.all(Value::is_string), "{}", key.name);
        for role in ROLES {
            for action in USES.iter().chain(ADMINISTRATION) {
                let case = format!("{}: {role} {action}", key.name);
                let is_administration = ADMINISTRATION.contains(action);
                let is_use = key.uses(role).iter().any(|(allowed, _)| allowed == action);
                let may = key.lets(ACCOUNT, &[role], action, &known);
                assert_eq!(may, is_use || is_administration, "{case}");
                let nobody_may = key.lets(ACCOUNT, &[], action, &known);
                assert_eq!(nobody_may, is_administration, "{case}");
                let other = "arn:aws:iam::210987654321:root";
                assert!(!key.lets(other, &[role], action, &known), "{case}");
            }
        }
    }
}

#[test]
fn a_key_is_used_only_in_the_way_in_which_its_functions_use_it() {
    for key in Key::all() {
        for role in ROLES {
            for (action, says) in key.uses(role) {
                assert!(key.lets(ACCOUNT, &[role], action, &says), "{role} {action}");
                for nth in 0..says.len() {
                    let (mut without, mut other) = (says.clone(), says.clone());
                    without.remove(nth);
                    other[nth].1 = "another";
                    for says in [without, other] {
                        let may = key.lets(ACCOUNT, &[role], action, &says);
                        assert!(!may, "{}: {role} {action} {says:?}", key.name);
                    }
                }
            }
        }
    }
}

#[test]
fn each_role_is_assumed_by_its_service_and_has_no_other_permission() {
    let roles = Stack::full().resources("AWS::IAM::Role");
    assert_eq!(roles.len(), 3);
    for (name, role) in roles {
        let is_gateways = name == "GatewayLoggingRole";
        let service = if is_gateways {
            "apigateway.amazonaws.com"
        } else {
            "lambda.amazonaws.com"
        };
        let trust = json!([{
            "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole",
        }]);
        assert_eq!(
            json!(statements(&role["AssumeRolePolicyDocument"])),
            trust,
            "{name}"
        );
        let writes_logs =
            json!(["arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"]);
        let managed = if is_gateways {
            writes_logs
        } else {
            Value::Null
        };
        assert_eq!(role["ManagedPolicyArns"], managed, "{name}");
        assert_eq!(role["Policies"], Value::Null, "{name}");
    }
}

/// What a policy grants by name is in the table above, and it grants nothing by a pattern.
#[test]
fn no_role_is_granted_an_action_that_no_request_here_asks_for() {
    for role in ["LoginRole", "ValidateRole"] {
        for statement in of(&Stack::full(), role) {
            for action in super::items(&statement["Action"]) {
                let known = ACTIONS.contains(&action.as_str().unwrap());
                assert!(known || statement["Effect"] == "Deny", "{role}: {action}");
            }
        }
    }
}
