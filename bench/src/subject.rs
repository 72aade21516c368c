//! The programs that are measured.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    Outcome,
    function::Function,
    story::{Story, calls_event},
};

/// Warm calls in one callgrind run: enough that the chance in each evens out.
const WARM_CALLS: u32 = 20;

/// A program, and what it is asked.
#[derive(Clone, Debug)]
pub enum Subject {
    /// The function `login-with-otp`.
    Login,
    /// The function `validate-otp`.
    Validate,
    /// The floor under `login-with-otp`.
    FloorLogin,
    /// The floor under `validate-otp`.
    FloorValidate,
    /// The floor that makes the same SDK calls, one after the other.
    FloorCalls(Calls),
}

/// The operations of SDK calls, each name followed by a space.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// Those of a start and a first call.
    pub first: String,
    /// Those of each call after it.
    pub later: String,
}

/// Instructions, in user space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instructions {
    /// From the start to the end of the first call.
    pub cold: u64,
    /// Of each call after it.
    pub warm: u64,
}

impl Subject {
    /// The program's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Login => "login-with-otp",
            Self::Validate => "validate-otp",
            Self::FloorLogin => "floor-login",
            Self::FloorValidate => "floor-validate",
            Self::FloorCalls(_) => "floor-calls",
        }
    }

    /// The release binary.
    fn program(&self) -> PathBuf {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release");
        target.join(self.name())
    }

    /// The binary's size in bytes, and its size as a deployment package.
    ///
    /// # Errors
    ///
    /// There is none, or no Python to pack it.
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

    /// Starts it.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub async fn start(&self, story: &Story) -> Outcome<Function> {
        Function::start(&self.program(), &story.variables(), None).await
    }

    /// Asks it for the `nth` time, from 0, and looks that it did what it was asked.
    ///
    /// # Errors
    ///
    /// It did not.
    pub async fn call(&self, function: &mut Function, story: &Story, nth: u32) -> Outcome<()> {
        let event = match self {
            Self::Login | Self::FloorLogin => story.login_event(),
            Self::Validate | Self::FloorValidate => story.validate_event().await?,
            Self::FloorCalls(calls) if nth == 0 => calls_event(&calls.first),
            Self::FloorCalls(calls) => calls_event(&calls.later),
        };
        let answer = function.invoke(event).await?;
        let answer: serde_json::Value = serde_json::from_slice(&answer)?;
        if answer["statusCode"] == 200 {
            Ok(())
        } else {
            Err(format!("{} answered {}", self.name(), answer["statusCode"]).into())
        }
    }

    /// Counts instructions by callgrind, in two runs: one ends after the first
    /// call, the other goes on.
    ///
    /// # Errors
    ///
    /// There is no valgrind, or the program fails.
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
        let mut function =
            Function::start(&self.program(), &story.variables(), Some(&counts)).await?;
        for nth in 0..calls {
            self.call(&mut function, story, nth).await?;
        }
        function.end().await?;
        let text = fs::read_to_string(&counts)?;
        let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok(totals.ok_or("callgrind wrote no totals")?.trim().parse()?)
    }

    /// What a start and a first call take of a processor over TLS, handshakes
    /// included.
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

    /// What a warm call takes of a processor, and the most memory in KB after all
    /// of them. The time is the least of many short averages: what is above it,
    /// neighbours on the machine have added.
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
