//! Judges settings before a deployment does.

use std::{collections::HashMap, ffi::OsStr, fs};

use otp_domain::UnixTime;
use otp_edge::{mistakes::nearest, settings::Settings};
use otp_settings::table;
use serde_json::Value;

use crate::{error::Error, exit::Exit, io::Io};

/// The parameters are read in it.
const TEMPLATE: &str = include_str!("../../template.yaml");

/// Where a stack makes the value itself.
const MADE: &str = "made-by-the-stack";
const ISSUER: &str = "https://made-by-the-stack.example";

/// Judges the variables that `lookup` reads, or a file of parameters.
pub fn check(
    parameters: Option<&OsStr>,
    lookup: impl Fn(&str) -> Option<String>,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let (mistakes, warnings) = match parameters {
        None => judge(lookup, now),
        Some(file) => {
            let name = file.display().to_string();
            let text = fs::read_to_string(file).map_err(|error| Error::Stream(name, error))?;
            judge_parameters(&text, now)
        }
    };
    for line in mistakes.iter().chain(&warnings) {
        writeln!(io.stderr, "{line}")?;
    }
    if !mistakes.is_empty() {
        return Ok(Exit::Failed);
    }
    writeln!(io.stdout, "the settings are right")?;
    Ok(Exit::Done)
}

/// The mistakes, and what is probably not meant.
fn judge(lookup: impl Fn(&str) -> Option<String>, now: UnixTime) -> (Vec<String>, Vec<String>) {
    match Settings::from_lookup(lookup, now) {
        Ok(settings) => {
            let wrong = settings.login.as_ref().err().cloned();
            let mistakes = wrong.map_or_else(Vec::new, |error| error.mistakes().to_vec());
            let warned = settings.warnings(now);
            let warnings = warned.into_iter().map(String::from);
            (
                mistakes.clone(),
                warnings.filter(|_| mistakes.is_empty()).collect(),
            )
        }
        Err(error) => (error.mistakes().to_vec(), Vec::new()),
    }
}

fn judge_parameters(text: &str, now: UnixTime) -> (Vec<String>, Vec<String>) {
    let values = match read(text) {
        Ok(values) => values,
        Err(mistake) => return (vec![mistake], Vec::new()),
    };
    let known: Vec<_> = parameters().collect();
    let unknown = values.keys().filter(|name| !known.contains(&name.as_str()));
    let mut unknown: Vec<_> = unknown
        .map(|name| match nearest(name, &known) {
            Some(near) => format!("{name} is no parameter; did you mean {near}?"),
            None => format!("{name} is no parameter"),
        })
        .collect();
    unknown.sort_unstable();
    let lookup = |name: &str| {
        let made = match name {
            "TABLE_NAME" | "DIGEST_KEY_ID" | "SIGNING_KEY_ID" => Some(MADE),
            "TOKEN_ISSUER" => Some(ISSUER),
            _ => None,
        };
        let given = values
            .get(&parameter_of(name))
            .filter(|value| !value.is_empty());
        given.cloned().or_else(|| made.map(str::to_owned))
    };
    let (mistakes, warnings) = judge(lookup, now);
    let mistakes = unknown.into_iter().chain(mistakes).map(|text| named(&text));
    (
        mistakes.collect(),
        warnings.iter().map(|text| named(text)).collect(),
    )
}

/// The names of the template's parameters.
fn parameters() -> impl Iterator<Item = &'static str> {
    let lines = TEMPLATE
        .lines()
        .skip_while(|line| *line != "Parameters:")
        .skip(1);
    let section = lines.take_while(|line| line.is_empty() || line.starts_with([' ', '#']));
    section.filter_map(|line| {
        let (name, _) = line.strip_prefix("  ")?.split_once(':')?;
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric());
        is_name.then_some(name)
    })
}

/// The parameter of a variable: `OtpLength` of `OTP_LENGTH`.
pub fn parameter_of(variable: &str) -> String {
    let words = variable
        .split('_')
        .filter_map(|word| word.split_at_checked(1));
    words
        .map(|(first, rest)| first.to_owned() + &rest.to_ascii_lowercase())
        .collect()
}

/// The sentence with the names of parameters.
fn named(sentence: &str) -> String {
    let words = sentence.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .map(|word| {
            let name = word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let is_setting = table::ALL.iter().any(|setting| setting.name == name);
            if is_setting {
                word.replace(name, &parameter_of(name))
            } else {
                word.to_owned()
            }
        })
        .collect()
}

/// Reads the file: `CloudFormation`'s list or object, or lines of `Name=value`.
fn read(text: &str) -> Result<HashMap<String, String>, String> {
    if text.trim_start().starts_with(['[', '{']) {
        let json: Value =
            serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        return read_json(&json).ok_or_else(|| {
            "the file must be a list of ParameterKey and ParameterValue, or an object of names and \
             values"
                .to_owned()
        });
    }
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| format!("{line:?} is not Name=value"))?;
        let value = value.trim();
        let quoted = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        Ok((name.trim().to_owned(), quoted.unwrap_or(value).to_owned()))
    };
    lines.map(pair).collect()
}

fn read_json(json: &Value) -> Option<HashMap<String, String>> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match json {
        Value::Array(list) => list
            .iter()
            .map(|item| {
                Some((
                    text(item.get("ParameterKey")?)?,
                    text(item.get("ParameterValue")?)?,
                ))
            })
            .collect(),
        Value::Object(object) => match object.get("Parameters") {
            Some(inner) => read_json(inner),
            None => object
                .iter()
                .map(|(name, value)| Some((name.clone(), text(value)?)))
                .collect(),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_millis(1_800_000_000_000);

    fn mistakes(text: &str) -> Vec<String> {
        judge_parameters(text, NOW).0
    }

    #[test]
    fn each_wrong_parameter_is_named_at_once_in_every_form_of_the_file() {
        let expected = [
            "OtpLength must be",
            "DefaultLocale must be",
            "SmsPrefix is no parameter; did",
        ];
        for file in [
            "OtpLength=3\n# mine\n\nDefaultLocale = \"german\"\nSmsPrefix=US\nBrand=Example\nTokenAudience=api",
            r#"[{"ParameterKey": "OtpLength", "ParameterValue": "3"},
                {"ParameterKey": "DefaultLocale", "ParameterValue": "german"},
                {"ParameterKey": "SmsPrefix", "ParameterValue": "US"},
                {"ParameterKey": "Brand", "ParameterValue": "Example"},
                {"ParameterKey": "TokenAudience", "ParameterValue": "api"}]"#,
            r#"{"Parameters": {"OtpLength": 3, "DefaultLocale": "german", "SmsPrefix": "US",
                "Brand": "Example", "TokenAudience": "api"}}"#,
            r#"{"OtpLength": 3, "DefaultLocale": "german", "SmsPrefix": "US", "Brand": "Example", "TokenAudience": "api"}"#,
        ] {
            let told = mistakes(file);
            for sentence in expected {
                let found = told.iter().any(|line| line.starts_with(sentence));
                assert!(found, "{sentence}: {told:?}");
            }
            assert_eq!(told.len(), expected.len(), "{told:?}");
        }
    }

    #[test]
    fn what_the_stack_makes_may_be_left_out_and_what_it_alone_takes_is_known() {
        let file =
            "Brand=Example\nTokenAudience=api\nMemorySize=512\nTokenIssuer=\nDefaultLocale=de";
        assert_eq!(mistakes(file), [""; 0]);
        assert_eq!(mistakes("[1]").len(), 1);
        assert_eq!(mistakes("{").len(), 1);
        assert_eq!(mistakes("EmailFrom").len(), 1);
    }

    #[test]
    fn every_setting_that_a_parameter_sets_has_its_name() {
        let known: Vec<_> = parameters().collect();
        let set = table::ALL
            .iter()
            .filter(|setting| known.contains(&parameter_of(setting.name).as_str()));
        assert!(set.count() > 45 && known.contains(&"Architecture"));
    }

    #[test]
    fn the_variables_are_judged_as_the_functions_do() {
        let (told, _) = judge(|name| (name == "OTP_LENGTH").then(|| "x".to_owned()), NOW);
        for sentence in ["OTP_LENGTH must be", "TABLE_NAME is required"] {
            assert!(
                told.iter().any(|line| line.starts_with(sentence)),
                "{told:?}"
            );
        }
    }
}
