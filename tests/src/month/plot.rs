//! Plots as SVG, written by hand: lines, bands and bars are all that the report has, and what is drawn here is a hundred lines
//! where a library would be a dozen crates to look after.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 70.0;
const BOTTOM: f64 = 30.0;
const TOP: f64 = 14.0;
const RIGHT: f64 = 10.0;

/// Colours of lines, in turn.
const COLOURS: [&str; 4] = ["#1b6ca8", "#c2571a", "#2d7d46", "#7a3e9d"];

/// A line, by name.
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its points, ascending by the first.
    pub points: Vec<(f64, f64)>,
    /// Whether it stays where it is until the next point.
    pub steps: bool,
}

/// What is plotted.
pub struct Plot<'a> {
    /// What is told beside it, for those who cannot see it.
    pub title: &'a str,
    /// What the x axis is.
    pub x: &'a str,
    /// What the y axis is.
    pub y: &'a str,
    /// Lines.
    pub lines: Vec<Line>,
    /// A band of y, behind them.
    pub band: Option<(f64, f64)>,
    /// Whether y is shown by its logarithm.
    pub log: bool,
}

impl Plot<'_> {
    /// The plot as SVG.
    #[must_use]
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let y_of = |y: f64| if self.log { y.max(1.0).log10() } else { y };
        let x_max = points().map(|(x, _)| *x).fold(1.0, f64::max);
        let band_top = self.band.map_or(0.0, |(_, high)| high);
        let most = points().map(|(_, y)| *y).fold(0.0, f64::max);
        // A band far above everything would leave nothing to be seen.
        let top = if band_top < 4.0 * most { most.max(band_top) } else { most };
        let y_max = y_of(top.max(1.0)) * 1.05;
        let x = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * value / x_max;
        let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (y_of(value) / y_max).min(1.0);
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\" font-family=\"sans-serif\" font-size=\"11\">\n",
            escaped(self.title)
        );
        // Writing to a String cannot fail.
        if let Some((low, high)) = self.band {
            let (from, to) = (y(high), y(low));
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{from:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#e3f0e6\"/>",
                WIDTH - LEFT - RIGHT,
                to - from
            );
        }
        for part in 0..=4 {
            let value = if self.log {
                10_f64.powf(y_max * f64::from(part) / 4.0)
            } else {
                y_max * f64::from(part) / 4.0
            };
            let at = y(value);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                at + 4.0,
                short(value)
            );
        }
        for part in 0..=6 {
            let value = x_max * f64::from(part) / 6.0;
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{}</text>",
                x(value),
                HEIGHT - BOTTOM + 14.0,
                short(value)
            );
        }
        for (number, line) in self.lines.iter().enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let mut path = String::new();
            let mut last: Option<f64> = None;
            for (at, value) in &line.points {
                if let (Some(before), true) = (last, line.steps) {
                    let _ = write!(path, "{:.1},{:.1} ", x(*at), y(before));
                }
                let _ = write!(path, "{:.1},{:.1} ", x(*at), y(*value));
                last = Some(*value);
            }
            let _ = writeln!(
                svg,
                "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{}</text>",
                LEFT + 8.0 + 190.0 * number as f64,
                TOP - 3.0,
                escaped(&line.name)
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555\">{}</text>\
             <text x=\"4\" y=\"{:.1}\" fill=\"#555\">{}</text>\n</svg>",
            WIDTH - RIGHT,
            HEIGHT - 3.0,
            escaped(self.x),
            TOP - 3.0,
            escaped(self.y)
        );
        svg
    }
}

/// A text that stands in a page as it is.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn short(value: f64) -> String {
    match value {
        value if value >= 1_000_000.0 => format!("{:.1} M", value / 1_000_000.0),
        value if value >= 10_000.0 => format!("{:.0} k", value / 1_000.0),
        value if value >= 1_000.0 => format!("{:.1} k", value / 1_000.0),
        value if value >= 10.0 || value == 0.0 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_lines_its_band_and_no_text_that_is_markup() {
        let line =
            |name: &str, steps| Line { name: name.to_owned(), points: vec![(0.0, 1.0), (2.0, 5.0)], steps };
        let plot = Plot {
            title: "a < b",
            x: "day",
            y: "XRP",
            lines: vec![line("one & two", true), line("three", false)],
            band: Some((1.0, 4.0)),
            log: false,
        };
        let svg = plot.svg();
        assert!(
            svg.contains("a &lt; b") && svg.contains("one &amp; two") && !svg.contains("one & two"),
            "{svg}"
        );
        assert_eq!((svg.matches("<polyline").count(), svg.matches("<rect").count()), (2, 1));
        let of = |name: &str| svg.lines().find(|line| line.contains(name)).unwrap().matches(',').count();
        assert_eq!((of("one &amp; two"), of("three")), (3, 2), "steps go along before they go up");
    }
}
