//! `cargo run -p conceal`: whether a stranger can tell who has an account, by the answer to a login
//! and by the time that it takes.
//!
//! docs/conceal.md explains what is measured. Fails when a bound is exceeded.

mod comparison;
mod population;
mod stats;

use std::{error::Error, process::ExitCode, time::Duration};

use crate::{
    comparison::{Comparison, Verdict},
    population::{Class, Population, SAMPLES},
};

/// The pace of requests whose answers take two seconds. About 40 of them are in flight.
const PADDED_PACE: Duration = Duration::from_millis(50);

/// The pace of requests that are answered at once.
const PACE: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut verdict = Verdict::default();
    concealed(&mut verdict).await?;
    control(&mut verdict).await?;
    Ok(verdict.announce())
}

/// Logins under `conceal`, then the same again, then wrong guesses at their codes.
async fn concealed(verdict: &mut Verdict) -> Result<(), String> {
    let classes = [
        Class::Known,
        Class::Unknown,
        Class::Disabled,
        Class::Refused,
        Class::Hanging,
    ];
    let population = Population::start("conceal", &classes).await;
    let logins = population.logins(&classes, PADDED_PACE).await;
    population.check_messages(SAMPLES, 2 * SAMPLES)?;
    let title = "Logins under UNKNOWN_USERS=conceal";
    verdict.must_be_alike(&Comparison::of(title, &classes, &logins), true);

    let classes = &classes[..3];
    let refused = population.logins(classes, PACE).await;
    let title = "Second logins, which the cooldown refuses";
    verdict.must_be_alike(&Comparison::of(title, classes, &refused), false);

    let guesses = population.wrong_guesses(&logins, classes, PACE).await;
    let title = "Wrong guesses at their codes";
    verdict.must_be_alike(&Comparison::of(title, classes, &guesses), false);
    Ok(())
}

/// Logins that are not padded. The same method must tell them apart.
async fn control(verdict: &mut Verdict) -> Result<(), String> {
    let classes = [Class::Known, Class::Disabled];
    let population = Population::start("sign-up", &classes).await;
    let logins = population.logins(&classes, PACE).await;
    population.check_messages(SAMPLES, 0)?;
    let title = "Control: logins under UNKNOWN_USERS=sign-up, which are not padded";
    verdict.must_differ(&Comparison::of(title, &classes, &logins));
    Ok(())
}
