//! What a call of each function costs, in one version or in two beside each other.

use std::{fmt::Write, path::Path, time::Duration};

use crate::{
    Outcome,
    record::Record,
    story::Story,
    subject::{Instructions, Running, Subject},
};

/// The CPU time of a warm call is the least of this many averages: other load on the machine
/// only adds to it. The versions take turns.
const AVERAGES: usize = 30;

/// The calls of each average.
const CALLS: u32 = 20;

/// What one version of a function costs.
struct Costs {
    zip: u64,
    /// In KB.
    memory: u64,
    instructions: Instructions,
    cpu: Duration,
    calls: usize,
    trips: usize,
}

type Show = fn(&Costs) -> String;

const ROWS: [(&str, Show); 7] = [
    ("zip, MB", |it| mega(it.zip)),
    ("peak RSS, MB", |it| mega(it.memory * 1024)),
    ("init and first call, M instructions", |it| {
        mega(it.instructions.cold)
    }),
    ("warm call, M instructions", |it| mega(it.instructions.warm)),
    ("warm call, CPU ms", |it| {
        format!("{:.2}", it.cpu.as_secs_f64() * 1000.0)
    }),
    ("warm call, SDK calls", |it| it.calls.to_string()),
    ("warm call, round trips", |it| it.trips.to_string()),
];

/// The rows of a whole login: those of warm calls.
const WARM: &[(&str, Show)] = ROWS.split_at(3).1;

/// The table of the versions in these directories.
///
/// # Errors
///
/// A function cannot be measured.
pub async fn table(story: &Story, versions: &[(&str, &Path)]) -> Outcome<String> {
    let all = |of: fn(&Path) -> Subject| -> Vec<Subject> {
        versions.iter().map(|(_, path)| of(path)).collect()
    };
    let login = measure(story, all(Subject::login)).await?;
    let validate = measure(story, all(Subject::validate)).await?;
    let whole = login.iter().zip(&validate).map(|(a, b)| a.and(b)).collect();

    let mut text = "| |".to_owned();
    for (name, _) in versions {
        write!(text, " {name} |")?;
    }
    write!(text, "\n|---|{}", "---|".repeat(versions.len()))?;
    for (name, rows, costs) in [
        ("`login-with-otp`", &ROWS[..], login),
        ("`validate-otp`", &ROWS[..], validate),
        ("a whole login", WARM, whole),
    ] {
        for (what, show) in rows {
            let cells: Vec<String> = costs.iter().map(show).collect();
            write!(text, "\n| {name}: {what} | {} |", cells.join(" | "))?;
        }
    }
    Ok(text)
}

/// What one function costs in each version.
async fn measure(story: &Story, subjects: Vec<Subject>) -> Outcome<Vec<Costs>> {
    let mut running = Vec::new();
    for subject in &subjects {
        let mut started = subject.start(story).await?;
        started.call().await?;
        running.push((started, Duration::MAX));
    }
    for _ in 0..AVERAGES {
        for (running, least) in &mut running {
            *least = average(running).await?.min(*least);
        }
    }
    let mut costs = Vec::new();
    for (subject, (running, cpu)) in subjects.iter().zip(running) {
        let memory = running.function.peak_memory()?;
        running.function.end().await?;
        let record = Record::of(subject, story).await?;
        costs.push(Costs {
            zip: subject.zip()?,
            memory,
            instructions: subject.instructions(story).await?,
            cpu,
            calls: record.calls.later.split_whitespace().count(),
            trips: record.trips,
        });
    }
    Ok(costs)
}

/// The CPU time of a warm call, on average.
async fn average(running: &mut Running<'_>) -> Outcome<Duration> {
    let before = running.function.cpu_time()?;
    for _ in 0..CALLS {
        running.call().await?;
    }
    Ok(running.function.cpu_time()?.saturating_sub(before) / CALLS)
}

impl Costs {
    /// What both cost together.
    fn and(&self, other: &Self) -> Self {
        Self {
            zip: self.zip + other.zip,
            memory: self.memory + other.memory,
            instructions: Instructions {
                cold: self.instructions.cold + other.instructions.cold,
                warm: self.instructions.warm + other.instructions.warm,
            },
            cpu: self.cpu + other.cpu,
            calls: self.calls + other.calls,
            trips: self.trips + other.trips,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn mega(count: u64) -> String {
    format!("{:.2}", count as f64 / 1e6)
}
