//! Metrics of one day, minute by minute, and the filters that make metrics of log lines.

use crate::template::{Stack, at, items, text};

/// Minutes of a day.
pub const DAY: usize = 24 * 60;

/// Namespace, name, and the function that the metric is about, if any.
pub type Key = (String, String, String);

/// What was reported in one minute.
#[derive(Clone, Copy, Default)]
struct Minute {
    sum: f64,
    count: f64,
    max: f64,
}

#[derive(Default)]
pub struct Metrics(Vec<(Key, Vec<Minute>)>);

impl Metrics {
    /// Reports a value.
    pub fn report(&mut self, at: usize, (namespace, name, about): (&str, &str, &str), value: f64) {
        let is_it = |key: &Key| key.1 == name && key.2 == about && key.0 == namespace;
        let nth = self.0.iter().position(|(key, _)| is_it(key));
        let nth = nth.unwrap_or_else(|| {
            let key = (namespace.to_owned(), name.to_owned(), about.to_owned());
            self.0.push((key, vec![Minute::default(); DAY]));
            self.0.len() - 1
        });
        let minute = &mut self.0[nth].1[at];
        minute.sum += value;
        minute.count += 1.0;
        minute.max = minute.max.max(value);
    }

    /// The statistic of a metric over some minutes; `None` without data.
    pub fn statistic(&self, key: &Key, name: &str, minutes: std::ops::Range<usize>) -> Option<f64> {
        let (_, all) = self.0.iter().find(|(known, _)| known == key)?;
        let minutes = &all[minutes];
        let count: f64 = minutes.iter().map(|minute| minute.count).sum();
        let sum: f64 = minutes.iter().map(|minute| minute.sum).sum();
        let value = match name {
            "Sum" => sum,
            "Average" => sum / count,
            "Maximum" => minutes.iter().map(|minute| minute.max).fold(0.0, f64::max),
            other => panic!("the drill does not know the statistic {other}"),
        };
        (count > 0.0).then_some(value)
    }
}

/// A metric filter: counts the lines of one log group that have one of these values in a field.
pub struct Filter {
    group: String,
    values: Vec<(String, String)>,
    metric: String,
}

impl Filter {
    /// All filters of the template.
    pub fn all() -> Vec<Self> {
        let filters = Stack::full().resources("AWS::Logs::MetricFilter");
        let read = |(name, filter): &(String, serde_json::Value)| {
            let pattern = text(at(filter, &["FilterPattern"]));
            let inner = pattern.trim_matches(|c| "{} ".contains(c));
            let values = inner.split(" || ").map(|comparison| {
                let (field, value) = comparison.split_once(" = ").expect("a comparison");
                let field = field.trim_start_matches("$.").to_owned();
                (field, value.trim_matches('"').to_owned())
            });
            let transformation = items(&filter["MetricTransformations"])[0];
            let of = |member: &str| text(at(transformation, &[member]));
            assert_eq!(of("MetricValue"), "1", "{name}");
            assert_eq!(of("DefaultValue"), "0", "{name}");
            assert_eq!(of("MetricNamespace"), "AWS::StackName", "{name}");
            Self {
                group: text(at(filter, &["LogGroupName"])),
                values: values.collect(),
                metric: of("MetricName"),
            }
        };
        filters.iter().map(read).collect()
    }

    /// Reports 1 for a line that matches, and 0 for any other line of the group.
    pub fn read(&self, metrics: &mut Metrics, at: usize, group: &str, line: &[(&str, &str)]) {
        if self.group == group {
            let matches = self.values.iter().any(|(field, value)| {
                let found = line.iter().find(|(name, _)| name == field);
                let found = found.map_or("", |(_, found)| found);
                match value.strip_suffix('*') {
                    Some(start) => found.starts_with(start),
                    None => found == value,
                }
            });
            let value = if matches { 1.0 } else { 0.0 };
            metrics.report(at, ("AWS::StackName", &self.metric, ""), value);
        }
    }
}
