//! What a warm login costs in two versions of the functions, in one run.

use std::{fmt::Write, path::Path, time::Duration};

use crate::{
    Outcome,
    story::Story,
    subject::{Instructions, Subject},
};

/// The CPU time of a call is the least of this many averages, taken in turns.
const AVERAGES: u32 = 30;

/// What one version of a function costs.
struct Costs {
    instructions: Instructions,
    cpu: Duration,
    calls: usize,
    write_units: f64,
    zip: u64,
}

/// The functions that stand beside those in `directory`, as a table.
///
/// # Errors
///
/// A function cannot be measured.
pub async fn compare(story: &Story, directory: &Path) -> Outcome<String> {
    let mut text = "| | before | after |\n|---|---|---|\n".to_owned();
    let mut whole = Vec::new();
    for subject in [Subject::Login, Subject::Validate] {
        let other = Subject::Other(Box::new(subject.clone()), directory.to_owned());
        let mut costs = [
            Costs::of(&other, story).await?,
            Costs::of(&subject, story).await?,
        ];
        for _ in 0..AVERAGES {
            for (costs, subject) in costs.iter_mut().zip([&other, &subject]) {
                costs.cpu = costs.cpu.min(subject.warm(story, 1).await?.0);
            }
        }
        for (what, show) in ROWS {
            let [before, after] = costs.each_ref().map(show);
            writeln!(text, "| {}: {what} | {before} | {after} |", subject.name())?;
        }
        whole.push(costs);
    }
    let [login, validation] = whole.as_slice() else {
        return Err("two functions are compared".into());
    };
    for (what, sum) in SUMS {
        let [before, after] = [0, 1].map(|nth| sum(&login[nth], &validation[nth]));
        writeln!(text, "| a whole login: {what} | {before} | {after} |")?;
    }
    Ok(text)
}

type Show = fn(&Costs) -> String;

const ROWS: [(&str, Show); 6] = [
    ("init and first call, M instructions", |it| {
        millions(it.instructions.cold)
    }),
    ("warm call, M instructions", |it| {
        millions(it.instructions.warm)
    }),
    ("warm call, CPU ms", |it| millis(it.cpu)),
    ("SDK calls", |it| it.calls.to_string()),
    ("write units", |it| it.write_units.to_string()),
    ("zip, MB", |it| millions(it.zip)),
];

type Sum = fn(&Costs, &Costs) -> String;

const SUMS: [(&str, Sum); 4] = [
    ("M instructions", |a, b| {
        millions(a.instructions.warm + b.instructions.warm)
    }),
    ("CPU ms", |a, b| millis(a.cpu + b.cpu)),
    ("SDK calls", |a, b| (a.calls + b.calls).to_string()),
    ("write units", |a, b| {
        (a.write_units + b.write_units).to_string()
    }),
];

impl Costs {
    async fn of(subject: &Subject, story: &Story) -> Outcome<Self> {
        let mut function = subject.start(story).await?;
        subject.call(&mut function, story, 0).await?;
        story.services.restart_with_units();
        subject.call(&mut function, story, 1).await?;
        let calls = story.services.calls();
        story.services.restart(Duration::ZERO);
        function.end().await?;
        Ok(Self {
            instructions: subject.instructions(story).await?,
            cpu: Duration::MAX,
            calls: calls.len(),
            write_units: calls.iter().map(|call| call.write_units).sum(),
            zip: subject.sizes()?.1,
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "the counts are small")]
fn millions(count: u64) -> String {
    format!("{:.2}", count as f64 / 1e6)
}

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}
