//! Footnotes: the marks in the text, and the texts they refer to, which come after everything else.

use std::ops::Range;

use super::Walk;
use crate::rfcs::render::BlockKind;
use crate::rfcs::render::mapped::Mapped;
use crate::rfcs::render::outline::Footnote;

/// Marks in the text that a footnote's text leads back to; a footnote may be named thousands of times.
const MAX_BACK_LINKS: usize = 10;

impl Walk<'_> {
    pub(super) fn footnote_mark(&mut self, label: &str, range: Range<usize>) {
        let Some(Footnote { number, .. }) = self.outline.footnote(label) else {
            return self.text.push(self.source, &self.source[range.clone()], range);
        };
        let nth = self.referred.entry(number).or_insert(0);
        *nth += 1;
        let id = mark_id(number, *nth);
        let mut mark = Mapped::default();
        mark.push_whole(&number.to_string(), range);
        let writer = &mut self.current.writer;
        writer.begin();
        writer.open("sup", &[("class", "md-footnote-ref")]);
        if !writer.in_link() {
            let mut attributes = vec![("href", format!("#fn-{number}")), ("aria-label", format!("Footnote {number}"))];
            attributes.extend((*nth <= MAX_BACK_LINKS).then_some(("id", id)));
            let attributes: Vec<_> = attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
            writer.open("a", &attributes);
        }
        writer.text(&mark, 0..mark.as_str().len());
        writer.end();
    }

    /// A footnote's text: written aside when it stands at the top level, in place otherwise.
    pub(super) fn start_footnote(&mut self, label: &str, range: Range<usize>) {
        let footnote = self.outline.footnote(label).unwrap_or(Footnote { number: 0, references: 0 });
        self.open_footnotes.push(footnote);
        if self.current.writer.is_top() {
            self.interrupted = Some(std::mem::take(&mut self.current));
            self.open_block(BlockKind::Footnote, range);
        }
        let first = self.defined.insert(footnote.number);
        let id = format!("fn-{}", footnote.number);
        let writer = &mut self.current.writer;
        writer.begin();
        let attributes: Vec<_> =
            [("class", "md-footnote")].into_iter().chain(first.then_some(("id", id.as_str()))).collect();
        writer.open("div", &attributes);
        writer.begin();
        writer.open("span", &[("class", "md-footnote-number")]);
        writer.generated(&format!("{}.", footnote.number));
        writer.end();
    }

    /// The links back, at the end of the last paragraph when the text ends with one.
    pub(super) fn back_links(&mut self) {
        let Some(footnote) = self.open_footnotes.last_mut() else { return };
        let links = std::mem::take(&mut footnote.references).min(MAX_BACK_LINKS);
        for nth in 1..=links {
            let href = format!("#{}", mark_id(footnote.number, nth));
            let label = format!("Back to reference {nth} of footnote {}", footnote.number);
            let writer = &mut self.current.writer;
            writer.begin();
            writer.generated(" ");
            writer.open("a", &[("class", "md-footnote-back"), ("href", &href), ("aria-label", &label)]);
            writer.generated("\u{21a9}");
            writer.end();
        }
    }

    pub(super) fn end_footnote(&mut self) {
        self.back_links();
        let number = self.open_footnotes.pop().map_or(0, |footnote| footnote.number);
        let writer = &mut self.current.writer;
        writer.end();
        if writer.is_top() {
            let aside = std::mem::replace(&mut self.current, self.interrupted.take().unwrap_or_default());
            self.footnotes.extend(aside.into_block(self.source).map(|block| (number, block)));
        }
    }
}

/// The id of the nth mark that refers to a footnote.
fn mark_id(number: usize, nth: usize) -> String {
    if nth == 1 { format!("fnref-{number}") } else { format!("fnref-{number}-{nth}") }
}
