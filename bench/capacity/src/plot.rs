//! Draws the figures as an SVG.

use std::fmt::Write;

use crate::report::{Row, loads};

const WIDTH: f64 = 380.0;
const HEIGHT: f64 = 170.0;
const MARGIN: f64 = 56.0;
const GAP: f64 = 64.0;

/// What a panel shows of a row; percent or milliseconds or a plain number.
type Shown = fn(&Row) -> f64;

#[expect(clippy::cast_precision_loss, reason = "milliseconds")]
const PANELS: [(&str, Shown); 4] = [
    ("logged in, %", |row| row.logged_in),
    ("refused or faults, %", |row| row.refused + row.faults),
    ("login, 99th percentile, ms", |row| row.login[1] as f64),
    ("conflicts per login", |row| row.conflicts),
];

/// Four panels for each channel, with at most three counters and as it stands.
pub fn svg(before: &[Row], now: &[Row]) -> String {
    let (width, height) = (2.0 * (WIDTH + MARGIN) + 20.0, 4.0 * (HEIGHT + GAP) + 50.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (column, (channel, name)) in [("email", "e-mail"), ("sms", "text message")]
        .into_iter()
        .enumerate()
    {
        for (nth, (what, shown)) in PANELS.into_iter().enumerate() {
            let panel = Panel {
                left: MARGIN + f64::from(u8::try_from(column).unwrap_or(0)) * (WIDTH + MARGIN),
                top: 34.0 + f64::from(u8::try_from(nth).unwrap_or(0)) * (HEIGHT + GAP),
                channel,
                shown,
            };
            panel.draw(&mut svg, &format!("{name}: {what}"), before, now);
        }
    }
    for (nth, (name, colour)) in [
        ("at most 3 counters", "#cb181d"),
        ("one for each 300, at most 128", "#08519c"),
    ]
    .into_iter()
    .enumerate()
    {
        let (x, y) = (
            MARGIN + f64::from(u8::try_from(nth).unwrap_or(0)) * 190.0,
            height - 14.0,
        );
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {y}h26\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"{}\">{name}</text>",
            x + 32.0,
            y + 4.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

struct Panel {
    left: f64,
    top: f64,
    channel: &'static str,
    shown: Shown,
}

impl Panel {
    /// Rates from 1 to 10,000, each ten times as wide.
    fn x(&self, rate: f64) -> f64 {
        self.left + rate.max(1.0).log10() / 4.0 * (WIDTH - 20.0)
    }

    /// The rate of each load, and what its runs show.
    fn points(&self, rows: &[Row]) -> Vec<(f64, Vec<f64>)> {
        let loads = loads(rows).filter(|runs| runs[0].channel == self.channel);
        loads
            .map(|runs| (runs[0].rate, runs.iter().map(self.shown).collect()))
            .collect()
    }

    /// A circle for each run, and a line through the means.
    fn series(
        &self,
        svg: &mut String,
        colour: &str,
        points: &[(f64, Vec<f64>)],
        y: impl Fn(f64) -> f64,
    ) {
        let mut line = Vec::new();
        for (rate, runs) in points {
            let x = self.x(*rate);
            for run in runs {
                let _ = writeln!(
                    svg,
                    "<circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{colour}\"/>",
                    y(*run)
                );
            }
            let mean = runs.iter().sum::<f64>() / f64::from(u32::try_from(runs.len()).unwrap_or(1));
            line.push(format!("{x:.1} {:.1}", y(mean)));
        }
        if !line.is_empty() {
            let _ = writeln!(
                svg,
                "<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                line.join("L")
            );
        }
    }

    fn draw(&self, svg: &mut String, name: &str, before: &[Row], now: &[Row]) {
        let series = [(before, "#cb181d"), (now, "#08519c")]
            .map(|(rows, colour)| (self.points(rows), colour));
        let values = series.iter().flat_map(|(points, _)| points);
        let values = values.flat_map(|(_, runs)| runs);
        let most = values.fold(0.01, |most: f64, value| most.max(*value));
        let y = |value: f64| self.top + HEIGHT - value / most * HEIGHT;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{name}</text>",
            self.left,
            self.top - 10.0
        );
        let decimals = if most < 20.0 { 2 } else { 0 };
        for part in 0..=4 {
            let value = most * f64::from(part) / 4.0;
            let _ = writeln!(
                svg,
                "<path d=\"M{} {:.1}h{}\" stroke=\"#ddd\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.decimals$}</text>",
                self.left,
                y(value),
                WIDTH - 20.0,
                self.left - 5.0,
                y(value) + 4.0
            );
        }
        for rate in [1.0, 10.0, 100.0, 1000.0, 10_000.0] {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{rate}</text>",
                self.x(rate),
                self.top + HEIGHT + 16.0
            );
        }
        for (points, colour) in &series {
            self.series(svg, colour, points, y);
        }
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">logins a second</text>",
            self.left + WIDTH / 2.0,
            self.top + HEIGHT + 31.0
        );
    }
}
