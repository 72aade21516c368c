//! The programs that are measured.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    Outcome,
    function::{Function, Tool},
    story::{Story, calls_event},
};

/// Warm calls in one callgrind run: enough to even out their random differences.
const WARM_CALLS: u32 = 20;

/// Warm calls in one strace run: more, because connections and timers vary.
const TRACED_CALLS: u32 = 100;

/// A measured program, which also decides its requests.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The function `login-with-otp`.
    Login,
    /// The function `validate-otp`.
    Validate,
    /// The floor of `login-with-otp`.
    FloorLogin,
    /// The floor of `validate-otp`.
    FloorValidate,
    /// The floor that makes these SDK calls, one after the other.
    FloorCalls(Calls),
    /// A function of another version, whose binaries are in this directory.
    Other(Box<Self>, PathBuf),
}

/// The operations of SDK calls, with a space after each name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// The operations of a start and a first call.
    pub first: String,
    /// The operations of each later call.
    pub later: String,
}

/// The number of instructions in user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions {
    /// From the start to the end of the first call.
    pub cold: u64,
    /// Per later call.
    pub warm: u64,
}

impl Subject {
    /// The program's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Login => "login-with-otp",
            Self::Validate => "validate-otp",
            Self::FloorLogin => "floor-login",
            Self::FloorValidate => "floor-validate",
            Self::FloorCalls(_) => "floor-calls",
            Self::Other(function, _) => function.name(),
        }
    }

    /// The release binary.
    fn program(&self) -> PathBuf {
        if let Self::Other(function, directory) = self {
            return directory.join(function.name());
        }
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release");
        target.join(self.name())
    }

    /// The size of the binary and of its deployment package, in bytes.
    ///
    /// # Errors
    ///
    /// The binary or Python is missing.
    pub fn sizes(&self) -> Outcome<(u64, u64)> {
        let pack = "import sys, zipfile\n\
            with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as z:\n\
            \x20   z.write(sys.argv[2], 'bootstrap')";
        let package = self.program().with_extension("zip");
        let python = Command::new("python3")
            .args(["-c", pack])
            .args([&package, &self.program()])
            .status()?;
        if !python.success() {
            return Err("python3 did not pack the binary".into());
        }
        Ok((
            fs::metadata(self.program())?.len(),
            fs::metadata(package)?.len(),
        ))
    }

    /// Starts the program.
    ///
    /// # Errors
    ///
    /// The program does not start.
    pub async fn start(&self, story: &Story) -> Outcome<Function> {
        self.start_under(story, None).await
    }

    async fn start_under(&self, story: &Story, tool: Option<Tool<'_>>) -> Outcome<Function> {
        let mut function = Function::start(&self.program(), &story.variables(), tool).await?;
        if let Self::Other(of, directory) = self
            && matches!(**of, Self::Validate)
        {
            let login = Self::Other(Box::new(Self::Login), directory.clone());
            let variables = story.variables_unrecorded();
            let login = Function::start(&login.program(), &variables, None).await?;
            function.login = Some(Box::new(login));
        }
        Ok(function)
    }

    /// Sends the `nth` request, from 0, and checks that it succeeds.
    ///
    /// # Errors
    ///
    /// The request fails.
    pub async fn call(&self, function: &mut Function, story: &Story, nth: u32) -> Outcome<()> {
        let event = match &mut function.login {
            Some(login) => story.validate_event_by(login).await?,
            None => self.event(story, nth).await?,
        };
        let answer = function.invoke(event).await?;
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        if answer["statusCode"] == 200 {
            Ok(())
        } else {
            Err(format!("{} answered {}", self.name(), answer["statusCode"]).into())
        }
    }

    async fn event(&self, story: &Story, nth: u32) -> Outcome<String> {
        Ok(match self {
            Self::Login | Self::FloorLogin => story.login_event(),
            Self::Validate | Self::FloorValidate => story.validate_event().await?,
            Self::FloorCalls(calls) if nth == 0 => calls_event(&calls.first),
            Self::FloorCalls(calls) => calls_event(&calls.later),
            Self::Other(function, _) => Box::pin(function.event(story, nth)).await?,
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
        let counts = self.program().with_extension("callgrind");
        let mut function = self
            .start_under(story, Some(Tool::Callgrind(&counts)))
            .await?;
        for nth in 0..calls {
            self.call(&mut function, story, nth).await?;
        }
        function.end().await?;
        let text = fs::read_to_string(&counts)?;
        let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok(totals.ok_or("callgrind wrote no totals")?.trim().parse()?)
    }

    /// How often each system call is made per warm call, counted by strace in two
    /// runs like the instructions.
    ///
    /// # Errors
    ///
    /// strace is missing, or the program fails.
    pub async fn system_calls(&self, story: &Story) -> Outcome<BTreeMap<String, f64>> {
        let cold = self.trace(story, 1).await?;
        let mut more = self.trace(story, 1 + TRACED_CALLS).await?;
        for (name, count) in &mut more {
            let before = cold.get(name).copied().unwrap_or_default();
            *count = (*count - before) / f64::from(TRACED_CALLS);
        }
        Ok(more)
    }

    async fn trace(&self, story: &Story, calls: u32) -> Outcome<BTreeMap<String, f64>> {
        let counts = self.program().with_extension("strace");
        let tool = Some(Tool::Strace(&counts));
        let mut function = Function::start(&self.program(), &story.variables(), tool).await?;
        for nth in 0..calls {
            self.call(&mut function, story, nth).await?;
        }
        function.end().await?;
        // strace ends after the function.
        for _ in 0..50 {
            sleep(Duration::from_millis(100)).await;
            let text = fs::read_to_string(&counts)?;
            if text.contains("total") {
                let rows = text.lines().map(str::split_whitespace);
                return Ok(rows
                    .filter_map(|mut row| Some((row.next()?.to_owned(), row.next()?.parse().ok()?)))
                    .collect());
            }
        }
        Err("strace wrote no counts".into())
    }

    /// The CPU times of a start and of a first call over TLS, including
    /// handshakes.
    ///
    /// # Errors
    ///
    /// The program fails.
    pub async fn first_over_tls(&self, story: &Story) -> Outcome<(Duration, Duration)> {
        let variables = story.variables_over_tls();
        let mut function = Function::start(&self.program(), &variables, None).await?;
        self.call(&mut function, story, 0).await?;
        let first = function.cpu_time()?.saturating_sub(function.init_cpu);
        let init = function.init_cpu;
        function.end().await?;
        Ok((init, first))
    }

    /// How much of the CPU time of this many warm calls is the kernel's, in percent.
    ///
    /// # Errors
    ///
    /// The program fails.
    pub async fn kernel_percent(&self, story: &Story, calls: u32) -> Outcome<u64> {
        let mut function = self.start(story).await?;
        self.call(&mut function, story, 0).await?;
        let before = function.ticks()?;
        for nth in 0..calls {
            self.call(&mut function, story, 1 + nth).await?;
        }
        let after = function.ticks()?;
        function.end().await?;
        let (user, kernel) = (after.0 - before.0, after.1 - before.1);
        Ok(100 * kernel / (user + kernel).max(1))
    }

    /// The CPU time of a warm call, and the peak memory in KB after all calls. The
    /// time is the least of many short averages: other load on the machine only
    /// adds to it.
    ///
    /// # Errors
    ///
    /// The program fails.
    pub async fn warm(&self, story: &Story, averages: u32) -> Outcome<(Duration, u64)> {
        let mut function = self.start(story).await?;
        let mut least = Duration::MAX;
        for nth in 0..averages {
            let before = function.cpu_time()?;
            for call in 0..WARM_CALLS {
                self.call(&mut function, story, nth * WARM_CALLS + call)
                    .await?;
            }
            let spent = function.cpu_time()?.saturating_sub(before);
            least = least.min(spent / WARM_CALLS);
        }
        let memory = function.peak_memory()?;
        function.end().await?;
        Ok((least, memory))
    }
}
