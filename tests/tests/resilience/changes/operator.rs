//! What an operator does to a user, by the operator's own tool.

use std::{ffi::OsString, net::SocketAddr};

use admin::{Exit, Io, run};
use local::aws::clients;
use otp_domain::UnixTime;
use tests::TestApp;
use tokio::{runtime::Handle, task::spawn_blocking};

/// What happens to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Disable,
    /// Disabled, and enabled again: the sessions are over.
    DisableAndEnable,
    Remove,
    /// Removed, and a new user has the destination.
    Replace,
    NewClaims,
}

impl Change {
    pub const ALL: [Self; 5] = [
        Self::Disable,
        Self::DisableAndEnable,
        Self::Remove,
        Self::Replace,
        Self::NewClaims,
    ];

    /// The commands of the operator.
    pub fn commands(self, to: &str) -> Vec<String> {
        let disable = format!("disable {to}");
        let remove = format!("remove {to}");
        match self {
            Self::Disable => vec![disable],
            Self::DisableAndEnable => vec![disable, format!("enable {to}")],
            Self::Remove => vec![remove],
            Self::Replace => vec![remove, add(to, "next")],
            Self::NewClaims => vec![set_claims(to, "changed")],
        }
    }

    /// The role that the destination's user has afterwards. The user before had `first`.
    pub const fn role(self) -> Option<&'static str> {
        match self {
            Self::Disable | Self::DisableAndEnable => Some("first"),
            Self::Remove => None,
            Self::Replace => Some("next"),
            Self::NewClaims => Some("changed"),
        }
    }

    /// Whether the user before is gone.
    pub const fn removes(self) -> bool {
        matches!(self, Self::Remove | Self::Replace)
    }

    /// Whether the sessions before are over.
    pub const fn ends_sessions(self) -> bool {
        !matches!(self, Self::NewClaims)
    }
}

/// The command that adds a user with a role.
pub fn add(to: &str, role: &str) -> String {
    format!(r#"add --email {to} --claims {{"role":"{role}"}}"#)
}

/// The command that sets a user's role.
pub fn set_claims(to: &str, role: &str) -> String {
    format!(r#"set {to} --claims {{"role":"{role}"}}"#)
}

/// The operator's tool, at the services or at a proxy before them.
#[derive(Clone)]
pub struct Operator {
    aws: SocketAddr,
    table: String,
    now: UnixTime,
}

impl Operator {
    /// An operator whose calls pass by the fault proxy.
    pub fn beside(app: &TestApp) -> Self {
        Self {
            aws: app.stack.aws,
            table: app.settings.sessions.table_name.clone(),
            now: UnixTime::from_millis(app.now()),
        }
    }

    /// An operator whose calls go through the fault proxy.
    pub fn through(app: &TestApp) -> Self {
        let aws = app.faults.address;
        Self {
            aws,
            ..Self::beside(app)
        }
    }

    /// Runs a command of the tool. Its streams cannot move to another thread.
    pub async fn run(self, line: String) -> Exit {
        let runtime = Handle::current();
        let ran = spawn_blocking(move || {
            let mut io = Io {
                stdin: &mut [].as_slice(),
                stdout: &mut Vec::new(),
                stderr: &mut Vec::new(),
            };
            let args = format!("users {line}");
            let args: Vec<_> = args.split_whitespace().map(OsString::from).collect();
            let aws = async || clients(self.aws);
            runtime.block_on(run(args, Some(self.table), aws, self.now, &mut io))
        });
        ran.await.expect("the tool does not panic")
    }
}
