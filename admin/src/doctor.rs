//! Asks the account what would keep a code from arriving or a login from ending.
//!
//! ```text
//! examine -> table, keys: account.rs
//!            e-mail, text messages: sending.rs
//! ```

mod account;
mod sending;

use std::fmt::Write as _;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use otp_service::aws::Aws;
use serde_json::json;

use crate::{error::Error, exit::Exit, io::Io};

/// What one question found out.
struct Finding {
    check: &'static str,
    verdict: Verdict,
    says: String,
    /// What to do about it.
    mend: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    Wrong,
    /// The account did not answer the question.
    Unknown,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Wrong => "wrong",
            Self::Unknown => "unknown",
        }
    }
}

/// The questions and what they found out.
struct Doctor<'a, L> {
    aws: &'a Aws,
    /// The variables of the functions.
    lookup: L,
    findings: Vec<Finding>,
}

impl<L: Fn(&str) -> Option<String>> Doctor<'_, L> {
    fn setting(&self, name: &str) -> Option<String> {
        (self.lookup)(name).filter(|value| !value.trim().is_empty())
    }

    fn well(&mut self, check: &'static str, says: impl Into<String>) {
        self.note(check, Verdict::Well, says.into(), String::new());
    }

    fn wrong(&mut self, check: &'static str, says: impl Into<String>, mend: impl Into<String>) {
        self.note(check, Verdict::Wrong, says.into(), mend.into());
    }

    /// An answer that is well or wrong.
    fn judge(
        &mut self,
        check: &'static str,
        is_well: bool,
        says: [&str; 2],
        mend: impl Into<String>,
    ) {
        let [well, wrong] = says;
        if is_well {
            self.well(check, well);
        } else {
            self.wrong(check, wrong, mend);
        }
    }

    /// A call that failed. `action` is what the caller may lack the permission for.
    fn unknown(&mut self, check: &'static str, action: &str, error: &impl ProvideErrorMetadata) {
        let (says, mend) = match error.code() {
            Some(code) if code.contains("AccessDenied") => (
                code.to_owned(),
                format!("allow {action} to whoever runs this"),
            ),
            Some(code) => (format!("{action} answers {code}"), String::new()),
            None => (
                format!("{action} does not answer"),
                "check the region, the credentials and the endpoint".to_owned(),
            ),
        };
        self.note(check, Verdict::Unknown, says, mend);
    }

    fn note(&mut self, check: &'static str, verdict: Verdict, says: String, mend: String) {
        self.findings.push(Finding {
            check,
            verdict,
            says,
            mend,
        });
    }
}

/// Examines the account of a deployment, whose settings `lookup` reads as the functions name
/// them, and prints what it finds out. It is done only if all is well.
///
/// # Errors
///
/// The output cannot be written.
pub async fn examine(
    lookup: impl Fn(&str) -> Option<String>,
    is_json: bool,
    aws: &Aws,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let mut doctor = Doctor {
        aws,
        lookup,
        findings: Vec::new(),
    };
    doctor.table().await;
    doctor.keys().await;
    doctor.sending().await;
    let findings = doctor.findings;
    let printed = if is_json {
        machine(&findings)
    } else {
        person(&findings)
    };
    io.stdout.write_all(printed.as_bytes())?;
    let is_well = findings.iter().all(|one| one.verdict == Verdict::Well);
    Ok(if is_well { Exit::Done } else { Exit::Failed })
}

fn machine(findings: &[Finding]) -> String {
    let all = findings.iter().map(|one| {
        json!({
            "check": one.check,
            "state": one.verdict.word(),
            "says": one.says,
            "mend": one.mend,
        })
    });
    format!("{}\n", json!(all.collect::<Vec<_>>()))
}

fn person(findings: &[Finding]) -> String {
    let mut text = String::new();
    for one in findings {
        let _ = writeln!(
            text,
            "{:8} {:22} {}",
            one.verdict.word(),
            one.check,
            one.says
        );
        if !one.mend.is_empty() {
            let _ = writeln!(text, "{:31} -> {}", "", one.mend);
        }
    }
    text
}
