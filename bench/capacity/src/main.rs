//! `cargo run -p capacity`: how many logins a second pass, and how long they take.

use std::{env, fs, process::ExitCode};

mod aws;
mod deployment;
mod latency;
mod load;
mod plot;
mod report;
mod table;

use load::{Channel, Load};
use report::{HEADER, Row};

/// The plot of docs/capacity.md, from the root of the repository.
const PLOT: &str = "docs/capacity.svg";

/// The figures of the code that stands, and of a trial with more counters.
const NOW: &str = "bench/capacity/now.csv";
const TRIAL: &str = "bench/capacity/trial.csv";

/// Logins a second, and how many people log in.
const LOADS: [(u32, u32); 6] = [
    (1, 20),
    (10, 50),
    (30, 90),
    (100, 200),
    (300, 300),
    (1000, 500),
];

const SEED: u64 = 1;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "what it is for")]
fn main() -> ExitCode {
    let wrote = |()| format!("wrote {PLOT}");
    let done = match env::args().nth(1).as_deref() {
        None => simulate().and_then(|()| draw()).map(wrote),
        Some("plot") => draw().map(wrote),
        Some("latency") => latency::table(),
        Some(_) => Err("takes nothing, `plot` or `latency`".to_owned()),
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
fn simulate() -> Result<(), String> {
    let mut table = format!("{HEADER}\n");
    println!("{HEADER}");
    for (rate, people) in LOADS {
        for channel in [Channel::Email, Channel::Sms] {
            let load = Load {
                channel,
                rate,
                people,
                seed: SEED,
            };
            let row = Row::of(load, &mut load::play(load)?).csv();
            println!("{row}");
            table = table + &row + "\n";
        }
    }
    fs::write(NOW, table).map_err(|error| error.to_string())
}

fn draw() -> Result<(), String> {
    let read = |path| {
        let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        Ok::<Vec<Row>, String>(text.lines().skip(1).filter_map(Row::parse).collect())
    };
    fs::write(PLOT, plot::svg(&read(NOW)?, &read(TRIAL)?)).map_err(|error| error.to_string())
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
        let page = include_str!("../../../docs/performance.md");
        let table = latency::table().expect("a run");
        assert!(page.contains(&table), "{table}");
    }
}
