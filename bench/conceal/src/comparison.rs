//! Compares the answers and the times of two classes, and prints them.

use std::{collections::BTreeSet, process::ExitCode, time::Duration};

use crate::{
    population::{Class, Sample},
    stats::{RankTest, median, quantile},
};

/// Where times are padded, the medians of two classes may differ by this share of the known
/// users'. Where they are a few milliseconds, chance alone exceeds it, and only the ranks count.
const MAX_DIFFERENCE: f64 = 0.05;

/// By how much of it the answer of a login may differ from an admission that sends nothing.
const MAX_WAIT: f64 = 0.2;

/// A rank test with a smaller probability tells two classes apart.
const MIN_P: f64 = 0.01;

/// How far from one half the probability of a right guess may be.
const MAX_ADVANTAGE: f64 = 0.05;

/// The classes of one run, each compared with the known users.
pub struct Comparison {
    title: String,
    rows: Vec<Row>,
    /// Every different answer.
    answers: BTreeSet<String>,
}

struct Row {
    class: Class,
    /// Sorted.
    times: Vec<Duration>,
    /// None for the known users themselves.
    against_known: Option<Difference>,
}

struct Difference {
    /// The difference of the medians, as a share of the known users' median.
    medians: f64,
    ranks: RankTest,
}

impl Comparison {
    pub fn of(title: impl Into<String>, classes: &[Class], samples: &[Sample]) -> Self {
        let times = |class| {
            let own = samples.iter().filter(|sample| sample.class == class);
            let mut times: Vec<_> = own.map(|sample| sample.took).collect();
            times.sort_unstable();
            times
        };
        let known = times(Class::Known);
        let rows = classes.iter().map(|&class| {
            let times = times(class);
            let against_known = (class != Class::Known).then(|| Difference {
                medians: median(&times).div_duration_f64(median(&known)) - 1.0,
                ranks: RankTest::of(&known, &times),
            });
            Row {
                class,
                times,
                against_known,
            }
        });
        Self {
            title: title.into(),
            rows: rows.collect(),
            answers: samples.iter().map(|sample| sample.seen.clone()).collect(),
        }
    }

    fn differences(&self) -> impl Iterator<Item = (Class, &Difference)> {
        self.rows
            .iter()
            .filter_map(|row| Some((row.class, row.against_known.as_ref()?)))
    }

    /// The smallest delay of a class that this run would have shown.
    fn least_visible(&self) -> Duration {
        let known = self.rows.first().map_or(&[][..], |row| &row.times);
        let is_seen = |shift: &u64| {
            let later = known
                .iter()
                .map(|time| *time + Duration::from_micros(*shift));
            RankTest::of(known, &later.collect::<Vec<_>>()).p <= MIN_P
        };
        let shifts = (0..).map(|n| 10 * n);
        Duration::from_micros(shifts.take(1000).find(is_seen).unwrap_or(10_000))
    }
}

#[expect(clippy::print_stdout, reason = "this program prints its measurements")]
impl Comparison {
    fn print(&self) {
        println!("{}", self.title);
        println!(
            "{:<24} {:>4} {:>9} {:>9} {:>9} {:>9}   {:>9} {:>6} {:>7}",
            "times in ms", "n", "min", "median", "p90", "p99", "median", "AUC", "p"
        );
        for row in &self.rows {
            row.print();
        }
        println!(
            "different answers: {}; a class slower by {:.2} ms would have shown",
            self.answers.len(),
            millis(self.least_visible())
        );
        for answer in &self.answers {
            println!("  {answer}");
        }
        println!();
    }
}

#[expect(clippy::print_stdout, reason = "this program prints its measurements")]
impl Row {
    fn print(&self) {
        let q = |q| millis(quantile(&self.times, q));
        print!(
            "{:<24} {:>4} {:>9.3} {:>9.3} {:>9.3} {:>9.3}",
            self.class,
            self.times.len(),
            q(0.0),
            millis(median(&self.times)),
            q(0.9),
            q(0.99)
        );
        if let Some(Difference { medians, ranks }) = &self.against_known {
            let percent = medians * 100.0;
            print!("   {percent:>+8.3}% {:>6.3} {:>7.4}", ranks.auc, ranks.p);
        }
        println!();
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Every bound that was exceeded.
#[derive(Default)]
pub struct Verdict(Vec<String>);

impl Verdict {
    /// Fails when the answers or the times tell the classes apart.
    pub fn must_be_alike(&mut self, comparison: &Comparison, is_padded: bool) {
        comparison.print();
        let title = &comparison.title;
        if comparison.answers.len() > 1 {
            self.0.push(format!("{title}: the answers differ"));
        }
        for (class, Difference { medians, ranks }) in comparison.differences() {
            if is_padded && medians.abs() >= MAX_DIFFERENCE {
                self.0.push(format!("{title}: {class}: the medians differ"));
            }
            if ranks.p <= MIN_P || (ranks.auc - 0.5).abs() > MAX_ADVANTAGE {
                self.0.push(format!("{title}: {class}: the ranks differ"));
            }
        }
    }

    /// Fails when the medians differ by more than [`MAX_WAIT`].
    pub fn must_be_near(&mut self, comparison: &Comparison) {
        comparison.print();
        let title = &comparison.title;
        for (class, Difference { medians, .. }) in comparison.differences() {
            if medians.abs() > MAX_WAIT {
                self.0.push(format!("{title}: {class}: the medians differ"));
            }
        }
    }

    /// Fails when the times do not tell the classes apart: a method that never sees a difference
    /// shows nothing.
    pub fn must_differ(&mut self, comparison: &Comparison) {
        comparison.print();
        for (class, Difference { ranks, .. }) in comparison.differences() {
            if ranks.p > MIN_P || (ranks.auc - 0.5).abs() <= MAX_ADVANTAGE {
                let title = &comparison.title;
                self.0.push(format!("{title}: {class}: no difference seen"));
            }
        }
    }

    #[expect(clippy::print_stdout, reason = "this program prints its measurements")]
    /// Prints the verdict.
    pub fn announce(&self) -> ExitCode {
        for exceeded in &self.0 {
            println!("FAILED {exceeded}");
        }
        if self.0.is_empty() {
            println!("ok: no class can be told apart, except in the control");
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
