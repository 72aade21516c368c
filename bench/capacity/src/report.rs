//! The figures of a run, as a row of a table that people and the plot read.

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

fn quantiles(millis: &mut [u64]) -> [u64; 2] {
    millis.sort_unstable();
    [50, 99].map(|percent| {
        let nth = millis.len() * percent / 100;
        millis.get(nth).copied().unwrap_or_default()
    })
}
