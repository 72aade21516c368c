//! The programs that are measured.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
};

use tokio::process::Command;

use crate::{Outcome, RELEASE, function::Function, story::Story};

/// Warm calls in one callgrind run: enough to even out their random differences.
const WARM_CALLS: u32 = 20;

/// The function that requests codes.
const LOGIN: &str = "login-with-otp";

/// A measured program, with its requests.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The program's name.
    pub name: &'static str,
    directory: PathBuf,
    requests: Requests,
}

#[derive(Clone, Debug)]
enum Requests {
    Logins,
    /// Of codes that a login function of the same version sends.
    Validations,
    /// SDK calls, one after the other.
    Calls(Calls),
}

/// The operations of SDK calls, with a space after each name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// The operations of a start and a first call.
    pub first: String,
    /// The operations of each later call.
    pub later: String,
}

/// The number of instructions in user space.
#[derive(Clone, Copy, Debug)]
pub struct Instructions {
    /// From the start to the end of the first call.
    pub cold: u64,
    /// Per later call.
    pub warm: u64,
}

/// A subject that has started.
pub struct Running<'a> {
    /// Its process.
    pub function: Function,
    login: Option<Function>,
    subject: &'a Subject,
    story: &'a Story,
    is_warm: bool,
}

impl Subject {
    /// The function `login-with-otp` in this directory.
    #[must_use]
    pub fn login(directory: &Path) -> Self {
        Self::of(LOGIN, directory, Requests::Logins)
    }

    /// The function `validate-otp` in this directory.
    #[must_use]
    pub fn validate(directory: &Path) -> Self {
        Self::of("validate-otp", directory, Requests::Validations)
    }

    /// Both functions, as cargo builds them.
    #[must_use]
    pub fn functions() -> [Self; 2] {
        let release = Path::new(RELEASE);
        [Self::login(release), Self::validate(release)]
    }

    /// The floor that makes these SDK calls and does nothing else.
    #[must_use]
    pub fn floor(calls: Calls) -> Self {
        Self::of("floor", Path::new(RELEASE), Requests::Calls(calls))
    }

    fn of(name: &'static str, directory: &Path, requests: Requests) -> Self {
        Self {
            name,
            directory: directory.to_owned(),
            requests,
        }
    }

    fn program(&self) -> PathBuf {
        self.directory.join(self.name)
    }

    /// The size of the deployment package, in bytes.
    ///
    /// # Errors
    ///
    /// The binary or Python is missing.
    pub fn zip(&self) -> Outcome<u64> {
        let pack = "import sys, zipfile\n\
            with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as z:\n\
            \x20   z.write(sys.argv[2], 'bootstrap')";
        let package = Path::new(RELEASE).join(self.name).with_extension("zip");
        let python = process::Command::new("python3")
            .args(["-c", pack])
            .args([&package, &self.program()])
            .status()?;
        if !python.success() {
            return Err("python3 did not pack the binary".into());
        }
        Ok(fs::metadata(package)?.len())
    }

    /// Starts the program.
    ///
    /// # Errors
    ///
    /// The program does not start.
    pub async fn start<'a>(&'a self, story: &'a Story) -> Outcome<Running<'a>> {
        self.start_by(Command::new(self.program()), story).await
    }

    async fn start_by<'a>(&'a self, command: Command, story: &'a Story) -> Outcome<Running<'a>> {
        let login = if matches!(self.requests, Requests::Validations) {
            let program = Command::new(self.directory.join(LOGIN));
            Some(Function::start(program, &story.variables_unrecorded()).await?)
        } else {
            None
        };
        Ok(Running {
            function: Function::start(command, &story.variables()).await?,
            login,
            subject: self,
            story,
            is_warm: false,
        })
    }

    /// Counts instructions with callgrind, in two runs: one ends after the first
    /// call, the other continues.
    ///
    /// # Errors
    ///
    /// Valgrind is missing, or the program fails.
    pub async fn instructions(&self, story: &Story) -> Outcome<Instructions> {
        let cold = self.count(story, 1).await?;
        let more = self.count(story, 1 + WARM_CALLS).await?;
        Ok(Instructions {
            cold,
            warm: more.saturating_sub(cold) / u64::from(WARM_CALLS),
        })
    }

    async fn count(&self, story: &Story, calls: u32) -> Outcome<u64> {
        let counts = Path::new(RELEASE)
            .join(self.name)
            .with_extension("callgrind");
        let mut valgrind = Command::new("valgrind");
        valgrind
            .args(["--tool=callgrind", "--quiet"])
            .arg(format!("--callgrind-out-file={}", counts.display()))
            .arg(self.program());
        let mut running = self.start_by(valgrind, story).await?;
        for _ in 0..calls {
            running.call().await?;
        }
        running.function.end().await?;
        let text = fs::read_to_string(&counts)?;
        let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok(totals.ok_or("callgrind wrote no totals")?.trim().parse()?)
    }
}

impl Running<'_> {
    /// Sends the next request, and checks that it succeeds.
    ///
    /// # Errors
    ///
    /// The request fails.
    pub async fn call(&mut self) -> Outcome<()> {
        let event = match (&self.subject.requests, &mut self.login) {
            (Requests::Calls(calls), _) if self.is_warm => Story::calls_event(&calls.later)?,
            (Requests::Calls(calls), _) => Story::calls_event(&calls.first)?,
            (_, Some(login)) => self.story.validate_event(login).await?,
            (_, None) => self.story.login_event()?,
        };
        self.is_warm = true;
        let answer = self.function.invoke(event).await?;
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        if answer["statusCode"] == 200 {
            return Ok(());
        }
        Err(format!("{} answered {}", self.subject.name, answer["statusCode"]).into())
    }
}
