//! The report: each function compared with its floor and its limits.

use std::{fmt::Write, time::Duration};

use crate::{
    Outcome,
    record::Record,
    story::Story,
    subject::{Instructions, Subject},
};

/// The number of starts, of which the report shows the median.
const STARTS: usize = 21;

/// The number of averages of warm calls, of which the report shows the least.
const AVERAGES: u32 = 30;

/// The calls over which the share of the kernel is measured, in ticks of 10 ms.
const KERNEL_CALLS: u32 = 3000;

/// The CPU time of a warm call of each function, as a table.
///
/// # Errors
///
/// A function cannot be measured.
pub async fn cpu(story: &Story) -> Outcome<String> {
    let mut text = "| warm call | CPU ms | in the kernel |\n|---|---|---|\n".to_owned();
    for subject in [Subject::Login, Subject::Validate] {
        let (least, _) = subject.warm(story, AVERAGES).await?;
        let kernel = subject.kernel_percent(story, KERNEL_CALLS).await?;
        let name = subject.name();
        writeln!(text, "| {name} | {:.3} | {kernel} % |", millis(least))?;
    }
    Ok(text)
}

/// The tables, and the limits that were exceeded.
#[derive(Default)]
pub struct Report {
    /// The tables in Markdown.
    pub text: String,
    /// The exceeded limits, each as a sentence.
    pub exceeded: Vec<String>,
    /// The CPU time of a whole login.
    cpu: Duration,
}

struct Costs {
    size: u64,
    zip: u64,
    init: Duration,
    init_cpu: Duration,
    cpu: Duration,
    memory: u64,
    instructions: Instructions,
}

impl Report {
    /// Measures both functions and their floors.
    ///
    /// # Errors
    ///
    /// A function cannot be measured.
    pub async fn of(story: &Story) -> Outcome<Self> {
        let mut report = Self::default();
        report
            .function(story, &Subject::Login, &Subject::FloorLogin, (2, 1))
            .await?;
        report
            .function(story, &Subject::Validate, &Subject::FloorValidate, (2, 1))
            .await?;
        report.calls(story).await?;
        let cpu = millis(report.cpu);
        report.limit("CPU of a whole login, in ms", cpu, 1.2);
        writeln!(
            report.text,
            "\nCPU of a whole login, both functions: {cpu:.2} ms"
        )?;
        Ok(report)
    }

    async fn function(
        &mut self,
        story: &Story,
        subject: &Subject,
        floor: &Subject,
        most: (usize, usize),
    ) -> Outcome<()> {
        let record = Record::of(subject, story).await?;
        let same_calls = Subject::FloorCalls(record.calls.clone());
        let measured = Measured {
            own: Costs::of(subject, story).await?,
            floor: Costs::of(floor, story).await?,
            with_calls: same_calls.instructions(story).await?,
            over_tls: first_over_tls(story, subject).await?,
            record,
        };
        self.cpu += measured.own.cpu;
        self.text.push_str(&measured.table(subject.name())?);
        self.judge(subject.name(), &measured, most);
        Ok(())
    }

    fn judge(&mut self, name: &str, measured: &Measured, most: (usize, usize)) {
        let Measured {
            own, with_calls, ..
        } = measured;
        let memory = mega(own.memory * 1024);
        let cold = ratio(own.instructions.cold, with_calls.cold);
        let warm = ratio(own.instructions.warm, with_calls.warm);
        for (what, value, limit) in [
            ("zip, in MB", mega(own.zip), 4.0),
            ("peak RSS, in MB", memory, 12.0),
            (
                "init and first call, in floors with the same calls",
                cold,
                1.25,
            ),
            ("warm call, in floors with the same calls", warm, 1.3),
        ] {
            self.limit(&format!("{name}: {what}"), value, limit);
        }
        self.limit_trips(name, &measured.record, most);
    }

    fn limit_trips(&mut self, name: &str, record: &Record, most: (usize, usize)) {
        if record.warm.table > most.0 || record.warm.other > most.1 {
            let trips = (record.warm.table, record.warm.other);
            self.exceeded
                .push(format!("{name}: round trips {trips:?}, at most {most:?}"));
        }
    }

    fn limit(&mut self, what: &str, value: f64, most: f64) {
        if value > most {
            self.exceeded
                .push(format!("{what}: {value:.2}, at most {most}"));
        }
    }

    /// The cost of one warm SDK call of each kind, without the floor.
    async fn calls(&mut self, story: &Story) -> Outcome<()> {
        let nothing = Subject::FloorCalls(crate::subject::Calls::default());
        let nothing = nothing.instructions(story).await?.warm;
        writeln!(
            self.text,
            "\n| one SDK call, warm | k instructions |\n|---|---|"
        )?;
        for call in [
            "GetItem",
            "UpdateItem",
            "TransactWriteItems",
            "Sign",
            "SendEmail",
            "Publish",
        ] {
            let calls = crate::subject::Calls {
                first: call.to_owned(),
                later: call.to_owned(),
            };
            let count = Subject::FloorCalls(calls).instructions(story).await?.warm;
            let count = mega(count.saturating_sub(nothing)) * 1000.0;
            writeln!(self.text, "| {call} | {count:.0} |")?;
        }
        Ok(())
    }
}

struct Measured {
    own: Costs,
    floor: Costs,
    with_calls: Instructions,
    over_tls: (Duration, Duration),
    record: Record,
}

impl Measured {
    fn table(&self, name: &str) -> Result<String, std::fmt::Error> {
        let Self { own, floor, .. } = self;
        let mut table = format!("\n| `{name}` | function | floor | ratio |\n|---|---|---|---|\n");
        let (counts, empty, with_calls) = (own.instructions, floor.instructions, self.with_calls);
        let bytes = |kilobytes: u64| kilobytes * 1024;
        for (what, own, floor) in [
            ("binary, MB", own.size, floor.size),
            ("zip, MB", own.zip, floor.zip),
            ("peak RSS, MB", bytes(own.memory), bytes(floor.memory)),
            ("init + first call, M instructions", counts.cold, empty.cold),
            (
                "… the floor with the same calls",
                counts.cold,
                with_calls.cold,
            ),
            ("warm call, M instructions", counts.warm, empty.warm),
            (
                "… the floor with the same calls",
                counts.warm,
                with_calls.warm,
            ),
        ] {
            let (own, floor, ratio) = (mega(own), mega(floor), ratio(own, floor));
            writeln!(table, "| {what} | {own:.2} | {floor:.2} | {ratio:.2} |")?;
        }
        for (what, own, floor) in [
            ("init, ms", own.init, floor.init),
            ("init, CPU ms", own.init_cpu, floor.init_cpu),
            ("warm call, CPU ms", own.cpu, floor.cpu),
        ] {
            let (own, floor) = (millis(own), millis(floor));
            writeln!(
                table,
                "| {what} | {own:.2} | {floor:.2} | {:.2} |",
                own / floor
            )?;
        }
        let (init, first) = (millis(self.over_tls.0), millis(self.over_tls.1));
        let Record {
            init: at_init,
            warm,
            calls,
        } = &self.record;
        let calls = calls.first.trim().replace(' ', ", ");
        write!(
            table,
            "| over TLS: init, CPU ms | {init:.2} | | |\n\
             | over TLS: first call, CPU ms | {first:.2} | | |\n\
             | round trips of a warm call, table + others | {} + {} | 0 + 0 | |\n\
             | round trips of the init, table + others | {} + {} | 0 + 0 | |\n\
             | calls of init and first call | {calls} | | |\n",
            warm.table, warm.other, at_init.table, at_init.other,
        )?;
        Ok(table)
    }
}

impl Costs {
    async fn of(subject: &Subject, story: &Story) -> Outcome<Self> {
        let (size, zip) = subject.sizes()?;
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            let function = subject.start(story).await?;
            starts.push((function.init, function.init_cpu));
            function.end().await?;
        }
        starts.sort();
        let init = starts[STARTS / 2].0;
        starts.sort_by_key(|(_, cpu)| *cpu);
        let (cpu, memory) = subject.warm(story, AVERAGES).await?;
        Ok(Self {
            size,
            zip,
            init,
            init_cpu: starts[STARTS / 2].1,
            cpu,
            memory,
            instructions: subject.instructions(story).await?,
        })
    }
}

/// The medians of the init and of the first call.
async fn first_over_tls(story: &Story, subject: &Subject) -> Outcome<(Duration, Duration)> {
    let (mut inits, mut firsts) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (init, first) = subject.first_over_tls(story).await?;
        inits.push(init);
        firsts.push(first);
    }
    inits.sort();
    firsts.sort();
    Ok((inits[STARTS / 2], firsts[STARTS / 2]))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn mega(count: u64) -> f64 {
    count as f64 / 1e6
}

fn ratio(function: u64, floor: u64) -> f64 {
    mega(function) / mega(floor)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
