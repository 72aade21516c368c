//! The stack that `CloudFormation` makes of the template and its parameters.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{NESTED, at, items, load, nested, text};

/// A stack. In it, a resource is known by its name in the template, and what it has by
/// `Name.Attribute`.
pub struct Stack {
    template: &'static Value,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// The stack with these parameters, and the defaults of all others.
    pub fn with(chosen: &[(&str, &str)]) -> Self {
        let all = at(load(), &["Parameters"]).as_object().unwrap();
        let default = |is: &Value| is.get("Default").map_or_else(String::new, text);
        let defaults = all.iter().map(|(name, is)| (name.clone(), default(is)));
        let mut parameters: BTreeMap<_, _> = defaults.collect();
        for (name, value) in chosen {
            let known = parameters.insert((*name).to_owned(), (*value).to_owned());
            assert!(known.is_some(), "there is no parameter {name}");
        }
        Self {
            template: load(),
            parameters,
        }
    }

    /// The stacks that are nested in this one, with what this one gives them.
    fn nested(&self) -> Vec<Self> {
        let mut all = self.section("Resources");
        all.retain(|_, resource| resource["Type"] == NESTED);
        let stack = |(name, resource): (String, Value)| {
            let given = resource["Properties"]["Parameters"].as_object().unwrap();
            let given = given.iter().map(|(name, is)| (name.clone(), text(is)));
            let nested = Self {
                template: nested(&name),
                parameters: given.collect(),
            };
            let takes = at(nested.template, &["Parameters"]).as_object().unwrap();
            assert!(nested.parameters.keys().eq(takes.keys()), "what is given");
            nested
        };
        all.into_iter().map(stack).collect()
    }

    /// The stack of a deployment that uses everything, both keys of each kind too.
    pub fn full() -> Self {
        Self::with(&[
            ("Brand", "Example"),
            ("EmailFrom", "login@example.com"),
            ("EmailTemplate", "login"),
            ("SmsPrefixes", "US"),
            (
                "PhoneWays",
                "sms,own=arn:aws:sns:eu-west-1:123456789012:codes",
            ),
            (
                "SenderKeyArns",
                "arn:aws:kms:eu-west-1:123456789012:key/sender",
            ),
            ("SigningKeys", "A,B"),
            ("DigestKeys", "A,B"),
            ("ConfigurationSet", "events"),
            ("SmsStatusLogs", "on"),
            ("AlarmEmail", "operator@example.com"),
            ("SmsMonthlyQuotaUsd", "100"),
            ("AllowedOrigins", "https://www.example.com"),
            (
                "WebAclArn",
                "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b",
            ),
            ("TokenAudience", "example"),
        ])
    }

    /// A part of the template as it is in this stack.
    pub fn part(&self, path: &[&str]) -> Value {
        let part = self.value(at(self.template, path));
        part.unwrap_or_else(|| panic!("this stack has no {path:?}"))
    }

    /// The members of `Resources` or `Outputs` that this stack has.
    pub fn section(&self, name: &str) -> Map<String, Value> {
        let all = at(self.template, &[name]).as_object().unwrap();
        let here = all.iter().filter(|(_, member)| self.is_here(member));
        here.filter_map(|(name, member)| Some((name.clone(), self.value(member)?)))
            .collect()
    }

    /// The resources of this stack and of the nested ones.
    pub fn all_resources(&self) -> Map<String, Value> {
        let mut all = self.section("Resources");
        let nested = self.nested().into_iter();
        for (name, resource) in nested.flat_map(|it| it.section("Resources")) {
            assert!(all.insert(name.clone(), resource).is_none(), "two {name}");
        }
        all
    }

    /// The names and the properties of the resources of a type.
    pub fn resources(&self, of_type: &str) -> Vec<(String, Value)> {
        let mut all = self.all_resources();
        all.retain(|_, resource| resource["Type"] == of_type);
        all.into_iter()
            .map(|(name, mut resource)| (name, resource["Properties"].take()))
            .collect()
    }

    /// Whether the rules of the template let these parameters pass.
    pub fn is_allowed(&self) -> bool {
        let rules = at(self.template, &["Rules"]).as_object().unwrap().values();
        let applies = |rule: &&Value| {
            rule.get("RuleCondition")
                .is_none_or(|when| self.is_true(when))
        };
        let each = rules.filter(applies);
        let mut asserted = each.flat_map(|rule| items(at(rule, &["Assertions"])));
        asserted.all(|one| self.is_true(at(one, &["Assert"])))
    }

    /// Whether a condition of the template holds.
    fn holds(&self, condition: &str) -> bool {
        self.is_true(at(self.template, &["Conditions", condition]))
    }

    fn is_here(&self, member: &Value) -> bool {
        member["Condition"]
            .as_str()
            .is_none_or(|name| self.holds(name))
    }

    fn is_true(&self, condition: &Value) -> bool {
        let (function, of) = condition.as_object().unwrap().iter().next().unwrap();
        let mut each = of.as_array().into_iter().flatten();
        match function.as_str() {
            "Condition" => self.holds(of.as_str().unwrap()),
            "Fn::Not" => !self.is_true(&of[0]),
            "Fn::And" => each.all(|one| self.is_true(one)),
            "Fn::Or" => each.any(|one| self.is_true(one)),
            "Fn::Equals" => self.value(&of[0]) == self.value(&of[1]),
            other => panic!("{other} is no condition"),
        }
    }

    /// What becomes of a node; nothing of `AWS::NoValue`.
    fn value(&self, node: &Value) -> Option<Value> {
        Some(match node {
            Value::Array(items) => items.iter().filter_map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                let one = members.iter().next().filter(|_| members.len() == 1);
                match one.map(|(name, of)| (name.as_str(), of)) {
                    Some(("Ref", name)) if name == "AWS::NoValue" => return None,
                    Some(("Ref" | "Fn::GetAtt", name)) => self.named(name.as_str().unwrap()),
                    Some(("Fn::Sub", text)) => json!(self.filled(text.as_str().unwrap())),
                    Some(("Fn::Split", of)) => {
                        let [by, whole] =
                            [&of[0], &of[1]].map(|one| text(&self.value(one).unwrap()));
                        whole.split(by.as_str()).collect()
                    }
                    Some(("Fn::Select", of)) => {
                        let list = self.value(&of[1])?;
                        list[usize::try_from(of[0].as_u64()?).ok()?].clone()
                    }
                    Some(("Fn::If", of)) => {
                        let holds = self.holds(of[0].as_str().unwrap());
                        return self.value(&of[if holds { 1 } else { 2 }]);
                    }
                    _ => {
                        let members = members.iter();
                        let values = members.map(|(name, of)| (name.clone(), self.value(of)));
                        values.filter_map(|(name, of)| Some((name, of?))).collect()
                    }
                }
            }
            other => other.clone(),
        })
    }

    /// What a name stands for: the value of a parameter, or itself.
    fn named(&self, name: &str) -> Value {
        if let Some(value) = self.parameters.get(name) {
            return json!(value);
        }
        let place = match name {
            "AWS::Partition" => "aws",
            "AWS::Region" => "eu-west-1",
            "AWS::AccountId" => "123456789012",
            "AWS::URLSuffix" => "amazonaws.com",
            other => other,
        };
        if !name.starts_with("AWS::") {
            let resource = name.split('.').next().unwrap();
            let resource = at(self.template, &["Resources", resource]);
            assert!(self.is_here(resource), "this stack has no {name}");
        }
        json!(place)
    }

    fn filled(&self, text: &str) -> String {
        let mut parts = text.split("${");
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').expect("a closed bracket");
            filled += &super::text(&self.named(name));
            filled += rest;
        }
        filled
    }
}
