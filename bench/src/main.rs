//! The cost of the functions, compared with a floor that only starts. `bench/run`
//! builds everything and runs this. docs/evidence/performance.md explains the figures.
//!
//! ```text
//! bench                 the whole table; fails if a limit is exceeded
//! bench instructions    instructions only; fails if they grew since the baseline
//! bench baseline        counts instructions, and writes the baseline
//! bench cpu             the CPU time of a warm call of each function
//! bench compare DIR     the costs beside those of the functions in DIR
//! bench syscalls        the system calls of a warm call of each function
//! bench serve N         serves N processes of each function (bench/load)
//! ```

mod baseline;
mod compare;
mod function;
mod record;
mod report;
mod runtime_api;
mod serve;
mod services;
mod story;
mod subject;
mod syscalls;
mod trips;

use std::process::ExitCode;

use report::Report;
use story::Story;

const USAGE: &str =
    "usage: bench [instructions | baseline | cpu | compare DIR | syscalls | serve N]";

/// The result of a step. The error is a sentence.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let mode = std::env::args().nth(1).unwrap_or_default();
    match measure(&mode).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn measure(mode: &str) -> Outcome<()> {
    let story = Story::start().await?;
    match mode {
        "" => {
            let report = Report::of(&story).await?;
            say(&report.text);
            if report.exceeded.is_empty() {
                return Ok(());
            }
            Err(format!("limits exceeded: {}", report.exceeded.join("; ")).into())
        }
        "instructions" => baseline::compare(&story).await,
        "baseline" => baseline::rewrite(&story).await,
        "cpu" => report::cpu(&story).await.map(|text| say(&text)),
        "compare" => {
            let directory = std::env::args().nth(2).ok_or(USAGE)?;
            let text = compare::compare(&story, directory.as_ref()).await?;
            say(&text);
            Ok(())
        }
        "syscalls" => syscalls::table(&story).await.map(|text| say(&text)),
        "serve" => {
            let processes = std::env::args().nth(2).unwrap_or_default();
            serve::serve(&story, processes.parse()?).await
        }
        _ => Err(USAGE.into()),
    }
}

#[expect(clippy::print_stdout, reason = "this program prints its results")]
fn say(text: &str) {
    println!("{text}");
}
