//! Simulates crowds and pumping runs against the conversion guard, in simulated
//! time: `cargo run -p guard` prints what becomes of them, and draws docs/evidence/guard.svg.
//!
//! The rule is the one that ships, [`otp_domain::ConversionGuard::judge`]. The
//! counters do what the table does with its verdicts.

mod counters;
mod plot;
mod run;

use std::{fs, io, time::Duration};

use run::{Attack, CROWD, Outcome, Scenario};

const PLOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/evidence/guard.svg");

/// A run of which no code comes back, each second, for an hour.
const PUMPING: Attack = Attack {
    every: Duration::from_secs(1),
    lasting: Duration::from_hours(1),
};

/// An attack of twice the crowd's rate and more, inside the crowd's ten minutes.
const INSIDE: Attack = Attack {
    every: Duration::from_millis(500),
    lasting: Duration::from_mins(10),
};

/// The scenarios, by what they show.
const SCENARIOS: [(&str, Scenario); 6] = [
    (
        "crowd, new deployment",
        Scenario {
            days_before: 0,
            people: CROWD,
            attack: None,
        },
    ),
    (
        "crowd, 100 good logins a day before",
        Scenario {
            days_before: 3,
            people: CROWD,
            attack: None,
        },
    ),
    (
        "pumping, new deployment",
        Scenario {
            days_before: 0,
            people: 0,
            attack: Some(PUMPING),
        },
    ),
    (
        "pumping, 100 good logins a day before",
        Scenario {
            days_before: 3,
            people: 0,
            attack: Some(PUMPING),
        },
    ),
    (
        "attack in a crowd, new deployment",
        Scenario {
            days_before: 0,
            people: CROWD,
            attack: Some(INSIDE),
        },
    ),
    (
        "attack in a crowd, 100 good logins a day before",
        Scenario {
            days_before: 3,
            people: CROWD,
            attack: Some(INSIDE),
        },
    ),
];

#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn main() -> io::Result<()> {
    println!("{}", Outcome::HEADER);
    let mut shown = Vec::new();
    for (name, scenario) in SCENARIOS {
        let outcome = run::run(&scenario, 1);
        println!("{}", outcome.row(name));
        shown.push((name, outcome));
    }
    fs::write(PLOT, plot::svg(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Several seeds: no outcome hangs on one draw.
    fn outcomes(nth: usize) -> impl Iterator<Item = Outcome> {
        (0..20).map(move |seed| run::run(&SCENARIOS[nth].1, seed))
    }

    #[test]
    fn a_crowd_passes_after_seconds_at_a_new_deployment() {
        for outcome in outcomes(0) {
            assert_eq!(outcome.given_up(), 0);
            assert!(
                outcome.longest_wait() <= Duration::from_secs(30),
                "{:?}",
                outcome.longest_wait()
            );
        }
    }

    #[test]
    fn a_crowd_passes_at_once_where_codes_came_back_the_days_before() {
        for outcome in outcomes(1) {
            assert_eq!(outcome.refusals(), 0);
        }
    }

    #[test]
    fn a_pumping_run_ends_after_the_room_or_four_times_the_room() {
        for outcome in outcomes(2) {
            // The room, and what the rest of the hour forgives.
            assert!(
                (50..=54).contains(&outcome.attack_sent()),
                "{}",
                outcome.attack_sent()
            );
        }
        for outcome in outcomes(3) {
            assert!(
                outcome.attack_sent() <= 4 * 50 + 4,
                "{}",
                outcome.attack_sent()
            );
        }
    }

    #[test]
    fn an_attack_inside_a_crowd_costs_the_crowd_less_than_the_attacker() {
        for outcome in outcomes(4).chain(outcomes(5)) {
            let (crowd, attacker) = (outcome.crowd_lost(), outcome.attack_lost());
            assert!(2.0 * crowd < attacker, "{crowd} {attacker}");
        }
    }
}
