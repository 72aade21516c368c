//! The process of a function, started like in Lambda.

use std::{fs, process::Stdio, time::Duration};

use axum::body::Bytes;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::{Outcome, runtime_api::RuntimeApi};

/// The time limit of each step: longer than any step takes, even under valgrind.
const PATIENCE: Duration = Duration::from_mins(2);

/// A function that has started and is idle.
pub struct Function {
    api: RuntimeApi,
    child: Child,
    id: u32,
}

impl Function {
    /// Starts a function by this command.
    ///
    /// # Errors
    ///
    /// The program does not start, or is not idle in time.
    pub async fn start(mut command: Command, variables: &[(String, String)]) -> Outcome<Self> {
        let mut api = RuntimeApi::start().await?;
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin/:/bin")
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let child = command.spawn()?;
        let id = child.id().ok_or("the function has ended")?;
        timeout(PATIENCE, api.idle()).await??;
        Ok(Self { api, child, id })
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
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.id))? {
            // A thread that has just ended counts as zero.
            let stat = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            let first = stat.split_whitespace().next().unwrap_or("0");
            nanos += first.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
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
