//! What outlives the stack: the table, the keys, the logs.

use serde_json::json;

use super::{Stack, at, items};

#[test]
fn the_table_has_its_keys_sweeps_what_has_expired_and_can_be_restored() {
    let table = Stack::full().part(&["Resources", "Table", "Properties"]);
    // As the local stack creates it, which the tests of the table hold to the code.
    let expected = json!({
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": { "AttributeName": "expires_at_seconds", "Enabled": true },
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        "SSESpecification": { "SSEEnabled": true, "SSEType": "KMS" },
    });
    assert_eq!(table, expected);
}

#[test]
fn a_table_that_exists_takes_the_place_of_the_own_one() {
    for (chosen, table, arn) in [
        (&[][..], "Table", "Table.Arn"),
        (
            &[("ExistingTable", "restored")],
            "restored",
            "arn:aws:dynamodb:eu-west-1:123456789012:table/restored",
        ),
    ] {
        let stack = Stack::with(chosen);
        let is_own = stack.section("Resources").contains_key("Table");
        assert_eq!(is_own, table == "Table");
        assert_eq!(stack.section("Outputs")["TableName"]["Value"], table);
        let variables = stack.part(&["Globals", "Function", "Environment", "Variables"]);
        assert_eq!(variables["TABLE_NAME"], table);
        let statements = stack.resources("AWS::IAM::Policy").into_iter();
        let statements = statements.flat_map(|(_, policy)| {
            items(at(&policy, &["PolicyDocument", "Statement"]))
                .into_iter()
                .cloned()
                .collect::<Vec<_>>()
        });
        let of_table = statements.filter(|one| one["Action"].to_string().contains("dynamodb:"));
        let resources: Vec<_> = of_table.map(|one| one["Resource"].clone()).collect();
        assert_eq!(resources, [arn; 3]);
    }
}

#[test]
fn what_cannot_be_replaced_outlives_the_stack_and_nothing_else_does() {
    for (name, resource) in Stack::full().all_resources() {
        let kind = resource["Type"].as_str().unwrap();
        let is_kept = [
            "AWS::DynamoDB::Table",
            "AWS::KMS::Key",
            "AWS::Logs::LogGroup",
        ]
        .contains(&kind)
            || name.starts_with("GatewayLogging");
        let policies = [
            &resource["DeletionPolicy"],
            &resource["UpdateReplacePolicy"],
        ];
        if is_kept {
            assert_eq!(policies, ["RetainExceptOnCreate", "Retain"], "{name}");
        } else {
            assert!(policies.iter().all(|policy| policy.is_null()), "{name}");
        }
    }
}

#[test]
fn each_key_is_of_the_kind_that_its_setting_takes_and_is_deleted_after_thirty_days() {
    for (name, key) in Stack::full().resources("AWS::KMS::Key") {
        let kind = if name.ends_with("SigningKey") {
            ["RSA_2048", "SIGN_VERIFY"]
        } else {
            ["HMAC_256", "GENERATE_VERIFY_MAC"]
        };
        assert_eq!([&key["KeySpec"], &key["KeyUsage"]], kind, "{name}");
        assert_eq!(key["PendingWindowInDays"], 30, "{name}");
    }
}

/// The steps of a rotation: the key in use, then the other one.
#[test]
fn each_step_of_a_rotation_has_its_keys_and_uses_the_first() {
    for kind in ["Signing", "Digest"] {
        let (a, b) = (format!("{kind}Key"), format!("Second{kind}Key"));
        for (step, first, second) in [
            ("A", &a, None),
            ("A,B", &a, Some(&b)),
            ("B,A", &b, Some(&a)),
            ("B", &b, None),
        ] {
            let parameter = format!("{kind}Keys");
            let stack = Stack::with(&[(&parameter, step)]);
            let variables = stack.part(&["Globals", "Function", "Environment", "Variables"]);
            let arn =
                |key: Option<&String>| key.map_or_else(String::new, |key| format!("{key}.Arn"));
            let upper = kind.to_uppercase();
            assert_eq!(
                variables[format!("{upper}_KEY_ID")],
                arn(Some(first)),
                "{step}"
            );
            assert_eq!(
                variables[format!("SECOND_{upper}_KEY_ID")],
                arn(second),
                "{step}"
            );
            let outputs = stack.section("Outputs");
            let output = |name: &str| {
                outputs
                    .get(name)
                    .map(|output| at(output, &["Value"]).clone())
            };
            assert_eq!(
                output(&a.replace("Key", "KeyId")),
                Some(json!(first)),
                "{step}"
            );
            assert_eq!(
                output(&b.replace("Key", "KeyId")),
                second.map(|key| json!(key)),
                "{step}"
            );
            let resources = stack.section("Resources");
            for key in [&a, &b] {
                let is_used = key == first || Some(key) == second;
                assert_eq!(resources.contains_key(key), is_used, "{step}: {key}");
            }
        }
    }
}
