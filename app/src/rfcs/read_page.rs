//! Reading an RFC: its text, the threads beside it, and what can be done with it.

use std::sync::Arc;

use backend::Page;
use backend::events::activity::{self, About, Entry};
use backend::rfcs::read::Rfc;
use backend::rfcs::render::Rendered;
use backend::rfcs::threads::{Thread, Threads};
use backend::rfcs::{comments, read, renderings, threads};
use domain::rfc::ThreadState;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_meta::Title;

use super::news_island::NewsOfRfc;
use super::reading::{self, Asked, Reading};
use super::select_island::SelectToComment;
use super::thread::{quote_of, thread_card};
use super::{composer, document, header, kept};
use crate::page::page;
use crate::session;
use crate::ui::{Activity, Count, Form, Glyph, Hidden, Icon, Notice, Tone};
use crate::urls;

/// What the page shows.
struct Loaded {
    rfc: Rfc,
    rendered: Arc<Rendered>,
    threads: Threads,
    reading: Reading,
    about: About,
    latest: Page<Entry>,
}

/// An RFC at one of its revisions.
#[component]
pub fn ReadPage() -> impl IntoView {
    let signed_in = session::signed_in();
    let (number, asked) = (reading::number(), Asked::read());
    let done = session::visit().done;
    page(
        async move {
            let (backend, actor) = signed_in?;
            let number = number?;
            let rfc = read::read(&backend, &actor, number, asked.revision).await?;
            let rendered = renderings::rendering(&backend, &rfc).await?;
            let threads = threads::list(&backend, &actor, number, Some(i64::from(rfc.revision))).await?;
            let history = if asked.history.is_empty() {
                Vec::new()
            } else {
                comments::history(&backend, &actor, &asked.history).await?
            };
            let (revision, newest, may_comment) = (rfc.revision, rfc.newest_revision, rfc.may.comment);
            let kept = kept::done_with(done, actor.id, number);
            let reading = Reading { number, revision, newest, may_comment, kept, asked, history };
            let about = About::new("rfc", number.to_string());
            let latest = activity::latest(&backend, &actor, &about).await?;
            Ok(Loaded { rfc, rendered, threads, reading, about, latest })
        },
        show,
    )
}

fn show(loaded: Loaded) -> AnyView {
    let Loaded { rfc, rendered, mut threads, mut reading, about, latest } = loaded;
    let title = format!("RFC-{} {} · Plumbline", rfc.number, rfc.title);
    // The first open one, to begin with; when all are settled, the first.
    let first = threads.items.iter().find(|thread| is_open(thread.state)).or(threads.items.first());
    let first = first.map(|thread| reading.state(&[], &format!("thread-{}", thread.id)));
    let open = threads.items.iter().filter(|thread| is_open(thread.state)).count();
    let resolved = threads.items.len() - open;
    let later = threads.opened_later;
    let attached = attached(&threads.items, &mut reading);
    let news = attached.is_none();
    if !news {
        // Whoever looks for its place needs the text, not the other threads.
        threads.items.retain(|thread| reading.asked.attach == thread.id);
    }
    let (toc, titled) = document::without_title(&rendered, &rfc.title);
    let contents = document::contents(toc);
    let mut placed = document::sort_to_blocks(threads.items, &rendered);
    let whole = std::mem::take(&mut placed.whole);
    view! {
        <Title text=title/>
        // Drawn at the window's foot; here because nobody finds it behind hundreds of threads with the keyboard.
        {news.then(|| view! { <NewsOfRfc/> })}
        <div class="rfc wide">
            {contents}
            <div class="rfc-main">
                {header::header(&rfc, first, open, resolved)}
                {older(&rfc, later)}
                {attached.map(|quote| attaching(quote, &reading))}
                {symbols()}
                {document::body(&rendered, titled, placed, &reading)}
                {discussion(whole, &reading)}
                <Activity about=about latest=latest/>
            </div>
        </div>
        <SelectToComment/>
    }
    .into_any()
}

fn is_open(state: ThreadState) -> bool {
    matches!(state, ThreadState::Open | ThreadState::NeedsVerification)
}

/// Says that this is not the newest text.
fn older(rfc: &Rfc, later: i64) -> Option<AnyView> {
    (rfc.revision != rfc.newest_revision).then(|| {
        let title = format!("This is revision {} of {}.", rfc.revision, rfc.newest_revision);
        let more = match later {
            0 => String::new(),
            1 => " One thread began on a later revision and is not shown here.".to_owned(),
            later => format!(" {later} threads began on later revisions and are not shown here."),
        };
        let newest = urls::rfc(rfc.number);
        view! {
            <Notice tone=Tone::Warn title=title>
                <p>
                    <a href=newest>"Read the newest revision"</a>
                    ". Comments made here move on to it."
                    {more}
                </p>
            </Notice>
        }
        .into_any()
    })
}

/// The quote of the thread that is being put in its place, if its reader may do that here; else nothing is.
fn attached(threads: &[Thread], reading: &mut Reading) -> Option<String> {
    let thread = reading.attaching().and_then(|id| threads.iter().find(|thread| thread.id == id));
    let quote = thread.filter(|thread| thread.anchor.is_some()).map(|thread| quote_of(thread, false));
    if quote.is_none() {
        reading.asked.attach.clear();
    }
    quote
}

/// Says what to do while a thread is put in its place; its form is what the buttons beside the blocks submit.
fn attaching(quote: String, reading: &Reading) -> AnyView {
    let thread = reading.asked.attach.clone();
    let back = reading.state(&[], &format!("thread-{thread}"));
    let (number, revision) = (reading.number.to_string(), reading.revision.to_string());
    view! {
        <div class="attach" id="attach">
            <Notice tone=Tone::Accent title="Where does this thread belong?">
                <blockquote class="thread-quote" dir="auto">{quote}</blockquote>
                <p>
                    "Select the words it is about, or press the button beside a part of the text. Until then the \
                     other threads are out of the way. "
                    <a href=back>"Leave it where it is"</a>
                    "."
                </p>
            </Notice>
            <Form action=super::api::Reattach::PATH id="attach-form">
                <Hidden name="number" value=number/>
                <Hidden name="thread" value=thread/>
                <Hidden name="revision" value=revision/>
                <button type="submit" id="attach-selected" name="range" hidden=true></button>
            </Form>
        </div>
    }
    .into_any()
}

/// Drawings used by every block.
fn symbols() -> impl IntoView {
    view! {
        <svg class="symbols" width="0" height="0" aria-hidden="true">
            <symbol id="comment-plus" viewBox="0 0 16 16">
                <Icon glyph=Glyph::CommentPlus/>
            </symbol>
        </svg>
    }
}

/// Threads about the whole RFC, and the form for another one.
fn discussion(threads: Vec<Thread>, reading: &Reading) -> Option<AnyView> {
    if threads.is_empty() && !reading.may_comment {
        return None;
    }
    let count = i64::try_from(threads.len()).unwrap_or(i64::MAX);
    let cards: Vec<_> = threads.into_iter().map(|thread| thread_card(thread, false, reading)).collect();
    let form = reading.may_comment.then(|| composer::whole(reading));
    let view = view! {
        <section class="rfc-discussion" id="discussion">
            <div class="section-head">
                <h2>"About the whole RFC"</h2>
                {(count > 0).then(|| view! { <Count n=count/> })}
            </div>
            {cards}
            {form}
        </section>
    };
    Some(view.into_any())
}
