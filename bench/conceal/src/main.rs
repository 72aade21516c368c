//! `cargo run -p conceal`: whether a stranger can tell who has an account, by the answer to a login
//! and by the time that it takes.
//!
//! docs/evidence/concealment.md explains what is measured. Fails when a bound is exceeded.

mod comparison;
mod instance;
mod population;
mod stats;

use std::{error::Error, process::ExitCode, time::Duration};

use login_with_otp::LoginApi;
use tokio::runtime::Builder;

use crate::{
    comparison::{Comparison, Verdict},
    instance::{ROLE, second_requests},
    population::{CONCEAL, Class, Mode, OUTSIDE, Population, SAMPLES, SIGN_UP},
};

/// The time from one request to the next.
const PACE: Duration = Duration::from_millis(20);

/// What may happen to a destination under `conceal`.
const CLASSES: [Class; 5] = [
    Class::Known,
    Class::Unknown,
    Class::Disabled,
    Class::Refused,
    Class::Hanging,
];

fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    if std::env::args().nth(1).as_deref() == Some(ROLE) {
        // As the function's own `main` does.
        let function = Builder::new_current_thread().enable_all().build()?;
        function.block_on(otp_edge::serve::run::<LoginApi>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let measurements = Builder::new_multi_thread().enable_all().build()?;
    Ok(measurements.block_on(measure())?)
}

async fn measure() -> Result<ExitCode, String> {
    let mut verdict = Verdict::default();
    for mode in [CONCEAL, OUTSIDE] {
        concealed(&mut verdict, mode).await?;
        at_once(&mut verdict, mode).await?;
    }
    beside_sign_up(&mut verdict).await?;
    controls(&mut verdict).await?;
    Ok(verdict.announce())
}

fn told(mode: Mode) -> &'static str {
    if mode == OUTSIDE {
        "SIGN_UP_DOMAINS, outside the list"
    } else {
        "UNKNOWN_USERS=conceal"
    }
}

/// Logins that are concealed, then the same again, then wrong guesses at their codes.
async fn concealed(verdict: &mut Verdict, mode: Mode) -> Result<(), String> {
    let population = Population::start(mode, &CLASSES).await;
    let logins = population.logins(&CLASSES, PACE).await;
    population.check_messages(*SAMPLES, 2 * *SAMPLES).await?;
    let title = format!("Logins under {}", told(mode));
    verdict.must_be_alike(&Comparison::of(title, &CLASSES, &logins), false);

    let classes = &CLASSES[..3];
    let refused = population.logins(classes, PACE).await;
    let title = format!(
        "Second logins under {}, which the cooldown refuses",
        told(mode)
    );
    verdict.must_be_alike(&Comparison::of(title, classes, &refused), false);

    let guesses = population.wrong_guesses(&logins, classes, PACE).await;
    let title = format!("Wrong guesses at their codes under {}", told(mode));
    verdict.must_be_alike(&Comparison::of(title, classes, &guesses), false);
    Ok(())
}

/// Logins under `conceal` and logins under `sign-up` that send nothing, in turns: what the answer
/// waits for beside the admission.
async fn beside_sign_up(verdict: &mut Verdict) -> Result<(), String> {
    let concealed = Population::start(CONCEAL, &[Class::Known]).await;
    let open = Population::start(SIGN_UP, &[Class::Admitted]).await;
    let (mut logins, admissions) = tokio::join!(
        concealed.logins(&[Class::Known], 2 * PACE),
        open.logins(&[Class::Admitted], 2 * PACE),
    );
    concealed.check_messages(*SAMPLES, 0).await?;
    logins.extend(admissions);
    let title = "Answers under conceal, beside admissions under sign-up";
    let classes = [Class::Known, Class::Admitted];
    verdict.must_be_near(&Comparison::of(title, &classes, &logins));
    Ok(())
}

/// A login and, at once after its answer, the same again, on a process that answers one request
/// at a time.
async fn at_once(verdict: &mut Verdict, mode: Mode) -> Result<(), String> {
    let population = Population::start(mode, &CLASSES).await;
    let pairs = second_requests(&population, mode).await?;
    population.check_messages(*SAMPLES, 2 * *SAMPLES).await?;
    let title = format!(
        "A login and at once a second one, on one process, under {}",
        told(mode)
    );
    verdict.must_be_alike(&Comparison::of(title, &CLASSES, &pairs), true);
    Ok(())
}

/// Logins that conceal nothing. The same methods must tell them apart.
async fn controls(verdict: &mut Verdict) -> Result<(), String> {
    let classes = [Class::Known, Class::Disabled];
    let population = Population::start(SIGN_UP, &classes).await;
    let logins = population.logins(&classes, PACE).await;
    population.check_messages(*SAMPLES, 0).await?;
    let title = "Control: logins under UNKNOWN_USERS=sign-up";
    verdict.must_differ(&Comparison::of(title, &classes, &logins));

    let population = Population::start(SIGN_UP, &classes).await;
    let pairs = second_requests(&population, SIGN_UP).await?;
    population.check_messages(*SAMPLES, 0).await?;
    let title = "Control: two logins on one process, under UNKNOWN_USERS=sign-up";
    verdict.must_differ(&Comparison::of(title, &classes, &pairs));
    Ok(())
}
