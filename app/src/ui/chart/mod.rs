//! Charts: drawings of numbers, made on the server, each with its numbers as a table beneath.
//!
//! No scripts and no inline styles: places across are percentages of the drawing's own width, so that it fits every
//! screen while its letters keep their size; colours are classes (`style/components/chart.css`), and every second series
//! also has a pattern, so that nothing hangs on colour alone.
//!
//! | component | for |
//! |---|---|
//! | [`StackedBars`] | how many of what, column by column: incidents by month and type |
//! | [`BarList`] | how many of each, the most first: incidents by team |
//! | [`Bar`] | one number of several as a bar, for a cell of a table of your own |

mod bars;
mod scale;
mod stacked_bars;

pub use bars::{Bar, BarItem, BarList};
pub use stacked_bars::{Column, Series, StackedBars};

/// Text as part of markup.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_text() {
        assert_eq!(escape("a<b>\"&"), "a&lt;b&gt;&quot;&amp;");
    }
}
