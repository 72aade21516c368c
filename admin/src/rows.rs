//! Users in a CSV file (RFC 4180), also as spreadsheets save it: with semicolons or tabs, a
//! mark of the byte order, a line `sep=;`, other capitals, and blank rows.
//!
//! A file is read twice: first for its mistakes, of which one means that nothing is written,
//! and then row by row. Neither holds the rows.

mod record;

use std::{
    collections::{HashMap, hash_map::RandomState},
    ffi::OsString,
    fs::File,
    hash::BuildHasher,
    io::{self, BufReader, Read},
};

use otp_domain::{Claims, Destination, UnixTime, UserId};

use self::record::{Record, Records};
use crate::{
    cell,
    destination::{email, phone},
    timestamp,
};

/// One user of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The line in the file; `None` for a user from the command line.
    pub line: Option<u64>,
    /// The user's id, if the file or the command line has it.
    pub id: Option<UserId>,
    /// The e-mail address, the phone number, or both in this order.
    pub destinations: Vec<Destination>,
    /// When the user was created, if the file says so.
    pub created_at: Option<UnixTime>,
    /// Whether the user is disabled, if the file says so.
    pub disabled: Option<bool>,
    /// The user's claims, if the file or the command line has them.
    pub claims: Option<Claims>,
}

/// What the rows of a command need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A destination.
    Destination,
    /// A destination or a user id.
    User,
    /// The same, and claims: an empty field must not remove them.
    Claims,
}

/// Where a file is.
pub enum Input {
    /// On disk.
    File(OsString),
    /// Standard input, which cannot be read twice.
    Read(Vec<u8>),
}

/// A file without mistakes.
pub struct Users {
    input: Input,
    need: Need,
    /// How many rows it has.
    pub total: usize,
    /// Unknown columns.
    pub ignored: Vec<String>,
}

/// Why a file is not read.
#[derive(Debug)]
pub enum Unread {
    /// The system says so.
    Io(io::Error),
    /// One message for each wrong line.
    Malformed(Vec<String>),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// More mistakes than these say nothing new.
const MOST_MISTAKES: usize = 1000;

const KNOWN: [&str; 6] = [
    "user_id",
    "email",
    "phone_number",
    "created_at",
    "disabled",
    "claims",
];

/// The position of each known column.
type Columns = [Option<usize>; KNOWN.len()];

impl Input {
    fn records(&self) -> io::Result<Records<Box<dyn Read + '_>>> {
        let bytes: Box<dyn Read> = match self {
            Self::File(name) => Box::new(File::open(name)?),
            Self::Read(bytes) => Box::new(bytes.as_slice()),
        };
        Records::of(BufReader::new(bytes))
    }
}

impl Users {
    /// Looks for every mistake in a file.
    pub fn check(input: Input, need: Need) -> Result<Self, Unread> {
        let mut mistakes = Vec::new();
        let (mut total, mut seen) = (0, Seen::default());
        let (rows, ignored) = rows(&input, need)?;
        for row in rows {
            let row = row.and_then(|row| seen.note(&row).map(|()| total += 1));
            mistakes.extend(row.err());
            if mistakes.len() == MOST_MISTAKES {
                break;
            }
        }
        if mistakes.is_empty() {
            Ok(Self {
                input,
                need,
                total,
                ignored,
            })
        } else {
            Err(Unread::Malformed(mistakes))
        }
    }

    /// The rows. A file that has changed since it was checked may have mistakes.
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<Row, String>> + '_, Unread> {
        Ok(rows(&self.input, self.need)?.0)
    }
}

/// The rows of a file, with the columns that are ignored.
fn rows(
    input: &Input,
    need: Need,
) -> Result<(impl Iterator<Item = Result<Row, String>> + '_, Vec<String>), Unread> {
    let mut records = input.records()?;
    let malformed = |mistake| Unread::Malformed(vec![mistake]);
    let header = records.next().transpose().map_err(malformed)?;
    let header = header.map(|record| record.fields).unwrap_or_default();
    let header: Vec<_> = header
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    let columns = columns(&header, need).map_err(malformed)?;
    let ignored = header.iter().filter(|name| !KNOWN.contains(&name.as_str()));
    let ignored = ignored.cloned().collect();
    let width = header.len();
    let rows = records.filter_map(move |record| match record {
        Ok(record) if record.is_blank() => None,
        Ok(record) => {
            let row = row(&record, &columns, width, need);
            Some(row.map_err(|mistake| format!("line {}: {mistake}", record.line)))
        }
        Err(mistake) => Some(Err(mistake)),
    });
    Ok((rows, ignored))
}

fn columns(header: &[String], need: Need) -> Result<Columns, String> {
    let mut columns = Columns::default();
    for (name, column) in KNOWN.iter().zip(&mut columns) {
        let mut found = (0..header.len()).filter(|at| header[*at] == *name);
        *column = found.next();
        if found.next().is_some() {
            return Err(format!("line 1: duplicate column {name}"));
        }
    }
    let [id, email, phone, ..] = columns;
    if need != Need::Destination && id.is_some() {
        return Ok(columns);
    }
    for (column, name) in [(email, "email"), (phone, "phone_number")] {
        if column.is_none() {
            return Err(format!("line 1: missing column {name}"));
        }
    }
    Ok(columns)
}

fn row(record: &Record, columns: &Columns, width: usize, need: Need) -> Result<Row, String> {
    let fields = &record.fields;
    if fields.len() != width {
        let len = fields.len();
        return Err(format!("{len} fields, but the header has {width}"));
    }
    let field = |column: Option<usize>| {
        let text = column.map(|column| cell::read(&fields[column]));
        text.filter(|text| !text.is_empty())
    };
    let [id, address, number, created_at, disabled, claims] = columns.map(field);
    let id = id.map(|text| UserId::parse(text).ok_or_else(|| malformed_id(text)));
    let created_at = created_at.map(|text| {
        let time = timestamp::parse(text);
        time.ok_or_else(|| format!("created_at must be like 2026-01-31T12:00:00Z, not {text:?}"))
    });
    let disabled = disabled.map(|text| match text.to_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("disabled must be true or false, not {text:?}")),
    });
    let address = address.map(email).transpose()?;
    let destinations = address
        .into_iter()
        .chain(number.map(phone).transpose()?)
        .collect();
    let row = Row {
        line: Some(record.line),
        destinations,
        id: id.transpose()?,
        created_at: created_at.transpose()?,
        disabled: disabled.transpose()?,
        claims: claims
            .map(Claims::parse)
            .transpose()
            .map_err(|mistake| mistake.to_string())?,
    };
    match need {
        Need::Destination if row.destinations.is_empty() => {
            Err("email and phone_number are both empty".to_owned())
        }
        _ if row.destinations.is_empty() && row.id.is_none() => {
            Err("user_id, email and phone_number are all empty".to_owned())
        }
        Need::Claims if row.claims.is_none() => Err("no claims; {} removes them".to_owned()),
        _ => Ok(row),
    }
}

fn malformed_id(text: &str) -> String {
    format!("user_id must be 1 to 64 visible ASCII characters without # , ' and \", not {text:?}")
}

/// What the rows before have named, by hashes: a million rows need no more than their lines.
#[derive(Default)]
struct Seen {
    lines: HashMap<u64, u64>,
    hashes: RandomState,
}

impl Seen {
    fn note(&mut self, row: &Row) -> Result<(), String> {
        let line = row.line.unwrap_or_default();
        let id = row.id.iter().map(UserId::as_str);
        let names = row.destinations.iter().map(Destination::as_str).chain(id);
        for name in names {
            if let Some(before) = self.lines.insert(self.hashes.hash_one(name), line) {
                return Err(format!("line {line}: {name} is already in line {before}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
