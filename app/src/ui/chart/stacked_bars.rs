//! Columns of stacked bars, with a legend and the numbers as a table.

use std::fmt::Write as _;

use leptos::prelude::*;
use leptos::tachys::html::InertElement;

use super::escape;
use super::scale::{Scale, every};
use crate::ui::{Disclosure, Table};

/// Series drawn each by itself at most; `style/components/chart.css` has as many colours, and one more for the others.
const SERIES: usize = 5;
/// Columns that carry a label at most: on a phone each has some 26 pixels.
const LABELS: usize = 12;
/// Fewer columns than this are not drawn wider.
const NARROWEST: usize = 6;
/// The part of its column that a bar fills.
const BAR: f64 = 0.68;
/// Pixels above the highest mark: for the number on the highest bar.
const TOP: f64 = 18.0;

/// A column: a month, a week, a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    label: String,
    short: String,
    under: String,
}

impl Column {
    /// A column with its full name (`November 2026`) and a short one to stand under the bar (`Nov`).
    pub fn new(label: impl Into<String>, short: impl Into<String>) -> Self {
        Self { label: label.into(), short: short.into(), under: String::new() }
    }

    /// A second line under the bar: the year, where one begins.
    #[must_use]
    pub fn under(self, under: impl Into<String>) -> Self {
        Self { under: under.into(), ..self }
    }
}

/// What is stacked: one number for each column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    label: String,
    href: String,
    values: Vec<i64>,
}

impl Series {
    /// A name and its numbers, one for each column; what is missing counts as 0.
    pub fn new(label: impl Into<String>, values: Vec<i64>) -> Self {
        Self { label: label.into(), href: String::new(), values }
    }

    /// The page that its name leads to.
    #[must_use]
    pub fn href(self, href: impl Into<String>) -> Self {
        Self { href: href.into(), ..self }
    }

    fn at(&self, column: usize) -> i64 {
        self.values.get(column).copied().unwrap_or_default().max(0)
    }

    fn total(&self) -> i64 {
        self.values.iter().map(|value| (*value).max(0)).sum()
    }
}

/// How many of what, column by column.
///
/// The five largest series are drawn each by itself, the largest at the foot; the others together. The table has all.
#[component]
pub fn StackedBars(
    /// Begins the ids in it; unique in the page.
    #[prop(into)]
    id: String,
    /// What it shows: `Incidents by month and type, last 12 months`.
    #[prop(into)]
    title: String,
    /// What a column is: `Month`.
    #[prop(into)]
    head: String,
    /// The columns, from the left.
    columns: Vec<Column>,
    /// What is stacked.
    series: Vec<Series>,
    /// What the series beyond the fifth are called together: `Other types`.
    #[prop(into)]
    others: String,
    /// Lower, for a section of a page that is about something else.
    #[prop(optional)]
    small: bool,
    /// Shows the table at once.
    #[prop(optional)]
    open: bool,
) -> impl IntoView {
    let drawn = drawn(&series, &others);
    let height = if small { 88.0 } else { 160.0 };
    let svg = draw(&id, &title, &columns, &drawn, height);
    let legend = drawn.iter().enumerate().map(|(place, series)| {
        let name = if series.href.is_empty() {
            view! { <span dir="auto">{series.label.clone()}</span> }.into_any()
        } else {
            view! { <a href=series.href.clone() dir="auto">{series.label.clone()}</a> }.into_any()
        };
        view! { <li>{InertElement::new(swatch(&id, place))} {name} <span class="chart-legend-total">{series.total()}</span></li> }
    });
    let legend = legend.collect_view();
    view! {
        <figure class="chart">
            {InertElement::new(svg)}
            <ul class="chart-legend">{legend}</ul>
            <Disclosure summary="The numbers as a table" open=open>
                <Numbers title=title head=head columns=columns series=series/>
            </Disclosure>
        </figure>
    }
}

/// All numbers: a row for each column of the drawing, the last first.
#[component]
fn Numbers(title: String, head: String, columns: Vec<Column>, series: Vec<Series>) -> impl IntoView {
    let series: Vec<_> = series.into_iter().filter(|series| series.total() > 0).collect();
    let heads = series.iter().map(|series| view! { <th scope="col" class="num">{series.label.clone()}</th> });
    let heads = heads.collect_view();
    let rows = columns.into_iter().enumerate().rev().map(|(place, column)| {
        let cells = series.iter().map(|series| view! { <td class="num">{series.at(place)}</td> }).collect_view();
        let total: i64 = series.iter().map(|series| series.at(place)).sum();
        view! { <tr><th scope="row" class="nowrap">{column.label}</th>{cells}<td class="num"><b>{total}</b></td></tr> }
    });
    let rows = rows.collect_view();
    view! {
        <Table caption=title>
            <thead><tr><th scope="col">{head}</th>{heads}<th scope="col" class="num">"All"</th></tr></thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

/// What is drawn: the largest series, then what the others make together.
fn drawn(series: &[Series], others: &str) -> Vec<Series> {
    let mut sorted: Vec<_> = series.iter().filter(|series| series.total() > 0).cloned().collect();
    sorted.sort_by_key(|series| std::cmp::Reverse(series.total()));
    // Four and "others", which is one, says less than five.
    if sorted.len() <= SERIES + 1 {
        return sorted;
    }
    let rest = sorted.split_off(SERIES);
    let columns = rest.iter().map(|series| series.values.len()).max().unwrap_or_default();
    let together = (0..columns).map(|column| rest.iter().map(|series| series.at(column)).sum()).collect();
    sorted.push(Series::new(others, together));
    sorted
}

/// How a series is filled: every second one has a pattern.
fn fill(id: &str, place: usize) -> String {
    let number = place.min(SERIES) + 1;
    if number.is_multiple_of(2) {
        format!("fill=\"url(#{id}-{number})\"")
    } else {
        format!("class=\"series-{number}\"")
    }
}

fn patterns(id: &str) -> String {
    const MARKS: [(usize, &str); 3] = [
        (2, "<path d=\"M-1 7 7 -1M-1 1 1 -1M5 7 7 5\"/>"),
        (4, "<circle cx=\"1.5\" cy=\"1.5\" r=\"1\"/><circle cx=\"4.5\" cy=\"4.5\" r=\"1\"/>"),
        (6, "<path d=\"M0 1.5H6M0 4.5H6\"/>"),
    ];
    let mut patterns = String::new();
    for (number, mark) in MARKS {
        let _ = write!(
            patterns,
            "<pattern id=\"{id}-{number}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect \
             class=\"series-{number}\" width=\"6\" height=\"6\"/><g class=\"series-mark\">{mark}</g></pattern>"
        );
    }
    patterns
}

fn swatch(id: &str, place: usize) -> String {
    let id = escape(id);
    let fill = fill(&id, place);
    format!(
        "<svg class=\"chart-swatch\" width=\"12\" height=\"12\" aria-hidden=\"true\"><rect {fill} width=\"12\" height=\"12\" \
         rx=\"2\"/></svg>"
    )
}

/// The sentence that says what is to be seen.
fn description(columns: &[Column], series: &[Series]) -> String {
    let total: i64 = series.iter().map(Series::total).sum();
    let sums = (0..columns.len()).map(|place| series.iter().map(|series| series.at(place)).sum::<i64>());
    let highest = sums.enumerate().max_by_key(|(place, sum)| (*sum, *place)).filter(|(_, sum)| *sum > 0);
    let parts: Vec<_> = series.iter().map(|series| format!("{} {}", series.label, series.total())).collect();
    match highest.and_then(|(place, sum)| Some((columns.get(place)?, sum))) {
        Some((column, sum)) => {
            format!(
                "{total} in all: {}. The most in {}: {sum}. The table has every number.",
                parts.join(", "),
                column.label
            )
        }
        None => "None.".to_owned(),
    }
}

fn draw(id: &str, title: &str, columns: &[Column], series: &[Series], height: f64) -> String {
    let id = escape(id);
    let sums: Vec<i64> = (0..columns.len()).map(|place| series.iter().map(|series| series.at(place)).sum()).collect();
    let scale = Scale::up_to(sums.iter().copied().max().unwrap_or_default(), 4);
    let two_lines = columns.iter().any(|column| !column.under.is_empty());
    let whole = TOP + height + if two_lines { 32.0 } else { 18.0 };
    let y = |value: i64| TOP + height * (1.0 - scale.share(value));
    let mut svg = format!(
        "<svg class=\"chart-plot\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" width=\"100%\" \
         height=\"{whole}\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc><defs>{}</defs>",
        escape(title),
        escape(&description(columns, series)),
        patterns(&id),
    );
    for mark in scale.marks() {
        let y = y(*mark);
        let _ = write!(
            svg,
            "<line class=\"chart-grid\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"chart-mark\" \
             x=\"-6\" y=\"{:.1}\">{mark}</text>",
            y + 4.0,
        );
    }
    let slot = 100.0 / as_float(columns.len().max(NARROWEST));
    let every = every(columns.len(), LABELS);
    for (place, column) in columns.iter().enumerate() {
        let middle = slot * (as_float(place) + 0.5);
        let mut below = 0;
        for (number, series) in series.iter().enumerate().filter(|(_, series)| series.at(place) > 0) {
            let (foot, head) = (y(below), y(below + series.at(place)));
            let _ = write!(
                svg,
                "<rect {} x=\"{:.2}%\" y=\"{head:.1}\" width=\"{:.2}%\" height=\"{:.1}\"><title>{}, {}: {}</title></rect>",
                fill(&id, number),
                middle - slot * BAR / 2.0,
                slot * BAR,
                // A hair of the ground between two parts.
                (foot - head - 1.0).max(1.0),
                escape(&column.label),
                escape(&series.label),
                series.at(place),
            );
            below += series.at(place);
        }
        if below > 0 {
            let _ = write!(
                svg,
                "<text class=\"chart-total\" x=\"{middle:.2}%\" y=\"{:.1}\">{below}</text>",
                y(below) - 4.0
            );
        }
        // Counted from the last column, which is the one that matters most.
        if (columns.len() - 1 - place).is_multiple_of(every) {
            let _ = write!(
                svg,
                "<text class=\"chart-label\" x=\"{middle:.2}%\" y=\"{:.1}\">{}</text>",
                TOP + height + 14.0,
                escape(&column.short),
            );
            if !column.under.is_empty() {
                let _ = write!(
                    svg,
                    "<text class=\"chart-label chart-under\" x=\"{middle:.2}%\" y=\"{:.1}\">{}</text>",
                    TOP + height + 28.0,
                    escape(&column.under),
                );
            }
        }
    }
    svg.push_str("</svg>");
    svg
}

#[expect(clippy::cast_precision_loss, reason = "a drawing has few columns")]
fn as_float(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(totals: &[i64]) -> Vec<Series> {
        let named = totals.iter().enumerate();
        named.map(|(number, total)| Series::new(format!("s{number}"), vec![*total, 0])).collect()
    }

    #[test]
    fn the_five_largest_are_drawn_and_the_others_together() {
        let labels = |series: Vec<Series>| {
            series.into_iter().map(|series| format!("{} {}", series.label, series.total())).collect::<Vec<_>>()
        };
        assert_eq!(labels(drawn(&series(&[1, 3, 0, 2]), "Others")), ["s1 3", "s3 2", "s0 1"]);
        assert_eq!(drawn(&series(&[1, 1, 1, 1, 1, 1]), "Others").len(), 6, "one more is drawn, too");
        let many = labels(drawn(&series(&[9, 8, 7, 6, 5, 4, 3]), "Others"));
        assert_eq!(many, ["s0 9", "s1 8", "s2 7", "s3 6", "s4 5", "Others 7"]);
    }

    #[test]
    fn a_drawing_has_words_and_places_but_no_styles() {
        let columns = [Column::new("November <2026>", "Nov").under("2026"), Column::new("December 2026", "Dec")];
        let series = drawn(&[Series::new("Deploy & co", vec![3, 1]), Series::new("Data", vec![1])], "Others");
        let svg = draw("x", "Incidents", &columns, &series, 100.0);
        assert!(svg.contains("<title id=\"x-title\">Incidents</title>"));
        assert!(svg.contains("5 in all: Deploy &amp; co 4, Data 1. The most in November &lt;2026&gt;: 4."), "{svg}");
        assert!(svg.contains("<title>November &lt;2026&gt;, Data: 1</title>"));
        assert!(!svg.contains("style="));
        // Four is the highest mark: the column is as high as the drawing, less the hair between its parts.
        assert!(svg.contains("y=\"43.0\" width=\"11.33%\" height=\"74.0\""), "{svg}");
        assert!(svg.contains("y=\"18.0\" width=\"11.33%\" height=\"24.0\""), "{svg}");
    }

    #[test]
    fn nothing_to_draw_is_a_drawing_of_nothing() {
        let svg = draw("x", "Incidents", &[], &[], 100.0);
        assert!(svg.contains("<desc id=\"x-desc\">None.</desc>"));
    }
}
