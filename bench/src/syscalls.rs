//! The system calls of a warm login and of a warm validation.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::{Outcome, story::Story, subject::Subject};

/// The table of system calls, the most frequent ones first.
///
/// # Errors
///
/// strace is missing, or a function fails.
pub async fn table(story: &Story) -> Outcome<String> {
    let login = Subject::Login.system_calls(story).await?;
    let validation = Subject::Validate.system_calls(story).await?;
    let names: BTreeSet<_> = login.keys().chain(validation.keys()).collect();
    let mut rows: Vec<_> = names
        .into_iter()
        .map(|name| {
            let of = |counts: &BTreeMap<_, f64>| counts.get(name).copied().unwrap_or_default();
            (name, of(&login), of(&validation))
        })
        .filter(|(_, login, validation)| login.max(*validation) >= 0.05)
        .collect();
    rows.sort_by(|one, other| (other.1 + other.2).total_cmp(&(one.1 + one.2)));
    let mut table = "| system call | a warm login | a warm validation |\n|---|---|---|".to_owned();
    for (name, login, validation) in rows {
        write!(table, "\n| {name} | {login:.1} | {validation:.1} |")?;
    }
    Ok(table)
}
