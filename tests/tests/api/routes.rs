//! The rows of `edge/route.rs`, and what is written down of them elsewhere.

use std::collections::BTreeSet;

use otp_edge::route::{Function, Route, Row, Throttle};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::json;

use crate::template::{Stack, at, items, text};

const DOCUMENT: &str = include_str!("../../../docs/openapi.yaml");
const WORKSPACE: &str = include_str!("../../../Cargo.toml");

fn rows() -> impl Iterator<Item = Row> {
    Route::ALL.iter().map(|route| route.row())
}

const fn program(function: Function) -> &'static str {
    match function {
        Function::Login => "login-with-otp",
        Function::Validate => "validate-otp",
    }
}

/// The methods and paths of rows, with what they share.
fn served<T: Ord>(of: impl Fn(Row) -> T) -> BTreeSet<T> {
    rows().map(of).collect()
}

#[test]
fn the_gateway_has_each_route_its_preflight_and_a_catch_all_for_its_function() {
    let api = Stack::full().part(&["Resources", "Api", "Properties"]);
    let paths = at(&api, &["DefinitionBody", "paths"]).as_object().unwrap();
    let found = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| {
            let uri = text(at(operation, &["x-amazon-apigateway-integration", "uri"]));
            let integration = json!({
                "responses": {},
                "x-amazon-apigateway-integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST", // of the call of Lambda, whatever the client's method
                    "uri": uri,
                },
            });
            assert_eq!(*operation, integration, "{method} {path}");
            (path.clone(), method.clone(), uri)
        })
    });
    let found: BTreeSet<_> = found.collect();
    let expected = rows().flat_map(|row| {
        let uri = format!(
            "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:\
             eu-west-1:123456789012:function:AWS::StackName-{}/invocations",
            program(row.function)
        );
        let methods = [
            &row.method.to_lowercase(),
            "options",
            "x-amazon-apigateway-any-method",
        ];
        methods.map(|method| (row.path.to_owned(), method.to_owned(), uri.clone()))
    });
    assert_eq!(found, expected.collect());
}

#[test]
fn the_gateway_has_the_rate_of_each_route_and_of_its_preflight() {
    let rates = [
        ("LoginRequestsPerSecond", "7"),
        ("ValidateRequestsPerSecond", "11"),
    ];
    let api = Stack::with(&rates).part(&["Resources", "Api", "Properties"]);
    let limit = |[path, method]: [&str; 2], [rate, burst]: [&str; 2]| {
        let path = format!("/{}", path.replace('/', "~1"));
        [path, method.to_owned(), rate.to_owned(), burst.to_owned()]
    };
    let expected = rows().flat_map(|row| {
        let rate = match row.throttle {
            Throttle::Logins => ["7", "7"],
            Throttle::Validations => ["11", "11"],
            Throttle::Documents => ["50", "100"],
        };
        // A page's preflights are as many as its requests.
        [row.method, "OPTIONS"].map(|method| limit([row.path, method], rate))
    });
    // All other methods together.
    let others = ["/*", "*", "5", "10"].map(str::to_owned);
    let expected: BTreeSet<_> = expected.chain([others]).collect();
    let found = items(&api["MethodSettings"]).into_iter().map(|limit| {
        let names = [
            "ResourcePath",
            "HttpMethod",
            "ThrottlingRateLimit",
            "ThrottlingBurstLimit",
        ];
        names.map(|name| text(&limit[name]))
    });
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}

#[test]
fn cargo_lambda_watch_sends_both_spellings_of_each_path_to_its_function() {
    let router = WORKSPACE
        .split("[workspace.metadata.lambda.watch.router]\n")
        .nth(1)
        .unwrap();
    let found: BTreeSet<_> = router.lines().take_while(|line| !line.is_empty()).collect();
    let expected = served(|row| {
        let (path, program) = (row.path, program(row.function));
        [path, &format!("{path}/")].map(|path| format!("\"{path}\" = \"{program}\""))
    });
    let expected: BTreeSet<_> = expected.iter().flatten().map(String::as_str).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_document_lists_exactly_the_routes_of_the_functions() {
    let document = &Yaml::load_from_str(DOCUMENT).expect("YAML")[0];
    let paths = document["paths"].as_mapping().expect("paths");
    let found = paths.iter().flat_map(|(path, operations)| {
        let operations = operations.as_mapping().expect("methods").iter();
        let path = path.as_str().expect("a path");
        operations.map(move |(method, _)| (path.to_owned(), method.as_str().unwrap().to_owned()))
    });
    let expected = served(|row| {
        // What OAuth fixes has no trailing slash.
        let slash = if row.path.starts_with("/api/") {
            "/"
        } else {
            ""
        };
        (format!("{}{slash}", row.path), row.method.to_lowercase())
    });
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}
