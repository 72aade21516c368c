//! Takes one guard away from the calls of the table: a part of a condition, a clause of an
//! update, a flag, an action of a transaction.
//!
//! | variable | effect |
//! |---|---|
//! | `OTP_SLIP` | the slip of this name happens in each call that knows it |
//! | `OTP_SLIP_REFUSED` | this file is written if the table cannot read such a call |
//! | `OTP_SLIPS_TO` | the slips that the calls know are added to this file: `thread \| slip` |
//!
//! A name shows the call, the action, and what is taken away, in brackets. Ids, times and
//! numbered placeholders have no place in it, so that it is the same in each run. The thread has
//! the name of its test, unless the test has several.
//! `tools/slips/wire` tries all of them.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::Write,
    sync::{LazyLock, Mutex},
    thread,
};

use serde_json::{Value, json};

use super::{
    Call,
    expression::{of_condition, of_list, of_update, replace_placeholders, split},
    http::{HttpMessage, header},
};

/// A call without one of its guards.
struct Slip {
    name: String,
    body: Value,
}

/// An operation without one of its guards, and how it is named.
type Changed = (String, Value);

/// A condition that always holds.
const ALWAYS: &str = "attribute_exists(pk) OR attribute_not_exists(pk)";

static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| variable("OTP_SLIP"));

static LIST: LazyLock<Option<Mutex<List>>> = LazyLock::new(|| {
    let path = variable("OTP_SLIPS_TO")?;
    let file = OpenOptions::new().create(true).append(true).open(path);
    Some(Mutex::new(List {
        file: file.expect("a file for the slips"),
        written: HashSet::new(),
        shapes: HashSet::new(),
    }))
});

struct List {
    file: File,
    written: HashSet<String>,
    /// The shapes of the calls whose slips are written.
    shapes: HashSet<String>,
}

impl List {
    fn add(&mut self, call: Call, body: &Value) {
        let thread = thread::current();
        let thread = thread.name().unwrap_or_default();
        let mut shape = format!("{thread} {call:?}");
        add_shape(body, &mut shape);
        if self.shapes.insert(shape) {
            for slip in slips(call, body, &|_| true) {
                let line = format!("{thread} | {}\n", slip.name);
                if self.written.insert(line.clone()) {
                    let written = self.file.write_all(line.as_bytes());
                    written.expect("the slip is written");
                }
            }
        }
    }
}

/// Adds whatever the names of slips depend on: the members and the expressions.
fn add_shape(value: &Value, shape: &mut String) {
    if let Some(members) = value.as_object() {
        for (name, value) in members {
            let text = value.as_str().filter(|_| name.ends_with("Expression"));
            shape.push_str(text.unwrap_or(&generalised(name)));
            add_shape(value, shape);
        }
    }
    value
        .as_array()
        .into_iter()
        .flatten()
        .for_each(|it| add_shape(it, shape));
}

#[expect(
    clippy::disallowed_methods,
    reason = "these variables are no settings of the service"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Lists the slips of a call, and lets the chosen one happen, if the environment asks for it.
/// Returns whether it happened.
pub fn happen(call: Call, request: &mut HttpMessage) -> bool {
    let target = header(&request.head, "x-amz-target");
    if !target.is_some_and(|target| target.starts_with("DynamoDB")) {
        return false;
    }
    let of_call = |name: &&String| name.starts_with(&format!("{call:?} "));
    let chosen = CHOSEN.as_ref().filter(of_call);
    if LIST.is_none() && chosen.is_none() {
        return false;
    }
    let body = serde_json::from_slice(&request.body).unwrap();
    if let Some(list) = &*LIST {
        list.lock().unwrap().add(call, &body);
    }
    let found = chosen.and_then(|chosen| slips(call, &body, &|name| name == chosen).pop());
    let happens = found.is_some();
    if let Some(slip) = found {
        request.set_body(slip.body.to_string().into_bytes());
    }
    happens
}

/// Says so if the table could not read a call because of the slip: no guard was tried then.
pub fn check_answer(answer: &HttpMessage) {
    let is_unread = String::from_utf8_lossy(&answer.body).contains("Validation");
    if !answer.is_ok()
        && is_unread
        && let Some(path) = variable("OTP_SLIP_REFUSED")
    {
        fs::write(path, &answer.body).expect("the answer is written");
    }
}

/// The slips of a call that have such a name.
fn slips(call: Call, body: &Value, is_wanted: &dyn Fn(&str) -> bool) -> Vec<Slip> {
    let mut found = Vec::new();
    let mut add = |changed: Vec<Changed>, put: &dyn Fn(&mut Value, Value)| {
        for (name, part) in changed {
            let name = format!("{call:?} {name}");
            if !is_wanted(&name) {
                continue;
            }
            // Actions of one name, such as the items of a user, have one slip.
            let nth = found.iter().position(|slip: &Slip| slip.name == name);
            let nth = nth.unwrap_or_else(|| {
                let body = body.clone();
                found.push(Slip { name, body });
                found.len() - 1
            });
            put(&mut found[nth].body, part);
        }
    };
    let flags = without_flags(body, &["ClientRequestToken"]);
    add(flags, &|body, part| *body = part);
    add(of_operation(body), &|body, part| *body = part);
    let actions = body["TransactItems"].as_array().into_iter().flatten();
    for (nth, action) in actions.enumerate() {
        add(of_action(action), &|body, part| {
            body["TransactItems"][nth] = part;
        });
    }
    for (table, keys) in body["RequestItems"].as_object().into_iter().flatten() {
        add(of_operation(keys), &|body, part| {
            body["RequestItems"][table] = part;
        });
    }
    found
}

/// The slips of one action of a transaction.
fn of_action(action: &Value) -> Vec<Changed> {
    let (verb, operation) = action.as_object().unwrap().iter().next().unwrap();
    let keys = operation.get("Key").unwrap_or(&operation["Item"]);
    let name = format!("{verb} {}", generalised(keys["sk"]["S"].as_str().unwrap()));
    let nothing = json!({
        "TableName": operation["TableName"],
        "Key": { "pk": keys["pk"], "sk": keys["sk"] },
    });
    let mut changed = vec![("[the action]".to_owned(), check(nothing))];
    changed.extend(
        of_operation(operation)
            .into_iter()
            .map(|(part, operation)| {
                let does_nothing = verb == "Update" && operation.get("UpdateExpression").is_none();
                let action = if does_nothing || verb == "ConditionCheck" {
                    check(operation)
                } else {
                    json!({ verb.as_str(): operation })
                };
                (part, action)
            }),
    );
    let named = |(part, action)| (format!("{name}: {part}"), action);
    changed.into_iter().map(named).collect()
}

/// An action that writes nothing; without a condition, it always holds.
fn check(mut operation: Value) -> Value {
    let condition = operation["ConditionExpression"].take();
    operation["ConditionExpression"] = if condition.is_null() {
        json!(ALWAYS)
    } else {
        condition
    };
    json!({ "ConditionCheck": operation })
}

/// The slips of one operation.
fn of_operation(operation: &Value) -> Vec<Changed> {
    let named = |text: &str| replace_placeholders(text, |name| placeholder(name, operation));
    let mut changed = without_flags(operation, &["ReturnValues", "ConsistentRead"]);
    // Without a condition, none fails.
    if operation.get("ConditionExpression").is_some() {
        let flag = "ReturnValuesOnConditionCheckFailure";
        changed.extend(without_flags(operation, &[flag]));
    }
    for (field, word) in [
        ("ConditionExpression", "if "),
        ("KeyConditionExpression", "where "),
        ("FilterExpression", "filter "),
        ("UpdateExpression", ""),
        ("ProjectionExpression", "only "),
    ] {
        let Some(text) = operation[field].as_str() else {
            continue;
        };
        let parts = match field {
            // The table demands the key of the partition, which comes first.
            "KeyConditionExpression" => of_condition(text, &named).split_off(1),
            "UpdateExpression" => of_update(text, &named),
            "ProjectionExpression" => of_list(&split(text, ", "), ", ", &named),
            _ => of_condition(text, &named),
        };
        // What numbered placeholders assemble has a source for each part.
        let is_assembled = has_numbered_placeholders(text);
        changed.extend(parts.into_iter().map(|without| {
            let mut operation = operation.clone();
            if without.left.is_empty() {
                operation.as_object_mut().unwrap().remove(field);
            } else {
                operation[field] = json!(without.left);
            }
            remove_unused(&mut operation);
            let name = if is_assembled {
                without.part
            } else {
                without.whole
            };
            (format!("{word}{name}"), operation)
        }));
    }
    changed.extend(without_members(operation, &named));
    changed
}

/// The slips of flags: each is as if it had not been asked for.
fn without_flags(operation: &Value, flags: &[&str]) -> Vec<Changed> {
    let asked = flags.iter().filter(|flag| operation.get(flag).is_some());
    let changed = asked.map(|flag| {
        let mut operation = operation.clone();
        operation.as_object_mut().unwrap().remove(*flag);
        (format!("[{flag}]"), operation)
    });
    changed.collect()
}

/// The slips of what is stored: an attribute of an item, a member of a map.
fn without_members(operation: &Value, named: &dyn Fn(&str) -> String) -> Vec<Changed> {
    let item = operation["Item"].as_object().into_iter().flatten();
    let item = item.map(|(name, _)| ("item".to_owned(), vec!["Item"], name));
    let values = operation["ExpressionAttributeValues"].as_object();
    let maps = values.into_iter().flatten().filter_map(|(value, it)| {
        let path = vec!["ExpressionAttributeValues", value, "M"];
        Some((value, path, it["M"].as_object()?))
    });
    let maps = maps.flat_map(|(value, path, map)| {
        map.keys()
            .map(move |name| (named(value), path.clone(), name))
    });
    let changed = item
        .chain(maps)
        .filter(|(_, _, name)| !["pk", "sk"].contains(&name.as_str()));
    let changed = changed.map(|(of, path, name)| {
        let mut operation = operation.clone();
        let map = path.iter().fold(&mut operation, |it, step| &mut it[*step]);
        map.as_object_mut().unwrap().remove(name);
        (format!("{of} with [{name}]"), operation)
    });
    changed.collect()
}

/// What no expression uses any longer, which the table would refuse.
fn remove_unused(operation: &mut Value) {
    let mut used = HashSet::new();
    for (field, text) in operation.as_object().unwrap() {
        if let Some(text) = text.as_str().filter(|_| field.ends_with("Expression")) {
            replace_placeholders(text, |name| {
                used.insert(name.to_owned());
                String::new()
            });
        }
    }
    for field in ["ExpressionAttributeNames", "ExpressionAttributeValues"] {
        let Some(defined) = operation[field].as_object_mut() else {
            operation.as_object_mut().unwrap().remove(field);
            continue;
        };
        defined.retain(|name, _| used.contains(name));
        if defined.is_empty() {
            operation.as_object_mut().unwrap().remove(field);
        }
    }
}

fn has_numbered_placeholders(text: &str) -> bool {
    let mut found = false;
    replace_placeholders(text, |name| {
        found |= name.ends_with(char::is_numeric);
        String::new()
    });
    found
}

/// A placeholder of an attribute becomes its name, and a numbered one of a value its letter.
fn placeholder(name: &str, operation: &Value) -> String {
    match operation["ExpressionAttributeNames"][name].as_str() {
        Some(attribute) => generalised(attribute),
        None => name.trim_end_matches(char::is_numeric).to_owned(),
    }
}

/// A name without what differs from item to item.
fn generalised(name: &str) -> String {
    let kind = name.split_once('#');
    kind.map_or_else(|| name.to_owned(), |(kind, _)| format!("{kind}#"))
}
