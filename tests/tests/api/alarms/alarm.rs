//! The alarms of the template, evaluated as `CloudWatch` does it.
//!
//! `CloudWatch` may start its periods at any minute, so the drill tries each start. An alarm goes
//! off when at least `DatapointsToAlarm` of the last `EvaluationPeriods` points breach the
//! threshold. A missing point does not breach it.

use serde_json::Value;

use super::{
    math::Expression,
    metrics::{DAY, Key, Metrics},
};
use crate::template::{Stack, at, items, number, text};

pub struct Alarm {
    pub name: String,
    inputs: Vec<Input>,
    expression: Expression,
    /// In minutes.
    pub period: usize,
    evaluation_periods: usize,
    bad_periods: usize,
    threshold: f64,
    breaches: fn(f64, f64) -> bool,
}

/// A metric of an alarm, under the name that the expression uses.
struct Input {
    name: String,
    metric: Key,
    statistic: String,
}

impl Alarm {
    /// All alarms of the template.
    pub fn all() -> Vec<Self> {
        let alarms = Stack::full().resources("AWS::CloudWatch::Alarm");
        let alarms = alarms.into_iter();
        alarms
            .map(|(name, alarm)| Self::read(name, &alarm))
            .collect()
    }

    fn read(name: String, alarm: &Value) -> Self {
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
        let breaches: fn(f64, f64) -> bool = match text(at(alarm, &["ComparisonOperator"])).as_str()
        {
            "GreaterThanOrEqualToThreshold" => |value, threshold| value >= threshold,
            "LessThanThreshold" => |value, threshold| value < threshold,
            other => panic!("the drill does not know {other}"),
        };
        let evaluation_periods = number(alarm, "EvaluationPeriods").expect("periods");
        let mut read = Self {
            inputs: Vec::new(),
            expression: Expression::Name("metric".to_owned()),
            period: number(alarm, "Period").unwrap_or(0),
            evaluation_periods,
            bad_periods: number(alarm, "DatapointsToAlarm").unwrap_or(evaluation_periods),
            threshold: number(alarm, "Threshold").expect("a threshold"),
            breaches,
            name,
        };
        for query in items(&alarm["Metrics"]) {
            read.add(query);
        }
        if alarm.get("Metrics").is_none() {
            read.inputs.push(Input {
                name: "metric".to_owned(),
                metric: key(alarm),
                statistic: text(at(alarm, &["Statistic"])),
            });
        }
        assert!(
            read.period >= 60 && read.period.is_multiple_of(60),
            "{}",
            read.name
        );
        read.period /= 60;
        read
    }

    fn add(&mut self, query: &Value) {
        // The alarm watches the one series that is returned.
        let is_input = query.get("MetricStat").is_some();
        assert_eq!(query["ReturnData"], !is_input, "{}: {query}", self.name);
        if let Some(stat) = query.get("MetricStat") {
            self.input(
                text(at(query, &["Id"])),
                key(at(stat, &["Metric"])),
                text(at(stat, &["Stat"])),
                number(stat, "Period").expect("a period"),
            );
            return;
        }
        let mut expression = text(at(query, &["Expression"]));
        // A Metrics Insights query, over every dimension of a metric.
        if let Some(rest) = expression.strip_prefix("SELECT AVG(") {
            let (metric, rest) = rest
                .split_once(") FROM \"")
                .expect("a metric and a namespace");
            let namespace = rest.trim_end_matches('"');
            let key = (namespace.to_owned(), metric.to_owned(), String::new());
            let period = number(query, "Period").expect("a period");
            self.input("metric".to_owned(), key, "Average".to_owned(), period);
            "metric".clone_into(&mut expression);
        }
        self.expression = Expression::parse(&expression);
    }

    fn input(&mut self, name: String, metric: Key, statistic: String, period: usize) {
        assert!(self.period == 0 || self.period == period, "{}", self.name);
        self.period = period;
        self.inputs.push(Input {
            name,
            metric,
            statistic,
        });
    }

    /// For each minute of the day that ends a period, whether the alarm is on. The first period
    /// starts at minute `start`.
    pub fn states(&self, metrics: &Metrics, start: usize) -> Vec<(usize, bool)> {
        let mut breaching = Vec::new();
        let mut states = Vec::new();
        let mut from = start;
        while from + self.period <= DAY {
            let minutes = from..from + self.period;
            let value = self.expression.value(&|name| {
                let input = self.inputs.iter().find(|input| input.name == name);
                let input = input.unwrap_or_else(|| panic!("{}: no {name}", self.name));
                metrics.statistic(&input.metric, &input.statistic, minutes.clone())
            });
            breaching.push(value.is_some_and(|value| (self.breaches)(value, self.threshold)));
            let recent = breaching.iter().rev().take(self.evaluation_periods);
            let count = recent.filter(|breaches| **breaches).count();
            from += self.period;
            states.push((from, count >= self.bad_periods));
        }
        states
    }
}

fn key(metric: &Value) -> Key {
    let mut dimensions = items(&metric["Dimensions"]).into_iter();
    let function = dimensions.find(|dimension| dimension["Name"] == "FunctionName");
    (
        text(at(metric, &["Namespace"])),
        text(at(metric, &["MetricName"])),
        function.map_or_else(String::new, |dimension| text(at(dimension, &["Value"]))),
    )
}
