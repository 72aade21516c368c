//! Draws runs as an SVG: cumulative requests and messages over time.

#![expect(clippy::cast_precision_loss, reason = "the counts are small")]

use std::fmt::Write;

use crate::run::Outcome;

const WIDTH: f64 = 430.0;
const HEIGHT: f64 = 200.0;
const MARGIN: f64 = 46.0;
const MINUTES: f64 = 14.0;

/// One panel for each run, in two columns.
pub fn svg(runs: &[(&str, Outcome)]) -> String {
    let rows = runs.len().div_ceil(2);
    let (width, height) = (
        2.0 * (WIDTH + MARGIN) + 14.0,
        rows as f64 * (HEIGHT + 62.0) + 30.0,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    );
    for (nth, (name, run)) in runs.iter().enumerate() {
        let (left, top) = (
            MARGIN + (nth % 2) as f64 * (WIDTH + MARGIN),
            34.0 + (nth / 2) as f64 * (HEIGHT + 62.0),
        );
        panel(&mut svg, left, top, name, run);
    }
    let keys = [
        ("people ask", "#9ecae1", "5 3"),
        ("people get a message", "#08519c", ""),
        ("attacker asks", "#fcae91", "5 3"),
        ("attacker's messages", "#cb181d", ""),
    ];
    for (nth, (name, colour, dashes)) in keys.iter().enumerate() {
        let (x, y) = (MARGIN + nth as f64 * 190.0, height - 14.0);
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {y}h26\" stroke=\"{colour}\" stroke-width=\"2\" \
             stroke-dasharray=\"{dashes}\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            x + 32.0,
            y + 4.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The place of a panel, and the value at its top.
#[derive(Clone, Copy)]
struct Axes {
    left: f64,
    top: f64,
    most: f64,
}

impl Axes {
    fn x(self, minutes: f64) -> f64 {
        self.left + minutes / MINUTES * (WIDTH - 20.0)
    }

    fn y(self, value: f64) -> f64 {
        self.top + HEIGHT - value / self.most * HEIGHT
    }
}

fn panel(svg: &mut String, left: f64, top: f64, name: &str, run: &Outcome) {
    let series = [
        (&run.asked, "#9ecae1", "5 3"),
        (&run.passed, "#08519c", ""),
        (&run.attacks, "#fcae91", "5 3"),
        (&run.pumped, "#cb181d", ""),
    ];
    let shown = |times: &Vec<f64>| times.iter().filter(|at| **at <= MINUTES).count() as f64;
    let counts = series.iter().map(|(times, ..)| shown(times));
    let most = counts.fold(1.0, f64::max);
    let step = if most > 600.0 { 500.0 } else { 100.0 };
    let axes = Axes {
        left,
        top,
        most: (most / step).ceil() * step,
    };
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{name}</text>",
        top - 10.0
    );
    grid(svg, axes, step);
    for (times, colour, dashes) in series {
        let mut times: Vec<f64> = times.iter().copied().filter(|at| *at <= MINUTES).collect();
        times.sort_by(f64::total_cmp);
        if !times.is_empty() {
            let _ = writeln!(
                svg,
                "<path d=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" \
                 stroke-dasharray=\"{dashes}\"/>",
                steps(axes, &times)
            );
        }
    }
}

fn grid(svg: &mut String, axes: Axes, step: f64) {
    let mut value = 0.0;
    while value <= axes.most {
        let y = axes.y(value);
        let _ = writeln!(
            svg,
            "<path d=\"M{} {y}h{}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{value}</text>",
            axes.left,
            WIDTH - 20.0,
            axes.left - 5.0,
            y + 4.0
        );
        value += step;
    }
    for minutes in (0..=14).step_by(2) {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{minutes}</text>",
            axes.x(f64::from(minutes)),
            axes.top + HEIGHT + 16.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">minutes</text>",
        axes.left + WIDTH / 2.0,
        axes.top + HEIGHT + 30.0
    );
}

/// A line that rises by one at each of these times, drawn in at most 150 steps.
fn steps(axes: Axes, times: &[f64]) -> String {
    let stride = (times.len() / 150).max(1);
    let last = times.len() - 1;
    let mut path = format!("M{:.1} {:.1}", axes.x(times[0]), axes.y(0.0));
    for (nth, at) in times.iter().enumerate() {
        if nth % stride == 0 || nth == last {
            let _ = write!(path, "L{:.1} {:.1}", axes.x(*at), axes.y(nth as f64 + 1.0));
        }
    }
    let end = axes.y(times.len() as f64);
    let _ = write!(path, "L{:.1} {end:.1}", axes.x(MINUTES));
    path
}
