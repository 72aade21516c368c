//! The alarms of the template, evaluated as `CloudWatch` does it.
//!
//! `CloudWatch` may start its periods at any minute, so the drill tries each start. An alarm goes
//! off when at least `DatapointsToAlarm` of the last `EvaluationPeriods` points breach the
//! threshold. A missing point does not breach it.

use saphyr::Yaml;

use super::{
    math::Expression,
    metrics::{DAY, Key, Metrics},
    template::{self, member, number, text},
};

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
    /// All alarms of the template. `parameter` gives the value of a parameter.
    pub fn all(parameter: &dyn Fn(&str) -> String) -> Vec<Self> {
        let template = template::load();
        let alarms = template::resources(&template, "AWS::CloudWatch::Alarm");
        let alarms = alarms.into_iter();
        alarms
            .map(|(name, properties)| Self::read(name, properties, parameter))
            .collect()
    }

    fn read(name: String, alarm: &Yaml<'_>, parameter: &dyn Fn(&str) -> String) -> Self {
        let missing = member(alarm, "TreatMissingData").map(text);
        assert_eq!(missing.as_deref(), Some("notBreaching"), "{name}");
        let breaches: fn(f64, f64) -> bool =
            match text(member(alarm, "ComparisonOperator").expect("a comparison")).as_str() {
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
        match member(alarm, "Metrics") {
            None => read.inputs.push(Input {
                name: "metric".to_owned(),
                metric: key(alarm),
                statistic: text(member(alarm, "Statistic").expect("a statistic")),
            }),
            Some(metrics) => {
                for query in metrics.as_sequence().expect("a list") {
                    read.add(query, parameter);
                }
            }
        }
        assert!(
            read.period >= 60 && read.period.is_multiple_of(60),
            "{}",
            read.name
        );
        read.period /= 60;
        read
    }

    fn add(&mut self, query: &Yaml<'_>, parameter: &dyn Fn(&str) -> String) {
        if let Some(stat) = member(query, "MetricStat") {
            self.input(
                text(member(query, "Id").expect("an id")),
                key(member(stat, "Metric").expect("a metric")),
                text(member(stat, "Stat").expect("a statistic")),
                number(stat, "Period").expect("a period"),
            );
            return;
        }
        let mut expression = text(member(query, "Expression").expect("an expression"));
        while let Some((before, rest)) = expression.split_once("${") {
            let (name, after) = rest.split_once('}').expect("a closed bracket");
            expression = format!("{before}{}{after}", parameter(name));
        }
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

fn key(metric: &Yaml<'_>) -> Key {
    let dimensions = member(metric, "Dimensions").and_then(Yaml::as_sequence);
    let function = dimensions
        .into_iter()
        .flatten()
        .find(|dimension| text(member(dimension, "Name").expect("a name")) == "FunctionName");
    let function = function.map(|dimension| text(member(dimension, "Value").expect("a value")));
    (
        text(member(metric, "Namespace").expect("a namespace")),
        text(member(metric, "MetricName").expect("a name")),
        function.unwrap_or_default(),
    )
}
