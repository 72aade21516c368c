//! One process of the function, which answers one request at a time. Whoever sends a second
//! request at once after the first learns how long the first kept the process busy.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use otp_service::ambient::Stopwatch;
use tests::{LOGIN, Program, destination};
use tokio::{process::Command, task::JoinSet};

use crate::population::{Class, Mode, Population, Sample};

/// The argument with which this program is the function.
pub const ROLE: &str = "function";

/// The processes at the same time. Most of their time, they wait.
const PROCESSES: usize = 60;

/// Logs in once with each destination, and sends the same again at once after the answer.
///
/// # Errors
///
/// This program's own path is unknown.
pub async fn second_requests(population: &Population, mode: Mode) -> Result<Vec<Sample>, String> {
    let path = std::env::current_exe().map_err(|error| error.to_string())?;
    let left = Arc::new(Mutex::new(VecDeque::from(population.shuffled())));
    let mut processes = JoinSet::new();
    for _ in 0..PROCESSES {
        let mut command = Command::new(&path);
        command.arg(ROLE);
        let mut program = Program::start(command, population.services(), &settings(mode));
        let left = Arc::clone(&left);
        processes.spawn(async move {
            // The start of the process is not measured.
            program.send("{}");
            program.answer().await;
            let mut samples = Vec::new();
            while let Some((class, to)) = next(&left) {
                samples.push(measure(&mut program, class, to).await);
            }
            program.end().await;
            samples
        });
    }
    Ok(processes.join_all().await.into_iter().flatten().collect())
}

fn settings(mode: Mode) -> [(&'static str, &'static str); 6] {
    [
        ("UNKNOWN_USERS", mode.0),
        ("SIGN_UP_DOMAINS", mode.1),
        ("CONVERSION_GUARD", "0"),
        ("EMAILS_PER_DAY", "1000000"),
        ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
        ("RESEND_COOLDOWN_SECONDS", "86400"),
    ]
}

fn next(left: &Mutex<VecDeque<(Class, String)>>) -> Option<(Class, String)> {
    let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
    left.pop_front()
}

/// The time from the first login, which the process is free to take, to the answer to the second.
async fn measure(program: &mut Program, class: Class, to: String) -> Sample {
    let event = Program::event(LOGIN, &destination(&to));
    let started = Stopwatch::start();
    program.send(&event);
    let first = program.answer().await;
    program.send(&event);
    let second = program.answer().await;
    Sample {
        class,
        to,
        took: started.elapsed(),
        seen: format!("{}, then {}", first["statusCode"], second["statusCode"]),
        challenge_id: String::new(),
    }
}
