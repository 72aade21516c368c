//! `template.yaml` and what is nested in it, as `CloudFormation` reads them: the one place where
//! tests open them.

#![expect(clippy::panic, reason = "a test that cannot go on panics")]

mod alarms;
mod api;
pub mod evaluator;
mod events;
mod functions;
mod iam;
mod kept;
mod parameters;
mod permissions;
mod reports;
mod stack;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

pub use self::{
    permissions::{LOGIN_AT_TABLE, SESSIONS, VALIDATE_AT_TABLE},
    stack::Stack,
};

/// The template, with each function in its long form: `!Ref A` is `{"Ref": "A"}`. The variable
/// `OTP_TEMPLATE` names another file: `tools/slips_template.py` asks what the tests say of it.
pub fn load() -> &'static Value {
    static TEMPLATE: LazyLock<Value> = LazyLock::new(|| read(&path()));
    &TEMPLATE
}

/// The template that this resource of `template.yaml` nests.
pub fn nested(resource: &str) -> &'static Value {
    static TEMPLATES: LazyLock<Map<String, Value>> = LazyLock::new(|| {
        let all = at(load(), &["Resources"]).as_object().unwrap().iter();
        let all = all.filter(|(_, of)| of["Type"] == NESTED);
        all.map(|(name, of)| {
            let url = at(of, &["Properties", "TemplateURL"]);
            (name.clone(), read(&path().with_file_name(text(url))))
        })
        .collect()
    });
    &TEMPLATES[resource]
}

/// The type of a nested stack.
const NESTED: &str = "AWS::CloudFormation::Stack";

fn path() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    env::var_os("OTP_TEMPLATE").map_or(own, Into::into)
}

fn read(path: &Path) -> Value {
    let source = fs::read_to_string(path).expect("the template can be read");
    let documents = Yaml::load_from_str(&source).expect("the template is YAML");
    plain(&documents[0])
}

fn plain(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(is)) => json!(is),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        Yaml::Mapping(members) => mapping(members.iter()),
        Yaml::Tagged(tag, inner) => {
            let name = match tag.suffix.as_str() {
                name @ ("Ref" | "Condition") => name.to_owned(),
                name => format!("Fn::{name}"),
            };
            json!({ name: plain(inner) })
        }
        other => panic!("the template has {other:?}"),
    }
}

/// A mapping. Its own members come before those that it merges by `<<`.
fn mapping<'a>(members: impl Iterator<Item = (&'a Yaml<'a>, &'a Yaml<'a>)>) -> Value {
    let mut all: Map<_, _> = members
        .map(|(name, value)| (text(&plain(name)), plain(value)))
        .collect();
    if let Some(Value::Object(merged)) = all.remove("<<") {
        for (name, value) in merged {
            all.entry(name).or_insert(value);
        }
    }
    Value::Object(all)
}

/// A text or a number, as text.
pub fn text(node: &Value) -> String {
    match node {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        other => panic!("neither a text nor a number: {other}"),
    }
}

/// The node below these keys.
pub fn at<'a>(node: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(node, |node, key| {
        let found = node.get(key);
        found.unwrap_or_else(|| panic!("the template has no {key} in {path:?}"))
    })
}

/// The items of a list; a value that stands for a list of one is that.
pub fn items(node: &Value) -> Vec<&Value> {
    match node {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// The number of a member.
pub fn number<T: std::str::FromStr>(node: &Value, name: &str) -> Option<T> {
    Some(text(node.get(name)?).parse().ok().expect("a number"))
}
