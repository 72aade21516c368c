//! Users in a CSV file (RFC 4180).

use std::collections::HashMap;

use csv::{ErrorKind, Position, StringRecord};
use otp_domain::{Claims, Destination};

use crate::destination::{email, phone};

/// One user of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line in the file; `None` for a user from the command line.
    pub line: Option<u64>,
    /// The e-mail address, the phone number, or both in this order.
    pub destinations: Vec<Destination>,
    /// Whether the user is disabled, if the file says so.
    pub disabled: Option<bool>,
    /// The user's claims, if the file or the command line has them.
    pub claims: Option<Claims>,
}

/// A well-formed file.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// One row for each user.
    pub rows: Vec<Row>,
    /// Unknown columns.
    pub ignored: Vec<String>,
}

/// The positions of the known columns.
struct Columns {
    email: usize,
    phone: usize,
    disabled: Option<usize>,
    claims: Option<usize>,
}

/// Parses a file, or returns one message for each wrong line.
pub fn read(bytes: &[u8]) -> Result<File, Vec<String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => return Err(vec![explain(bytes, &error)]),
    };
    let (columns, ignored) = columns(&header).map_err(|mistake| vec![mistake])?;
    let mut lines: HashMap<Destination, u64> = HashMap::new();
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    for record in reader.into_records() {
        let read = record
            .map_err(|error| explain(bytes, &error))
            .and_then(|record| {
                let line = record.position().map_or(0, |at| line(bytes, at));
                row(&record, &columns, line, &mut lines)
                    .map_err(|mistake| format!("line {line}: {mistake}"))
            });
        match read {
            Ok(row) => rows.push(row),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        Ok(File { rows, ignored })
    } else {
        Err(mistakes)
    }
}

fn columns(header: &StringRecord) -> Result<(Columns, Vec<String>), String> {
    let find = |name: &str| {
        let mut found = (0..header.len()).filter(|column| &header[*column] == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(format!("line 1: duplicate column {name}")),
            (column, None) => Ok(column),
        }
    };
    let need = |name: &str| find(name)?.ok_or_else(|| format!("line 1: missing column {name}"));
    let columns = Columns {
        email: need("email")?,
        phone: need("phone_number")?,
        disabled: find("disabled")?,
        claims: find("claims")?,
    };
    let known = ["email", "phone_number", "disabled", "claims"];
    let ignored = header.iter().filter(|name| !known.contains(name));
    Ok((columns, ignored.map(str::to_owned).collect()))
}

fn row(
    record: &StringRecord,
    columns: &Columns,
    line: u64,
    lines: &mut HashMap<Destination, u64>,
) -> Result<Row, String> {
    let field = |column: usize| Some(&record[column]).filter(|text| !text.is_empty());
    let email = field(columns.email).map(email).transpose()?;
    let phone = field(columns.phone).map(phone).transpose()?;
    let disabled = match columns.disabled.and_then(field) {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => return Err(format!("disabled must be true or false, not {other:?}")),
    };
    let claims = columns.claims.and_then(field).map(Claims::parse);
    let claims = claims.transpose().map_err(|mistake| mistake.to_string())?;
    let destinations: Vec<_> = email.into_iter().chain(phone).collect();
    if destinations.is_empty() {
        return Err("email and phone_number are both empty".to_owned());
    }
    for destination in &destinations {
        if let Some(before) = lines.insert(destination.clone(), line) {
            let text = destination.as_str();
            return Err(format!("{text} is already in line {before}"));
        }
    }
    Ok(Row {
        line: Some(line),
        destinations,
        disabled,
        claims,
    })
}

fn explain(bytes: &[u8], error: &csv::Error) -> String {
    let at = error.position().map_or(1, |at| line(bytes, at));
    match error.kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("line {at}: {len} fields, but the header has {expected_len}"),
        ErrorKind::Utf8 { .. } => format!("line {at}: not UTF-8"),
        _ => format!("line {at}: {error}"),
    }
}

/// The line that a record begins in. The reader's position is that of the first
/// empty line before the record.
fn line(bytes: &[u8], at: &Position) -> u64 {
    let start = usize::try_from(at.byte()).unwrap_or(usize::MAX);
    let rest = bytes.get(start..).unwrap_or_default();
    let empty = rest.iter().take_while(|byte| b"\r\n".contains(byte));
    at.line() + empty.filter(|byte| **byte == b'\n').map(|_| 1).sum::<u64>()
}

#[cfg(test)]
mod tests;
