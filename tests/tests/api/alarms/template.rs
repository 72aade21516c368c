//! `template.yaml`, as far as the drill needs it.

use saphyr::{LoadableYamlNode, Scalar, Yaml};

const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// The template.
pub fn load() -> Yaml<'static> {
    let mut documents = Yaml::load_from_str(TEMPLATE).expect("the template is YAML");
    documents.remove(0)
}

/// The names and the properties of all resources of a type.
pub fn resources<'a>(template: &'a Yaml<'a>, of_type: &str) -> Vec<(String, &'a Yaml<'a>)> {
    let all = member(template, "Resources").expect("resources");
    let all = all.as_mapping().expect("a mapping");
    all.iter()
        .filter(|(_, resource)| member(resource, "Type").map(text).as_deref() == Some(of_type))
        .map(|(name, resource)| {
            let properties = member(resource, "Properties").expect("properties");
            (text(name), properties)
        })
        .collect()
}

/// The default of a parameter.
pub fn default(template: &Yaml<'_>, parameter: &str) -> String {
    let parameters = member(template, "Parameters").expect("parameters");
    let parameter = member(parameters, parameter).expect("the parameter");
    text(member(parameter, "Default").expect("a default"))
}

/// A member of a mapping. A tag such as `!If` does not hide its value.
pub fn member<'a>(node: &'a Yaml<'a>, name: &str) -> Option<&'a Yaml<'a>> {
    untagged(node).as_mapping_get(name)
}

pub fn untagged<'a>(node: &'a Yaml<'a>) -> &'a Yaml<'a> {
    match node {
        Yaml::Tagged(_, inner) => inner,
        other => other,
    }
}

/// A scalar as text, whatever its type.
pub fn text(node: &Yaml<'_>) -> String {
    match untagged(node) {
        Yaml::Value(Scalar::String(text)) => text.to_string(),
        Yaml::Value(Scalar::Integer(number)) => number.to_string(),
        Yaml::Value(Scalar::FloatingPoint(number)) => number.to_string(),
        _ => panic!("neither a text nor a number: {node:?}"),
    }
}

/// The number of a member.
pub fn number<T: std::str::FromStr>(node: &Yaml<'_>, name: &str) -> Option<T> {
    let text = text(member(node, name)?);
    Some(text.parse().ok().expect("a number"))
}
