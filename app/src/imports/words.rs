//! The words of imports on the screen.

use backend::imports::{Counts, Kind, Outcome, State};
use leptos::prelude::*;

use crate::ui::{Badge, Glyph, Tone};

/// What a file holds.
pub(super) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Catalog => "Catalogue",
        Kind::Incidents => "Incidents",
    }
}

/// Where an import stands.
#[component]
pub(super) fn StateBadge(
    /// Where it stands.
    state: State,
    /// Whether it was being applied, or is.
    begun: bool,
) -> impl IntoView {
    let (tone, icon, word) = match state {
        State::Receiving => (Tone::Accent, Glyph::Clock, "Arriving"),
        State::Checking => (Tone::Accent, Glyph::Clock, "Being compared"),
        State::Ready => (Tone::Warn, Glyph::Question, "Ready to apply"),
        State::Applying => (Tone::Accent, Glyph::Clock, "Being applied"),
        State::Applied => (Tone::Good, Glyph::CheckCircle, "Applied"),
        State::Cancelled => (Tone::Warn, Glyph::Alert, "Stopped"),
        State::Discarded => (Tone::Done, Glyph::Cross, "Discarded"),
        State::Failed if begun => (Tone::Bad, Glyph::Alert, "Stopped by a fault"),
        State::Failed => (Tone::Bad, Glyph::Alert, "Not understood"),
    };
    view! { <Badge tone=tone icon=icon>{word}</Badge> }
}

/// Lines with one outcome, as the word on their tab.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::New => "New",
        Outcome::Changed => "Changed",
        Outcome::Kept => "Kept as here",
        Outcome::Refused => "Refused",
        Outcome::Noted => "Reported",
    }
}

/// How large a file is.
pub(super) fn size(bytes: i64) -> String {
    const KIB: i64 = 1024;
    const MIB: i64 = 1024 * KIB;
    if bytes < KIB {
        return format!("{bytes} bytes");
    }
    if bytes < MIB {
        return format!("{} KiB", (bytes + KIB / 2) / KIB);
    }
    format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB)
}

/// The counts whose name begins with a word, without it: `service: 3`.
pub(super) fn sorts(counts: &Counts, word: &str) -> Vec<(String, i64)> {
    let prefix = format!("{word} ");
    let of_word = counts.0.iter().filter_map(|(what, n)| Some((what.strip_prefix(&prefix)?.to_owned(), *n)));
    of_word.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_say_them() {
        assert_eq!(
            [0, 1023, 1024, 123_899, 1_048_576, 104_857_600].map(size),
            ["0 bytes", "1023 bytes", "1 KiB", "121 KiB", "1.0 MiB", "100.0 MiB",]
        );
    }
}
