//! The cost of the functions. `bench/run` builds everything and runs this;
//! docs/evidence/performance.md explains the figures.
//!
//! ```text
//! bench                 what a call of each function costs
//! bench compare DIR     the same, beside the functions in DIR
//! bench instructions    fails if the instructions grew since the baseline
//! bench baseline        counts instructions, and writes the baseline
//! bench serve N         serves N processes of each function (bench/load)
//! ```

mod baseline;
mod costs;
mod function;
mod record;
mod runtime_api;
mod serve;
mod services;
mod story;
mod subject;

use std::{path::Path, process::ExitCode};

use story::Story;

const USAGE: &str = "usage: bench [compare DIR | instructions | baseline | serve N]";

/// Where cargo puts what is measured.
const RELEASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release");

/// The result of a step. The error is a sentence.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match measure(&words).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn measure(words: &[&str]) -> Outcome<()> {
    let story = Story::start().await?;
    let now = ("now", Path::new(RELEASE));
    match words {
        [] => costs::table(&story, &[now]).await.map(|text| say(&text)),
        ["compare", directory] => {
            let before = ("before", Path::new(directory));
            let text = costs::table(&story, &[before, now]).await?;
            say(&text);
            Ok(())
        }
        ["instructions"] => baseline::compare(&story).await,
        ["baseline"] => baseline::rewrite(&story).await,
        ["serve", processes] => serve::serve(&story, processes.parse()?).await,
        _ => Err(USAGE.into()),
    }
}

#[expect(clippy::print_stdout, reason = "this program prints its results")]
fn say(text: &str) {
    println!("{text}");
}
