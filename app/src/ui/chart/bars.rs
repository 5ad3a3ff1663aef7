//! Horizontal bars: how many of each, the numbers beside them.

use leptos::prelude::*;
use leptos::tachys::html::InertElement;

use super::escape;
use crate::ui::Table;

/// A number as a bar beside others, for a cell of a table. Says nothing by itself: write the number in the next cell.
#[component]
pub fn Bar(
    /// The number; less than 0 counts as 0.
    value: i64,
    /// The largest of the numbers it stands among, which fills the whole width.
    max: i64,
    /// What it says when the pointer rests on it; nothing when empty.
    #[prop(optional, into)]
    title: String,
) -> impl IntoView {
    InertElement::new(bar(value, max, &title))
}

fn bar(value: i64, max: i64, title: &str) -> String {
    let share = if max > 0 { ratio(value, max) } else { 0.0 };
    let title = if title.is_empty() { String::new() } else { format!("<title>{}</title>", escape(title)) };
    format!(
        "<svg class=\"bar\" width=\"100%\" height=\"8\" aria-hidden=\"true\">{title}<rect class=\"bar-ground\" \
         width=\"100%\" height=\"8\" rx=\"2\"/><rect class=\"bar-value\" width=\"{:.1}%\" height=\"8\" rx=\"2\"/></svg>",
        share * 100.0,
    )
}

#[expect(clippy::cast_precision_loss, reason = "a place on a drawing needs no more than 52 bits")]
fn ratio(value: i64, max: i64) -> f64 {
    (value.max(0) as f64 / max as f64).min(1.0)
}

/// A row of a [`BarList`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarItem {
    label: String,
    href: String,
    value: i64,
}

impl BarItem {
    /// A thing and its number.
    pub fn new(label: impl Into<String>, value: i64) -> Self {
        Self { label: label.into(), href: String::new(), value }
    }

    /// The page that its name leads to.
    #[must_use]
    pub fn href(self, href: impl Into<String>) -> Self {
        Self { href: href.into(), ..self }
    }
}

/// How many of each, in the order given: a table whose middle column draws the numbers.
#[component]
pub fn BarList(
    /// What the table lists, spoken: `Incidents by team, last 12 months`.
    #[prop(into)]
    title: String,
    /// What the rows are: `Team`.
    #[prop(into)]
    head: String,
    /// What is counted: `Incidents`.
    #[prop(into)]
    unit: String,
    /// The rows.
    items: Vec<BarItem>,
) -> impl IntoView {
    let max = items.iter().map(|item| item.value).max().unwrap_or_default();
    let rows = items.into_iter().map(|BarItem { label, href, value }| {
        let said = format!("{label}: {value}");
        let name = if href.is_empty() {
            view! { <span dir="auto">{label}</span> }.into_any()
        } else {
            view! { <a href=href dir="auto">{label}</a> }.into_any()
        };
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="bar-cell"><Bar value=value max=max title=said/></td>
                <td class="num">{value}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Table caption=title>
            <thead><tr><th scope="col" colspan="2">{head}</th><th scope="col" class="num">{unit}</th></tr></thead>
            <tbody>{rows}</tbody>
        </Table>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_of_the_largest() {
        assert!(bar(5, 20, "").contains("class=\"bar-value\" width=\"25.0%\""));
        assert!(bar(20, 20, "").contains("class=\"bar-value\" width=\"100.0%\""));
        assert!(bar(-1, 20, "").contains("class=\"bar-value\" width=\"0.0%\""));
        assert!(bar(3, 0, "a<b").contains("<title>a&lt;b</title>"));
        assert!(!bar(1, 1, "").contains("style"));
    }
}
