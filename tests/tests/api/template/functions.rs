//! The functions: their programs, their surroundings, and what they are told.

use std::path::Path;

use otp_settings::table;
use serde_json::json;

use super::{Stack, at, load, text};

#[test]
fn each_function_has_its_own_program_role_policy_and_log() {
    let stack = Stack::full();
    for (name, program) in [("Login", "login-with-otp"), ("Validate", "validate-otp")] {
        let function = stack.part(&["Resources", name]);
        let own = format!("AWS::StackName-{program}");
        let expected = json!({
            "FunctionName": own,
            "CodeUri": format!("functions/{program}/"),
            "Role": format!("{name}Role.Arn"),
            "LoggingConfig": { "LogGroup": format!("{name}Log"), "LogFormat": "JSON" },
        });
        assert_eq!(function["Properties"], expected);
        // It calls KMS when it starts.
        assert_eq!(function["DependsOn"], format!("{name}Policy"));
        let build = json!({
            "BuildMethod": "rust-cargolambda", "BuildProperties": { "Binary": program },
        });
        assert_eq!(function["Metadata"], build);
        let code = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../functions")
            .join(program);
        assert!(code.join("Cargo.toml").exists(), "{program}");
    }
}

#[test]
fn each_log_is_that_of_its_writer_and_is_kept_as_long_as_the_operator_says() {
    let logs = Stack::with(&[("LogRetentionDays", "90")]).resources("AWS::Logs::LogGroup");
    assert_eq!(logs.len(), 3);
    for (name, log) in logs {
        let group = match name.as_str() {
            "ApiLog" => "/aws/apigateway/AWS::StackName",
            "LoginLog" => "/aws/lambda/AWS::StackName-login-with-otp",
            _ => "/aws/lambda/AWS::StackName-validate-otp",
        };
        assert_eq!(
            log,
            json!({ "LogGroupName": group, "RetentionInDays": "90" }),
            "{name}"
        );
    }
}

#[test]
fn both_functions_run_as_their_zips_are_built_and_end_before_the_gateway_does() {
    let chosen = [("Architecture", "x86_64"), ("MemorySize", "256")];
    let mut shared = Stack::with(&chosen).part(&["Globals", "Function"]);
    shared.as_object_mut().unwrap().remove("Environment");
    let expected = json!({
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Architectures": ["x86_64"],
        "MemorySize": "256",
        // The service takes a login that is not complete by then for abandoned.
        "Timeout": 25,
    });
    assert_eq!(shared, expected);
}

/// The parameter of a setting: `OTP_LENGTH` is `OtpLength`.
fn parameter(setting: &str) -> String {
    let words = setting.split('_');
    let words = words.map(|word| format!("{}{}", &word[..1], word[1..].to_lowercase()));
    words.collect()
}

#[test]
fn every_variable_takes_the_parameter_of_its_name() {
    let parameters = at(load(), &["Parameters"]);
    let mut taken = 0;
    for setting in table::ALL {
        let name = match setting.name {
            "AWS_CA_BUNDLE" => "CaBundle".to_owned(),
            other => parameter(other),
        };
        if parameters.get(&name).is_some() {
            let stack = Stack::with(&[(&name, "chosen")]);
            let variables = stack.part(&["Globals", "Function", "Environment", "Variables"]);
            assert_eq!(variables[setting.name], "chosen", "{name}");
            taken += 1;
        } else {
            let by_the_template = setting.name == "TABLE_NAME" || setting.name.ends_with("_KEY_ID");
            assert!(by_the_template, "{} has no parameter", setting.name);
        }
    }
    assert!(taken > 30, "{taken} settings have a parameter");
}

#[test]
fn the_table_and_another_endpoint_are_told_to_the_functions() {
    for (url, expected) in [
        ("", None),
        ("http://127.0.0.1:4566", Some("http://127.0.0.1:4566")),
    ] {
        let stack = Stack::with(&[("AwsEndpointUrl", url)]);
        let variables = stack.part(&["Globals", "Function", "Environment", "Variables"]);
        assert_eq!(text(&variables["TABLE_NAME"]), "Table");
        // Even an empty one would turn the SDK from AWS.
        let told = variables.get("AWS_ENDPOINT_URL").map(text);
        assert_eq!(told.as_deref(), expected);
    }
}
