//! The operator's tool on an app's table.

use super::*;

/// The first line of `users list`.
pub const HEADER: &str = "user_id,email,phone_number,created_at,last_login_at,disabled,claims\n";

/// What one run of the tool left.
pub struct Ran {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

/// The tool on an app's table.
pub trait Admin {
    /// Runs a command line, with this standard input and the services at this address.
    async fn admin_at(&self, aws: SocketAddr, line: &str, stdin: &str) -> Ran;
    /// Runs a command line, with this standard input.
    async fn admin_reading(&self, line: &str, stdin: &str) -> Ran;
    /// Runs a command line.
    async fn admin(&self, line: &str) -> Ran;
    /// Runs a command line that must succeed.
    async fn admin_does(&self, line: &str);
    /// The lines of `users list`, without the header.
    async fn listed(&self) -> Vec<String>;
    /// Logs in by a fresh code: the user's id, and whether the user is new.
    async fn log_in_afresh(&self, to: &str) -> (String, bool);
    /// Brings a code back: the user's id, and whether the user is new.
    async fn redeem(&self, to: &str, id: &str, code: &str) -> (String, bool);
}

impl Admin for TestApp {
    async fn admin_at(&self, aws: SocketAddr, line: &str, stdin: &str) -> Ran {
        let (mut stdin, mut out, mut err) = (stdin.as_bytes(), Vec::new(), Vec::new());
        let mut io = Io {
            stdin: &mut stdin,
            stdout: &mut out,
            stderr: &mut err,
        };
        let group = if line.starts_with("sessions ") {
            ""
        } else {
            "users "
        };
        let args = format!("{group}{line}");
        let args = args.split_whitespace().map(OsString::from);
        let table = Some(self.settings.sessions.table_name.clone());
        let aws = async || clients(aws);
        let exit = run(args, table, aws, UnixTime::from_millis(self.now()), &mut io).await;
        Ran {
            exit,
            out: String::from_utf8(out).unwrap(),
            err: String::from_utf8(err).unwrap(),
        }
    }

    async fn admin_reading(&self, line: &str, stdin: &str) -> Ran {
        self.admin_at(self.operator.address, line, stdin).await
    }

    async fn admin(&self, line: &str) -> Ran {
        self.admin_reading(line, "").await
    }

    async fn admin_does(&self, line: &str) {
        let ran = self.admin(line).await;
        assert_eq!(ran.exit, Exit::Done, "{line}: {}", ran.err);
    }

    async fn log_in_afresh(&self, to: &str) -> (String, bool) {
        self.advance(Duration::from_millis(1));
        let (id, code) = self.receive_code(to).await;
        self.redeem(to, &id, &code).await
    }

    async fn redeem(&self, to: &str, id: &str, code: &str) -> (String, bool) {
        let answer = self.validate(to, Some(id), code).await;
        let json = answer.assert_ok();
        let user = json["user_id"].as_str().unwrap().to_owned();
        (user, json["new_user"].as_bool().unwrap())
    }

    async fn listed(&self) -> Vec<String> {
        let ran = self.admin("list").await;
        assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
        let lines = ran.out.strip_prefix(HEADER).expect("the header");
        lines.lines().map(str::to_owned).collect()
    }
}
