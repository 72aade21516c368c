//! The process of a function, started like in Lambda.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use axum::body::Bytes;
use otp_service::ambient::Stopwatch;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{Outcome, runtime_api::RuntimeApi};

/// The time limit of each step: longer than any step takes, even under valgrind.
const PATIENCE: Duration = Duration::from_mins(2);

/// A tool that a function runs under, and the file for its counts.
#[derive(Clone, Copy, Debug)]
pub enum Tool<'a> {
    /// Counts instructions.
    Callgrind(&'a Path),
    /// Counts system calls.
    Strace(&'a Path),
}

impl Tool<'_> {
    fn runs(self, program: &Path) -> Command {
        let (name, options, counts) = match self {
            Self::Callgrind(counts) => (
                "valgrind",
                &["--tool=callgrind", "--quiet"][..],
                format!("--callgrind-out-file={}", counts.display()),
            ),
            // As a grandchild, so that the child is the function.
            Self::Strace(counts) => (
                "strace",
                &["-D", "-f", "-c", "--summary-columns=name,calls"][..],
                format!("--output={}", counts.display()),
            ),
        };
        let mut command = Command::new(name);
        command.args(options).arg(counts).arg(program);
        command
    }
}

/// A function that has started and is idle.
pub struct Function {
    api: RuntimeApi,
    child: Child,
    id: u32,
    /// The login function of the same version, if this function validates its codes.
    pub login: Option<Box<Self>>,
    /// The time from the start of the process to its first `next`.
    pub init: Duration,
    /// The CPU time until the first `next`.
    pub init_cpu: Duration,
}

impl Function {
    /// Starts `program`, under a tool if there is one.
    ///
    /// # Errors
    ///
    /// The program does not start, or is not idle in time.
    pub async fn start(
        program: &Path,
        variables: &[(String, String)],
        tool: Option<Tool<'_>>,
    ) -> Outcome<Self> {
        let mut api = RuntimeApi::start().await?;
        let mut command = tool.map_or_else(|| Command::new(program), |tool| tool.runs(program));
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin/:/bin")
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let started = Stopwatch::start();
        let child = command.spawn()?;
        let id = child.id().ok_or("the function has ended")?;
        timeout(PATIENCE, api.idle()).await??;
        let init = started.elapsed();
        let init_cpu = cpu_time(id)?;
        Ok(Self {
            api,
            child,
            id,
            login: None,
            init,
            init_cpu,
        })
    }

    /// The process id.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Sends an event, and waits until the function is idle again.
    ///
    /// # Errors
    ///
    /// The function answers with an error, or not in time.
    pub async fn invoke(&mut self, event: String) -> Outcome<Bytes> {
        timeout(PATIENCE, self.api.invoke(event)).await?
    }

    /// The CPU time of the process until now.
    ///
    /// # Errors
    ///
    /// The process has ended.
    pub fn cpu_time(&self) -> Outcome<Duration> {
        cpu_time(self.id)
    }

    /// The ticks of the clock that the process has spent in user space and in the
    /// kernel so far.
    ///
    /// # Errors
    ///
    /// The process has ended.
    pub fn ticks(&self) -> Outcome<(u64, u64)> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id))?;
        // The name of the program ends with the last parenthesis. Then proc(5) counts
        // from the third field; the times are the 14th and the 15th.
        let (_, fields) = stat.rsplit_once(')').ok_or("no name")?;
        let mut times = fields.split_whitespace().skip(11).map(str::parse);
        let mut next = || times.next().ok_or("no times");
        Ok((next()??, next()??))
    }

    /// The peak memory of the process, in KB.
    ///
    /// # Errors
    ///
    /// The process has ended.
    pub fn peak_memory(&self) -> Outcome<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no VmHWM")?.parse()?)
    }

    /// Ends the process as soon as it does nothing.
    ///
    /// # Errors
    ///
    /// The process has ended before, or does not end in time.
    pub async fn end(mut self) -> Outcome<()> {
        let mut before = self.cpu_time()?;
        loop {
            sleep(Duration::from_millis(30)).await;
            let now = self.cpu_time()?;
            if now == before {
                break;
            }
            before = now;
        }
        // SIGTERM, not SIGKILL: only then does callgrind write its counts.
        let kill = Command::new("kill").arg(self.id.to_string()).status();
        kill.await?;
        timeout(PATIENCE, self.child.wait()).await??;
        Ok(())
    }
}

fn cpu_time(id: u32) -> Outcome<Duration> {
    let tasks = fs::read_dir(format!("/proc/{id}/task"))?;
    let mut nanos = 0;
    for task in tasks {
        let path: PathBuf = task?.path().join("schedstat");
        // A thread that has just ended counts as zero.
        let stat = fs::read_to_string(path).unwrap_or_default();
        let first = stat.split_whitespace().next().unwrap_or("0");
        nanos += first.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
