//! The text of an RFC, block by block, with the threads beside the block they are about.

use backend::rfcs::render::{Block, BlockKind, Rendered, TocEntry, block_at};
use backend::rfcs::threads::Thread;
use leptos::prelude::*;

use super::composer;
use super::reading::Reading;
use super::thread::thread_card;
use crate::ui::{Glyph, Icon};
use crate::urls;

/// Threads, sorted to where they are shown.
pub(super) struct Placed {
    /// For each block, the threads about it.
    beside: Vec<Vec<Thread>>,
    /// For each block, the threads whose text is gone and that are kept after it; the first entry is the document's top.
    orphaned: Vec<Vec<Thread>>,
    /// Threads about the whole RFC.
    pub(super) whole: Vec<Thread>,
}

/// Sorts threads to the blocks they are shown with. None is left out.
pub(super) fn sort_to_blocks(threads: Vec<Thread>, rendered: &Rendered) -> Placed {
    let blocks = rendered.blocks.len();
    let mut placed = Placed {
        beside: (0..blocks).map(|_| Vec::new()).collect(),
        orphaned: (0..=blocks).map(|_| Vec::new()).collect(),
        whole: Vec::new(),
    };
    for thread in threads {
        let Some(anchor) = &thread.anchor else {
            placed.whole.push(thread);
            continue;
        };
        let byte = |offset: i32| usize::try_from(offset).unwrap_or(0);
        let place = if let (Some(start), Some(end)) = (anchor.start, anchor.end) {
            block_at(rendered, byte(start)..byte(end)).and_then(|block| placed.beside.get_mut(block))
        } else {
            let heading = anchor.heading.map(byte).and_then(|byte| block_at(rendered, byte..byte + 1));
            placed.orphaned.get_mut(heading.map_or(0, |block| block + 1))
        };
        match place {
            Some(place) => place.push(thread),
            None => placed.whole.push(thread),
        }
    }
    placed
}

/// The lines of the contents and whether the text begins with its own title as a heading, which then is not said twice.
pub(super) fn without_title<'a>(rendered: &'a Rendered, title: &str) -> (&'a [TocEntry], bool) {
    let first = rendered.blocks.first().and_then(|block| block.heading.as_deref());
    match rendered.toc.split_first() {
        Some((entry, rest)) if first == Some(&entry.id) && entry.text.trim() == title => (rest, true),
        _ => (&rendered.toc, false),
    }
}

/// The contents: a line for each heading.
pub(super) fn contents(toc: &[TocEntry]) -> Option<AnyView> {
    // The page's own title is above: the document's highest headings stand on the second level.
    let highest = toc.iter().map(|entry| entry.level).min()?;
    let lines: Vec<_> = toc
        .iter()
        .map(|entry| {
            let class = format!("level-{}", entry.level - highest + 2);
            view! { <li class=class><a href=format!("#{}", entry.id)>{entry.text.clone()}</a></li> }
        })
        .collect();
    let view = view! {
        <nav class="rfc-toc" aria-label="Contents">
            <details>
                <summary>
                    <span class="disclosure-mark"><Icon glyph=Glyph::ChevronRight/></span>
                    "Contents"
                </summary>
                <ol>{lines}</ol>
            </details>
        </nav>
    };
    Some(view.into_any())
}

/// The text with its threads. The article's data tell the island what it may do. `titled`: the first block is the title.
pub(super) fn body(rendered: &Rendered, titled: bool, placed: Placed, reading: &Reading) -> AnyView {
    let compose_at = reading.asked.range.filter(|_| reading.may_comment);
    let composed = compose_at.and_then(|(start, end)| block_at(rendered, start..end));
    let attach = reading.attaching();
    let mut orphaned = placed.orphaned.into_iter();
    let top = orphaned.next().and_then(|threads| gone(threads, reading));
    let passages: Vec<_> = rendered
        .blocks
        .iter()
        .zip(placed.beside)
        .zip(orphaned)
        .enumerate()
        .map(|(index, ((block, threads), orphaned))| {
            let form = (composed == Some(index)).then(|| composer::composer(reading, compose_at));
            let class = if titled && index == 0 { "passage passage-title" } else { "passage" };
            (passage(class, block, threads, form, reading), gone(orphaned, reading))
        })
        .collect();
    let waiting = (reading.may_comment && composed.is_none()).then(|| composer::composer(reading, None));
    view! {
        <article
            class="rfc-body"
            id="rfc-body"
            data-rfc=reading.number
            data-revision=reading.revision
            data-comment=reading.may_comment.then_some("")
            data-attach=attach.map(str::to_owned)
            data-kept=reading.kept.clone()
        >
            {top}
            {passages}
            {waiting}
        </article>
    }
    .into_any()
}

/// A block, its threads, and the door to a new one.
fn passage(
    class: &'static str,
    block: &Block,
    threads: Vec<Thread>,
    composer: Option<AnyView>,
    reading: &Reading,
) -> AnyView {
    let (start, end) = (block.start, block.end);
    let beside = (!threads.is_empty()).then(|| {
        let code = block.kind == BlockKind::Code;
        let cards: Vec<_> = threads.into_iter().map(|thread| thread_card(thread, code, reading)).collect();
        view! { <div class="threads" role="group" aria-label="Threads on this part of the text">{cards}</div> }
    });
    let door = if start >= end {
        None
    } else if reading.attaching().is_some() {
        let range = format!("{start}-{end}");
        let button = view! {
            <button type="submit" class="block-add block-attach" form="attach-form" name="range" value=range>
                "Put it here"
            </button>
        };
        Some(button.into_any())
    } else {
        reading.may_comment.then(|| {
            let href = urls::comment_on(reading.number, reading.revision, start, end);
            // One drawing for all blocks: a document has thousands.
            let link = view! {
                <a class="block-add" href=href aria-label="Comment on this part of the text">
                    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                        <use href="#comment-plus"></use>
                    </svg>
                </a>
            };
            link.into_any()
        })
    };
    view! {
        <div class=class>
            {beside}
            <div
                class="block prose"
                dir="auto"
                id=block.id.clone()
                data-start=start
                data-end=end
                data-runs=block.runs.clone()
                inner_html=block.html.clone()
            ></div>
            {door}
            {composer}
        </div>
    }
    .into_any()
}

/// Threads whose text is gone, kept where it was.
fn gone(threads: Vec<Thread>, reading: &Reading) -> Option<AnyView> {
    if threads.is_empty() {
        return None;
    }
    let title = match threads.len() {
        1 => "The text this thread is about is gone from this revision.".to_owned(),
        count => format!("The texts these {count} threads are about are gone from this revision."),
    };
    let cards: Vec<_> = threads.into_iter().map(|thread| thread_card(thread, false, reading)).collect();
    let view = view! {
        <div class="orphaned">
            <p class="orphaned-title"><Icon glyph=Glyph::Unlink/> {title}</p>
            {cards}
        </div>
    };
    Some(view.into_any())
}
