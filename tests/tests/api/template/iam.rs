//! What policies allow, decided as IAM does it.

use serde_json::Value;

use super::{items, text};

/// A request that somebody makes.
pub struct Request<'a> {
    /// Whose account it is; roles' own policies do not ask.
    pub account: &'a str,
    pub action: &'a str,
    pub resource: &'a str,
    pub context: Vec<(&'a str, Vec<&'a str>)>,
}

/// Whether the statements of a policy allow a request: one does, and none denies it.
pub fn allow(statements: &[Value], request: &Request<'_>) -> bool {
    let says = |effect: &str| {
        let mut those = statements.iter().filter(|one| one["Effect"] == effect);
        those.any(|statement| applies(statement, request))
    };
    let known = |one: &Value| one["Effect"] == "Allow" || one["Effect"] == "Deny";
    assert!(statements.iter().all(known), "an effect is unknown");
    says("Allow") && !says("Deny")
}

/// The statements of a policy's document.
pub fn statements(document: &Value) -> Vec<Value> {
    // An older version takes variables for text.
    assert_eq!(document["Version"], "2012-10-17");
    let statements = items(&document["Statement"]);
    let mut resources = statements.iter().flat_map(|one| items(&one["Resource"]));
    assert!(resources.all(|one| one != ""), "IAM refuses an empty ARN");
    statements.into_iter().cloned().collect()
}

fn applies(statement: &Value, request: &Request<'_>) -> bool {
    let members = statement.as_object().expect("a statement");
    let has =
        |name: &str| members.contains_key(name) || members.contains_key(&format!("Not{name}"));
    assert!(has("Action") && has("Resource"), "IAM refuses {statement}");
    members.iter().all(|(name, of)| {
        let any = |what: &str| items(of).iter().any(|one| is_like(&text(one), what));
        match name.as_str() {
            "Sid" | "Effect" => true,
            "Action" => any(request.action),
            "NotAction" => !any(request.action),
            "Resource" => any(request.resource),
            "NotResource" => !any(request.resource),
            "Principal" => items(&of["AWS"])
                .iter()
                .any(|one| is_like(&text(one), request.account)),
            "Condition" => {
                let mut all = of.as_object().expect("conditions").iter();
                all.all(|(operator, keys)| {
                    let mut keys = keys.as_object().expect("keys").iter();
                    keys.all(|(key, values)| holds(operator, key, values, request))
                })
            }
            other => panic!("a statement has {other}"),
        }
    })
}

fn holds(operator: &str, key: &str, values: &Value, request: &Request<'_>) -> bool {
    let (set, operator) = operator.split_once(':').unwrap_or(("", operator));
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let values: Vec<_> = items(values).into_iter().map(text).collect();
    let one = |found: &str| {
        let any = |is: &dyn Fn(&str) -> bool| values.iter().any(|value| is(value));
        match operator {
            "StringEquals" => any(&|value| value == found),
            "StringNotEquals" => !any(&|value| value == found),
            "StringEqualsIgnoreCase" => any(&|value| value.eq_ignore_ascii_case(found)),
            "StringNotEqualsIgnoreCase" => !any(&|value| value.eq_ignore_ascii_case(found)),
            "StringLike" | "ArnEquals" | "ArnLike" => any(&|value| is_like(value, found)),
            "StringNotLike" | "ArnNotEquals" => !any(&|value| is_like(value, found)),
            other => panic!("a condition asks {other}"),
        }
    };
    let found = request.context.iter().find(|(name, _)| *name == key);
    match (found, set) {
        (None, "") => if_exists || operator.contains("Not"),
        (None, set) => set == "ForAllValues",
        (Some((_, found)), "ForAllValues") => found.iter().all(|found| one(found)),
        (Some((_, found)), _) => found.iter().any(|found| one(found)),
    }
}

/// Whether a text is like a pattern, in which `*` stands for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.any(|at| is_like(rest, &text[at..]))
        }),
    }
}
