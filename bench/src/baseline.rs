//! The gate: instructions may not grow by more than chance.
//!
//! What is compared is not a count but its ratio to the floor that makes the same
//! SDK calls, measured on the same machine in the same run. Another processor or
//! C library changes both, and the ratio hardly. The calls are those that the
//! baseline names, so a call more is growth too.

use std::fs;

use serde_json::{Value, json};

use crate::{
    Outcome,
    record::Record,
    story::Story,
    subject::{Calls, Instructions, Subject},
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");

/// How much a ratio may grow: a hundred times what it varies by from run to run.
const TOLERANCE: f64 = 0.03;

/// Counts anew, and fails if a function has grown.
///
/// # Errors
///
/// One has, or cannot be measured.
pub async fn compare(story: &Story) -> Outcome<()> {
    let baseline: Value = serde_json::from_str(&fs::read_to_string(FILE)?)?;
    let mut grown = Vec::new();
    for subject in [Subject::Login, Subject::Validate] {
        let entry = &baseline[subject.name()];
        let calls = read_calls(entry).ok_or("the baseline is not what bench/run wrote")?;
        let now = measure(&subject, calls, story).await?;
        for part in ["cold", "warm"] {
            let before = ratio(entry, part).ok_or("the baseline lacks a number")?;
            let now = ratio(&now, part).ok_or("nothing was counted")?;
            let growth = now / before - 1.0;
            let line = format!(
                "{} {part}: {now:.4} times the floor with its calls, before {before:.4}: {:+.2} %",
                subject.name(),
                growth * 100.0
            );
            crate::say(&line);
            if growth > TOLERANCE {
                grown.push(line);
            }
        }
    }
    if grown.is_empty() {
        return Ok(());
    }
    Err(format!(
        "grown by more than {:.0} %: {}",
        TOLERANCE * 100.0,
        grown.join("; ")
    )
    .into())
}

/// Counts anew, and makes that what later runs compare with.
///
/// # Errors
///
/// A function cannot be measured.
pub async fn rewrite(story: &Story) -> Outcome<()> {
    let mut baseline = json!({});
    for subject in [Subject::Login, Subject::Validate] {
        let calls = Record::of(&subject, story).await?.calls;
        baseline[subject.name()] = measure(&subject, calls, story).await?;
    }
    fs::write(FILE, format!("{baseline:#}\n"))?;
    Ok(())
}

async fn measure(subject: &Subject, calls: Calls, story: &Story) -> Outcome<Value> {
    let function = subject.instructions(story).await?;
    let floor = Subject::FloorCalls(calls.clone())
        .instructions(story)
        .await?;
    let counts = |it: Instructions| json!({ "cold": it.cold, "warm": it.warm });
    Ok(json!({
        "calls": { "first": calls.first, "later": calls.later },
        "function": counts(function),
        "floor": counts(floor),
    }))
}

fn read_calls(entry: &Value) -> Option<Calls> {
    let read = |name: &str| Some(entry["calls"][name].as_str()?.to_owned());
    Some(Calls {
        first: read("first")?,
        later: read("later")?,
    })
}

fn ratio(entry: &Value, part: &str) -> Option<f64> {
    Some(entry["function"][part].as_f64()? / entry["floor"][part].as_f64()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_baseline_can_be_read() {
        let baseline: Value = serde_json::from_str(&fs::read_to_string(FILE).unwrap()).unwrap();
        for subject in [Subject::Login, Subject::Validate] {
            let entry = &baseline[subject.name()];
            let calls = read_calls(entry).unwrap();
            assert!(calls.first.ends_with(&calls.later) || calls.first.len() > calls.later.len());
            for part in ["cold", "warm"] {
                let ratio = ratio(entry, part).unwrap();
                assert!((0.1..10.0).contains(&ratio), "{ratio}");
            }
        }
    }
}
