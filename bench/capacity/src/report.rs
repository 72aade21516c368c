//! The figures of a run, as a row of a table that people and the plot read.

use std::fmt::Write;

use crate::load::{Channel, Load, Outcome};

pub const HEADER: &str = "channel,logins a second,people,logged in %,refused %,faults %,\
     login p50 ms,login p99 ms,validation p50 ms,validation p99 ms,conflicts per login";

/// One row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub channel: String,
    pub rate: f64,
    pub people: f64,
    pub logged_in: f64,
    pub refused: f64,
    pub faults: f64,
    pub login: [u64; 2],
    pub validation: [u64; 2],
    pub conflicts: f64,
}

impl Row {
    #[expect(clippy::cast_precision_loss, reason = "the counts are small")]
    pub fn of(load: Load, outcome: &mut Outcome) -> Self {
        let people = f64::from(load.people);
        let percent = |count: u32| f64::from(count) * 100.0 / people;
        let channel = match load.channel {
            Channel::Email => "email",
            Channel::Sms => "sms",
        };
        Self {
            channel: channel.to_owned(),
            rate: f64::from(load.rate),
            people,
            logged_in: percent(outcome.validations),
            refused: percent(outcome.refused),
            faults: percent(outcome.faults),
            login: quantiles(&mut outcome.login_millis),
            validation: quantiles(&mut outcome.validation_millis),
            conflicts: outcome.conflicts as f64 / people,
        }
    }

    /// Whether it is of this many logins a second.
    pub fn is_at(&self, rate: u32) -> bool {
        (self.rate - f64::from(rate)).abs() < 0.5
    }

    pub fn csv(&self) -> String {
        let [login, login_99] = self.login;
        let [validation, validation_99] = self.validation;
        format!(
            "{},{},{},{:.2},{:.2},{:.2},{login},{login_99},{validation},{validation_99},{:.3}",
            self.channel,
            self.rate,
            self.people,
            self.logged_in,
            self.refused,
            self.faults,
            self.conflicts
        )
    }

    pub fn parse(line: &str) -> Option<Self> {
        let mut cells = line.split(',');
        let channel = cells.next()?.to_owned();
        let mut number = || cells.next()?.parse::<f64>().ok();
        let (rate, people) = (number()?, number()?);
        let (logged_in, refused, faults) = (number()?, number()?, number()?);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole milliseconds"
        )]
        let mut pair = || Some([number()? as u64, number()? as u64]);
        let (login, validation) = (pair()?, pair()?);
        Some(Self {
            channel,
            rate,
            people,
            logged_in,
            refused,
            faults,
            login,
            validation,
            conflicts: cells.next()?.parse().ok()?,
        })
    }
}

/// The runs of each load.
pub fn loads(rows: &[Row]) -> impl Iterator<Item = &[Row]> {
    rows.chunk_by(|one, other| one.channel == other.channel && (one.rate - other.rate).abs() < 0.5)
}

/// The rows of a Markdown table, each with the range over the runs of one load.
#[expect(clippy::cast_precision_loss, reason = "milliseconds")]
pub fn markdown(rows: &[Row]) -> String {
    let mut told = String::new();
    for runs in loads(rows) {
        let range = |decimals: usize, shown: fn(&Row) -> f64| {
            let values = || runs.iter().map(shown);
            let least = format!("{:.decimals$}", values().fold(f64::MAX, f64::min));
            let most = format!("{:.decimals$}", values().fold(f64::MIN, f64::max));
            if least == most {
                least
            } else {
                format!("{least} to {most}")
            }
        };
        let channel = if runs[0].channel == "sms" {
            "text message"
        } else {
            "e-mail"
        };
        let _ = writeln!(
            told,
            "| {} | {channel} | {} | {} | {} | {} | {} | {} | {} |",
            runs[0].rate,
            runs[0].people,
            range(1, |row| row.logged_in),
            range(1, |row| row.refused),
            range(0, |row| row.login[0] as f64),
            range(0, |row| row.login[1] as f64),
            range(0, |row| row.validation[1] as f64),
            range(2, |row| row.conflicts),
        );
    }
    told
}

fn quantiles(millis: &mut [u64]) -> [u64; 2] {
    millis.sort_unstable();
    [50, 99].map(|percent| {
        let nth = millis.len() * percent / 100;
        millis.get(nth).copied().unwrap_or_default()
    })
}
