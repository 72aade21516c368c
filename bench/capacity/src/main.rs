//! `cargo run -p capacity`: how many logins a second pass, and how long they take.

use std::{env, fs, process::ExitCode, time::Instant};

mod aws;
mod deployment;
mod latency;
mod load;
mod plot;
mod report;
mod table;

use load::{Channel, Load};
use report::{HEADER, Row};

/// The plot of docs/evidence/capacity.md, from the root of the repository.
const PLOT: &str = "docs/evidence/capacity.svg";

/// The figures of the code that stands, and those with at most three counters for each limit.
const NOW: &str = "bench/capacity/now.csv";
const BEFORE: &str = "bench/capacity/before.csv";

/// Logins a second, how many people log in, and how many runs there are. Which counter a login
/// picks comes from the operating system's entropy, so no two runs are the same. The last two
/// loads take minutes.
const LOADS: [(u32, u32, u64); 8] = [
    (1, 20, 3),
    (10, 50, 3),
    (30, 90, 3),
    (100, 200, 3),
    (300, 600, 3),
    (1000, 2000, 3),
    (3000, 3000, 1),
    (10_000, 5000, 1),
];

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "what it is for")]
fn main() -> ExitCode {
    let asked = env::args().nth(1);
    let done = match asked.as_deref() {
        None => simulate(None).and_then(|()| draw()),
        Some("plot") => draw(),
        Some("latency") => latency::table(),
        Some(word) => match word.parse::<u32>() {
            Ok(only) => simulate(Some(only)).and_then(|()| draw()),
            Err(_) => Err("takes nothing, a rate, `plot` or `latency`".to_owned()),
        },
    };
    match done {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("capacity: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what it is for")]
#[expect(
    clippy::disallowed_methods,
    reason = "how long the simulation itself runs"
)]
fn simulate(only: Option<u32>) -> Result<(), String> {
    let loads = LOADS.into_iter();
    let asked = loads.filter(|(rate, ..)| only.is_none_or(|only| only == *rate));
    let mut rows = read(NOW).unwrap_or_default();
    rows.retain(|row| asked.clone().all(|(rate, ..)| !row.is_at(rate)));
    println!("{HEADER}");
    for (rate, people, runs) in asked {
        for channel in [Channel::Email, Channel::Sms] {
            for seed in 1..=runs {
                let load = Load {
                    channel,
                    rate,
                    people,
                    seed,
                };
                let began = Instant::now();
                let row = Row::of(load, &mut load::play(load)?);
                println!("{} ({} s)", row.csv(), began.elapsed().as_secs());
                rows.push(row);
            }
        }
    }
    rows.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    let lines = rows.iter().map(Row::csv);
    let lines: Vec<String> = [HEADER.to_owned()].into_iter().chain(lines).collect();
    fs::write(NOW, lines.join("\n") + "\n").map_err(|error| error.to_string())
}

fn read(path: &str) -> Result<Vec<Row>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(text.lines().skip(1).filter_map(Row::parse).collect())
}

/// Draws the plot; returns the table of docs/evidence/capacity.md.
fn draw() -> Result<String, String> {
    let now = read(NOW)?;
    fs::write(PLOT, plot::svg(&read(BEFORE)?, &now)).map_err(|error| error.to_string())?;
    Ok(report::markdown(&now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(channel: Channel, rate: u32, people: u32) -> Row {
        let load = Load {
            channel,
            rate,
            people,
            seed: 1,
        };
        Row::of(load, &mut load::play(load).expect("a run"))
    }

    #[test]
    fn a_login_a_second_waits_for_the_services_alone() {
        for (channel, least) in [(Channel::Email, 48), (Channel::Sms, 68)] {
            let row = play(channel, 1, 20);
            assert!((row.logged_in - 100.0).abs() < 0.01, "{row:?}");
            assert!((least..=least + 8).contains(&row.login[0]), "{row:?}");
        }
    }

    #[test]
    fn the_table_of_waits_is_that_of_the_page() {
        let page = include_str!("../../../docs/evidence/performance.md");
        let table = latency::table().expect("a run");
        assert!(page.contains(&table), "{table}");
    }

    #[test]
    fn the_table_of_rates_is_that_of_the_page() {
        let page = include_str!("../../../docs/evidence/capacity.md");
        let rows = include_str!("../now.csv").lines().skip(1);
        let table = report::markdown(&rows.filter_map(Row::parse).collect::<Vec<_>>());
        assert!(page.contains(&table), "{table}");
    }
}
