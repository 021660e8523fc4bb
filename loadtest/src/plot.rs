//! One plot as SVG: lines over time, or over percentiles on a scale of nines (90%, 99%, 99.9%).

#![expect(clippy::disallowed_methods, reason = "plots may differ in the last bit from machine to machine")]

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

const SIZE: (u32, u32) = (640, 320);

/// Colours that colour-blind people can tell apart.
const COLOURS: [RGBColor; 4] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(0, 158, 115), RGBColor(204, 121, 167)];

const INK: RGBColor = RGBColor(102, 112, 133);
const LINES: RGBColor = RGBColor(234, 236, 240);

/// A line with a name.
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

impl Series {
    pub(crate) fn new(name: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name, points }
    }
}

pub(crate) struct Plot {
    pub(crate) title: &'static str,
    pub(crate) x: &'static str,
    pub(crate) y: &'static str,
    pub(crate) x_label: fn(&f64) -> String,
    pub(crate) y_label: fn(&f64) -> String,
    pub(crate) x_labels: usize,
    pub(crate) series: Vec<Series>,
}

impl Plot {
    pub(crate) fn over_time(title: &'static str, y: &'static str, series: impl IntoIterator<Item = Series>) -> Self {
        let x_label = |seconds: &f64| format!("{seconds:.0}");
        Self { title, x: "seconds", y, x_label, y_label: number, x_labels: 10, series: series.into_iter().collect() }
    }

    pub(crate) fn percentiles(title: &'static str, series: impl IntoIterator<Item = Series>) -> Self {
        let x_label = |nines: &f64| {
            let share = 100.0 * (1.0 - 10f64.powf(-nines.round()));
            format!("{share}%")
        };
        let series = series.into_iter().collect();
        Self { title, x: "share of all gaps", y: "", x_label, y_label: number, x_labels: 5, series }
    }

    pub(crate) fn to_svg(&self) -> Result<String, Box<dyn std::error::Error>> {
        let mut svg = String::new();
        self.draw(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area()).map_err(|e| e.to_string())?;
        Ok(svg)
    }

    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        let points = || self.series.iter().flat_map(|series| &series.points);
        let font = || ("system-ui, sans-serif", 16).into_font().color(&INK);
        if points().next().is_none() {
            let middle = Pos::new(HPos::Center, VPos::Center);
            area.draw(&Text::new("nothing was measured", (SIZE.0 as i32 / 2, SIZE.1 as i32 / 2), font().pos(middle)))?;
            return Ok(area.present()?);
        }
        let (right, top) = points().fold((f64::MIN, f64::MIN), |(x, y), point| (x.max(point.0), y.max(point.1)));
        // Several lines have a legend, which needs room.
        let headroom = if self.series.len() > 1 { 1.4 } else { 1.15 };
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .margin_right(24)
            .x_label_area_size(52)
            .y_label_area_size(72)
            .build_cartesian_2d(0.0..right.max(f64::MIN_POSITIVE), 0.0..(top * headroom).max(1e-6))?;
        chart
            .configure_mesh()
            .bold_line_style(LINES)
            .light_line_style(TRANSPARENT)
            .axis_style(INK)
            .label_style(font())
            .axis_desc_style(font())
            .x_labels(self.x_labels)
            .y_labels(6)
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&self.x_label)
            .y_label_formatter(&self.y_label)
            .draw()?;
        for (series, colour) in self.series.iter().zip(COLOURS.iter().cycle()) {
            let line = LineSeries::new(series.points.iter().copied(), colour.stroke_width(2));
            let sample = |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3));
            chart.draw_series(line)?.label(series.name).legend(sample);
        }
        if self.series.len() > 1 {
            let corner = SeriesLabelPosition::UpperLeft;
            chart
                .configure_series_labels()
                .position(corner)
                .margin(8)
                .label_font(font())
                .background_style(WHITE.mix(0.85))
                .draw()?;
        }
        Ok(area.present()?)
    }
}

/// Formats a number with enough digits to tell neighbouring labels apart.
fn number(value: &f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 1.0 => format!("{value:.2}"),
        middle if middle < 10.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_axes_units_and_a_line_for_each_series() {
        let series =
            || [Series::new("server", vec![(0.5, 1.0), (1.0, 2.0)]), Series::new("clients", vec![(0.5, 3.0), (1.0, 1.0)])];
        let svg = Plot::over_time("CPU", "cores", series()).to_svg().unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
        for text in ["seconds", "cores", "server", "clients"] {
            assert!(svg.contains(text), "no {text}");
        }
        for colour in ["#0072B2", "#D55E00"] {
            assert!(svg.contains(&format!("<polyline fill=\"none\" opacity=\"1\" stroke=\"{colour}\"")), "no line in {colour}");
        }
    }

    #[test]
    fn a_plot_of_nothing_says_so() {
        let svg = Plot::over_time("CPU", "cores", [Series::new("server", Vec::new())]).to_svg().unwrap();
        assert!(svg.contains("nothing was measured"));
    }

    #[test]
    fn shares_are_named_by_their_nines() {
        let plot = Plot::percentiles("gaps", []);
        let names: Vec<String> = [0.0, 1.0, 2.0, 3.0, 4.0].iter().map(plot.x_label).collect();
        assert_eq!(names, ["0%", "90%", "99%", "99.9%", "99.99%"]);
    }
}
