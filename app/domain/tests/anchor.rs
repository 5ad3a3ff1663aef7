//! The promises of anchoring: what a thread's place may and may not do when a revision is published.
#![cfg(feature = "rules")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use domain::rfc::anchor::{Anchor, AnchorMethod, AnchorState, Origin, Outline, Publication, Span};
use domain::rfc::diff::{Diff, Mapping};
use proptest::prelude::*;

const RUNBOOK: &str = "\
# Queue workers

## Summary

Move the nightly export to the queue. Each worker takes one job, writes a checkpoint every minute, and gives the job
back when its node is drained. Nobody has to start an export by hand again.

## Limits

| queue | workers | timeout |
|-------|---------|---------|
| fast  | 8       | 30 s    |
| slow  | 2       | 45 min  |

```sh
# not a heading
export QUEUE=slow
./worker --drain
```

## Rollback

Stop the workers, switch the flag back, and run the old cron job once. Jobs that are half done start again from their
checkpoint.
";

fn span(body: &str, quote: &str) -> Span {
    let start = body.find(quote).expect("the quote is in the text");
    Span::checked(start, start + quote.len(), body).unwrap()
}

/// Opens a thread on `quote` in the first body and publishes the others one after the other.
fn publish(bodies: &[&str], quote: &str) -> Anchor {
    let origin = Origin { body: bodies[0], span: span(bodies[0], quote) };
    bodies
        .windows(2)
        .fold(Anchor::selected(origin.span), |anchor, pair| Publication::new(pair[0], pair[1]).carry(&origin, &anchor))
}

fn text(body: &str, anchor: Anchor) -> &str {
    anchor.span.expect("the thread has a place").of(body)
}

#[test]
fn text_above_only_shifts() {
    let next = RUNBOOK.replace("## Summary\n", "## Status\n\nIn review.\n\n## Summary\n");
    let anchor = publish(&[RUNBOOK, &next], "writes a checkpoint every minute");
    assert_eq!((anchor.state, anchor.method), (AnchorState::Exact, AnchorMethod::Diff));
    assert_eq!(anchor.span, Some(span(&next, "writes a checkpoint every minute")));
}

#[test]
fn a_reworded_sentence_is_edited() {
    let next = RUNBOOK
        .replace("takes one job, writes a checkpoint every minute", "takes one job, saves a checkpoint each minute");
    let anchor = publish(&[RUNBOOK, &next], "Each worker takes one job, writes a checkpoint every minute");
    assert_eq!(anchor.state, AnchorState::Edited);
    assert_eq!(text(&next, anchor), "Each worker takes one job, saves a checkpoint each minute");
}

#[test]
fn wrapping_a_paragraph_anew_keeps_the_place() {
    let next = RUNBOOK.replace("Each worker takes one job, writes", "Each worker\ntakes one job,\nwrites");
    let anchor = publish(&[RUNBOOK, &next], "one job, writes a checkpoint");
    assert_eq!(anchor.state, AnchorState::Edited);
    assert_eq!(text(&next, anchor), "one job,\nwrites a checkpoint");
}

#[test]
fn a_moved_section_takes_its_threads_along() {
    let (before, section) = RUNBOOK.split_at(RUNBOOK.find("## Rollback").unwrap());
    let next = before.replace("## Summary", &format!("{section}\n## Summary"));
    let anchor = publish(&[RUNBOOK, &next], "run the old cron job once");
    assert!(anchor.state.is_anchored());
    assert_eq!(text(&next, anchor), "run the old cron job once");
}

#[test]
fn a_moved_sentence_is_moved_and_stays_so() {
    let moved = RUNBOOK.replace(" Nobody has to start an export by hand again.", "");
    let moved = moved.replace("Stop the workers,", "Nobody has to start an export by hand again. Stop the workers,");
    let later = moved.replace("# Queue workers", "# Export workers");
    let anchor = publish(&[RUNBOOK, &moved], "Nobody has to start an export by hand again.");
    assert_eq!((anchor.state, anchor.method), (AnchorState::Moved, AnchorMethod::Quote));
    let anchor = publish(&[RUNBOOK, &moved, &later], "Nobody has to start an export by hand again.");
    assert_eq!((anchor.state, anchor.method), (AnchorState::Moved, AnchorMethod::Diff));
    assert_eq!(text(&later, anchor), "Nobody has to start an export by hand again.");
}

#[test]
fn a_moved_and_edited_sentence_is_only_suggested() {
    let gone = RUNBOOK.replace("Stop the workers, switch the flag back, and run the old cron job once. ", "");
    let next = gone.replace(
        "Move the nightly",
        "Stop the workers, switch the flag off, and run the old cron job once.\n\nMove the nightly",
    );
    let anchor =
        publish(&[RUNBOOK, &gone, &next], "Stop the workers, switch the flag back, and run the old cron job once.");
    assert_eq!((anchor.state, anchor.method), (AnchorState::Suggested, AnchorMethod::Similar));
    assert_eq!(text(&next, anchor), "Stop the workers, switch the flag off, and run the old cron job once.");
}

#[test]
fn deleted_text_is_orphaned_at_its_heading_and_healed_when_put_back() {
    let gone = RUNBOOK.replace("| slow  | 2       | 45 min  |\n", "");
    let anchor = publish(&[RUNBOOK, &gone], "| slow  | 2       | 45 min  |");
    assert_eq!(anchor, Anchor::orphaned());
    let origin = Origin { body: RUNBOOK, span: span(RUNBOOK, "| slow  | 2") };
    assert_eq!(
        Publication::new(RUNBOOK, &gone).nearest_heading(&Outline::of(origin.body), origin.span.start),
        gone.find("## Limits")
    );

    let anchor = publish(&[RUNBOOK, &gone, RUNBOOK], "| slow  | 2       | 45 min  |");
    assert_eq!((anchor.state, anchor.method), (AnchorState::Exact, AnchorMethod::Quote));
    assert_eq!(text(RUNBOOK, anchor), "| slow  | 2       | 45 min  |");
}

#[test]
fn a_short_word_is_not_sent_to_a_chance_occurrence() {
    let gone = RUNBOOK
        .replace("writes a checkpoint every minute, and", "and")
        .replace("switch the flag", "minute by minute switch the flag");
    assert!(!publish(&[RUNBOOK, &gone], "minute").state.is_anchored());
}

#[test]
fn many_small_edits_end_as_an_orphan() {
    let words: Vec<String> = (0..12).map(|n| format!("alpha{n:02}")).collect();
    let mut bodies = vec![words.join(" ")];
    for n in 0..12 {
        bodies.push(bodies[n].replace(&format!("alpha{n:02}"), &format!("omega{n:02}")));
    }
    let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
    assert_eq!(publish(&bodies[..6], bodies[0]).state, AnchorState::Edited);
    assert_eq!(publish(&bodies, bodies[0]).state, AnchorState::Orphaned);
}

#[test]
fn what_one_edit_takes_out_and_another_puts_back_is_exact_again() {
    let shorter = RUNBOOK.replace(", and gives the job\nback when its node is drained", "");
    let quote = "writes a checkpoint every minute, and gives the job\nback when its node is drained.";
    assert_eq!(publish(&[RUNBOOK, &shorter, RUNBOOK], quote).span, Some(span(RUNBOOK, quote)));
}

#[test]
fn of_several_occurrences_the_one_with_the_old_surroundings_is_taken() {
    let old = "First step: drain the node and wait.\n\nSecond step: drain the node and leave.\n";
    let gone = "Nothing here.\n";
    let back =
        "Intro.\n\nFirst step: drain the node and wait.\n\nMore.\n\nSecond step: drain the node and leave.\n\nEnd.\n";
    let anchor = publish(&[old, gone, back], "drain the node and");
    assert_eq!(anchor.span, Some(span(back, "drain the node and")));
    assert!(anchor.state.is_anchored());
}

#[test]
fn the_whole_document_can_be_selected() {
    let next = RUNBOOK.replace("45 min", "50 min");
    let anchor = publish(&[RUNBOOK, &next], RUNBOOK);
    assert_eq!((anchor.state, text(&next, anchor)), (AnchorState::Edited, next.as_str()));
    assert_eq!(publish(&[RUNBOOK, ""], RUNBOOK), Anchor::orphaned());
}

#[test]
fn hostile_texts_take_no_time_to_speak_of() {
    let one_line = "lorem ipsum, dolor (sit) amet; ".repeat(512 * 1024 / 32);
    let other_line = "amet sit; dolor (ipsum) lorem, ".repeat(512 * 1024 / 32);
    let same_lines = "a\n".repeat(100_000);
    let fewer_lines = "b\n".repeat(30_000) + &"a\n".repeat(70_000);
    // Eight words in two orders that have nothing in common, on one line and on a line each.
    let digits = |seed: u32, end: char| -> String {
        let mut state = seed;
        let mut digit = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_digit(state >> 16 & 7, 10).unwrap()
        };
        (0..60_000).flat_map(|_| [digit(), end]).collect()
    };
    let (words, other_words, lines, other_lines) = (digits(1, ' '), digits(2, ' '), digits(1, '\n'), digits(2, '\n'));
    for (old, new) in [
        (&one_line, &other_line),
        (&same_lines, &fewer_lines),
        (&fewer_lines, &same_lines),
        (&words, &other_words),
        (&lines, &other_lines),
    ] {
        let publication = Publication::new(old, new);
        for (start, end) in [(0, 1), (2, 60), (1000, 30_000), (0, old.len())] {
            let origin = Origin { body: old, span: Span::checked(start, end, old).unwrap() };
            publication.carry(&origin, &Anchor::selected(origin.span));
            publication.carry(&origin, &Anchor::orphaned());
        }
    }
}

/// Markdown-like text with repeated words, repeated lines and characters of every width.
fn body() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "the",
        "queue",
        "`code`",
        "größer",
        "日本語",
        "🚀",
        "- ",
        "# ",
        "| a |",
        "```",
        "  ",
        "\n",
        "\n\n",
    ]);
    prop::collection::vec(word, 0..120).prop_map(|words| words.join(" "))
}

/// A text and a range of it on character borders.
fn selection() -> impl Strategy<Value = (String, Span)> {
    body().prop_filter("nothing to select", |body| !body.is_empty()).prop_flat_map(|body| {
        let borders: Vec<usize> = body.char_indices().map(|(at, _)| at).chain([body.len()]).collect();
        let last = borders.len() - 1;
        (0..last, 1..=last).prop_map(move |(start, len)| {
            let span = Span { start: borders[start], end: borders[(start + len).min(last)] };
            (body.clone(), span)
        })
    })
}

proptest! {
    #[test]
    fn the_same_text_keeps_every_place((body, span) in selection()) {
        let anchor = Publication::new(&body, &body).carry(&Origin { body: &body, span }, &Anchor::selected(span));
        prop_assert_eq!(anchor, Anchor { method: AnchorMethod::Diff, ..Anchor::selected(span) });
    }

    #[test]
    fn lines_above_shift_every_place((body, span) in selection(), above in "[A-Z]{1,9}\n") {
        // Capitals occur nowhere in the body, so there is only one way to see what was added.
        let next = format!("{above}{body}");
        let anchor = Publication::new(&body, &next).carry(&Origin { body: &body, span }, &Anchor::selected(span));
        let shifted = Span { start: span.start + above.len(), end: span.end + above.len() };
        prop_assert_eq!((anchor.state, anchor.span), (AnchorState::Exact, Some(shifted)));
    }

    #[test]
    fn a_place_is_always_sound((old, span) in selection(), middle in body(), new in body()) {
        let origin = Origin { body: &old, span };
        let first = Publication::new(&old, &middle).carry(&origin, &Anchor::selected(span));
        let second = Publication::new(&middle, &new).carry(&origin, &first);
        prop_assert_eq!(second, Publication::new(&middle, &new).carry(&origin, &first));
        for (body, anchor) in [(&middle, first), (&new, second)] {
            prop_assert_eq!(anchor.span.is_none(), anchor.state == AnchorState::Orphaned);
            prop_assert!((0.0..=1.0).contains(&anchor.score));
            let Some(found) = anchor.span else { continue };
            prop_assert_eq!(Span::checked(found.start, found.end, body), Some(found));
            if matches!(anchor.state, AnchorState::Exact | AnchorState::Moved) {
                prop_assert_eq!(found.of(body), origin.quote());
            }
            if anchor.state == AnchorState::Edited {
                prop_assert!(anchor.score >= 0.5 && found.len() <= 3 * span.len() + 40);
            }
        }
        let publication = Publication::new(&middle, &new);
        if let Some(heading) = publication.nearest_heading(&Outline::of(origin.body), origin.span.start) {
            prop_assert!(new.is_char_boundary(heading));
        }
    }

    #[test]
    fn kept_text_is_the_same_on_both_sides(old in body(), new in body()) {
        let pieces: Vec<_> = Mapping::between(&old, &new).pieces(0..old.len()).collect();
        for piece in &pieces {
            prop_assert!(piece.len > 0);
            prop_assert_eq!(&old[piece.old..piece.old + piece.len], &new[piece.new..piece.new + piece.len]);
        }
        for pair in pieces.windows(2) {
            prop_assert!(pair[0].old + pair[0].len <= pair[1].old && pair[0].new + pair[0].len <= pair[1].new);
        }
    }

    #[test]
    fn hunks_turn_the_old_text_into_the_new_one(old in body(), new in body()) {
        let mut rebuilt = String::new();
        let mut at = 0;
        for hunk in Diff::between(&old, &new).hunks() {
            rebuilt += &old[at..hunk.old.start];
            prop_assert_eq!(rebuilt.len(), hunk.new.start);
            rebuilt += &new[hunk.new.clone()];
            at = hunk.old.end;
        }
        prop_assert_eq!(rebuilt + &old[at..], new);
    }

    #[test]
    fn any_text_at_all(old in any::<String>(), new in any::<String>(), cut in any::<prop::sample::Index>()) {
        prop_assume!(!old.is_empty());
        let start = old.floor_char_boundary(cut.index(old.len()));
        let span = Span { start, end: old.len() };
        let origin = Origin { body: &old, span };
        let anchor = Publication::new(&old, &new).carry(&origin, &Anchor::selected(span));
        prop_assert!(anchor.span.is_none_or(|found| Span::checked(found.start, found.end, &new).is_some()));
    }
}
