//! The gate: the number of instructions may grow by at most [`TOLERANCE`].
//!
//! It compares ratios, not counts: the instructions of the function, divided by
//! those of a floor with the same SDK calls, on the same machine in the same run.
//! Another processor or C library changes both counts, but hardly the ratio. The
//! floor makes the calls in the baseline, so an additional call is growth, too.

use std::fs;

use serde_json::{Value, json};

use crate::{
    Outcome,
    record::Record,
    story::Story,
    subject::{Calls, Instructions, Subject},
};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.json");

/// The permitted growth of a ratio: a hundred times its variation between runs.
const TOLERANCE: f64 = 0.03;

/// Counts instructions, and compares them with the baseline.
///
/// # Errors
///
/// A function has grown, or cannot be measured.
pub async fn compare(story: &Story) -> Outcome<()> {
    let baseline: Value = serde_json::from_str(&fs::read_to_string(FILE)?)?;
    let mut grown = Vec::new();
    for subject in Subject::functions() {
        let entry = &baseline[subject.name];
        let calls =
            read_calls(entry).ok_or("baseline.json is malformed: run bench/run baseline")?;
        let now = measure(&subject, calls, story).await?;
        for part in ["cold", "warm"] {
            let before = ratio(entry, part).ok_or("a count is missing in baseline.json")?;
            let now = ratio(&now, part).ok_or("no instructions were counted")?;
            let growth = now / before - 1.0;
            let line = format!(
                "{} {part}: {now:.4} times the floor with the same calls, before {before:.4}: {:+.2} %",
                subject.name,
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

/// Counts instructions, and writes them as the new baseline.
///
/// # Errors
///
/// A function cannot be measured.
pub async fn rewrite(story: &Story) -> Outcome<()> {
    let mut baseline = json!({});
    for subject in Subject::functions() {
        let calls = Record::of(&subject, story).await?.calls;
        baseline[subject.name] = measure(&subject, calls, story).await?;
    }
    fs::write(FILE, format!("{baseline:#}\n"))?;
    Ok(())
}

async fn measure(subject: &Subject, calls: Calls, story: &Story) -> Outcome<Value> {
    let function = subject.instructions(story).await?;
    let floor = Subject::floor(calls.clone()).instructions(story).await?;
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
        for subject in Subject::functions() {
            let entry = &baseline[subject.name];
            let calls = read_calls(entry).unwrap();
            assert!(calls.first.ends_with(&calls.later) || calls.first.len() > calls.later.len());
            for part in ["cold", "warm"] {
                let ratio = ratio(entry, part).unwrap();
                assert!((0.1..10.0).contains(&ratio), "{ratio}");
            }
        }
    }
}
