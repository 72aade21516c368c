//! Request lines as text, for people at a terminal.

use std::{collections::BTreeMap, fmt, io::Write};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    filter::Targets,
    fmt::MakeWriter,
    layer::{Context, Layer, SubscriberExt},
    registry::Registry,
};

/// A log that writes the events of `otp_edge::log` as text to `writer`.
pub fn subscriber<W>(writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    Registry::default()
        .with(Lines(writer))
        .with(Targets::new().with_target(otp_edge::log::TARGET, Level::INFO))
}

struct Lines<W>(W);

impl<S: Subscriber, W> Layer<S> for Lines<W>
where
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = fields.line(*event.metadata().level());
        // A terminal that is gone is no reason to stop.
        let _ = writeln!(self.0.make_writer(), "{line}");
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Fields {
    /// What happened first, then to whom, how long it took, and why.
    fn line(mut self, level: Level) -> String {
        self.0.remove("request_id");
        // The destination says it.
        self.0.remove("channel");
        let mut words = Vec::new();
        if level < Level::INFO {
            words.push(level.to_string());
        }
        for name in ["event", "outcome", "destination"] {
            words.extend(self.0.remove(name));
        }
        let millis = self.0.remove("duration_ms");
        words.extend(millis.map(|millis| format!("{millis} ms")));
        let reason = self.0.remove("reason").filter(|text| !text.is_empty());
        words.extend(reason.map(|text| format!("({text})")));
        words.extend(self.0.iter().map(|(name, value)| format!("{name}={value}")));
        words.retain(|word| !word.is_empty());
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: Level, fields: &[(&'static str, &str)]) -> String {
        let fields = fields
            .iter()
            .map(|(name, text)| (*name, (*text).to_owned()));
        Fields(fields.collect()).line(level)
    }

    #[test]
    fn a_line_reads_like_a_sentence() {
        let refused = [
            ("channel", "email"),
            ("destination", "a***@e***.com"),
            ("duration_ms", "3"),
            ("event", "login"),
            ("outcome", "too-many-requests"),
            ("reason", "cooldown"),
            ("request_id", "abc"),
        ];
        assert_eq!(
            line(Level::INFO, &refused),
            "login too-many-requests a***@e***.com 3 ms (cooldown)"
        );
        let broken = [
            ("cause", "timeout"),
            ("dependency", "table"),
            ("destination", ""),
            ("event", "me"),
            ("outcome", "unavailable"),
        ];
        assert_eq!(
            line(Level::ERROR, &broken),
            "ERROR me unavailable cause=timeout dependency=table"
        );
    }
}
