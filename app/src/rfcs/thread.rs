//! One thread as it stands beside the text: where it is, what was said, and the forms to go on.

use backend::rfcs::comments::{Comment, EarlierText};
use backend::rfcs::render::plain;
use backend::rfcs::threads::Thread;
use domain::rfc::ThreadState;
use domain::rfc::anchor::AnchorState;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api;
use super::reading::Reading;
use crate::ui::{
    AnchorNote, Avatar, Button, Confirm, Disclosure, Form, FormActions, Glyph, Hidden, Icon, SeverityBadge, TextArea,
    Time, Variant, is_refused,
};
use crate::urls;

/// Characters of a quote that are shown; the rest stands in the text.
const QUOTE_CHARS: usize = 600;

/// A thread. Resolved ones are folded. `verbatim`: it stands beside code, where every character of its quote counts.
pub(super) fn thread_card(thread: Thread, verbatim: bool, reading: &Reading) -> AnyView {
    let id = format!("thread-{}", thread.id);
    let (start, end) = match &thread.anchor {
        Some(anchor) => (anchor.start, anchor.end),
        None => (None, None),
    };
    let (state, severity) = (thread.state.as_str(), thread.severity.as_str());
    if matches!(thread.state, ThreadState::Resolved | ThreadState::Dropped) {
        let open = reading.is_in_use(&thread);
        let words = first_words(&thread);
        let label = thread.state.label();
        return view! {
            <details
                class="thread thread-resolved"
                id=id
                data-state=state
                data-severity=severity
                data-start=start
                data-end=end
                open=open
            >
                <summary>
                    <Icon glyph=Glyph::CheckCircle/>
                    <span class="truncate">{label} " · " <bdi>{words}</bdi></span>
                </summary>
                {inside(thread, verbatim, reading)}
            </details>
        }
        .into_any();
    }
    view! {
        <article class="thread" id=id data-state=state data-severity=severity data-start=start data-end=end>
            {inside(thread, verbatim, reading)}
        </article>
    }
    .into_any()
}

/// Everything inside the frame.
fn inside(thread: Thread, verbatim: bool, reading: &Reading) -> impl IntoView + use<> {
    let link = reading.state(&[], &format!("thread-{}", thread.id));
    let number = thread.id.clone();
    let note = thread.anchor.as_ref().map(|anchor| view! { <AnchorNote state=anchor.state/> });
    let quote = (!thread.quote.is_empty()).then(|| {
        view! { <blockquote class="thread-quote" dir="auto">{quote_of(&thread, verbatim)}</blockquote> }
    });
    let head = view! {
        <header class="thread-head">
            <SeverityBadge severity=thread.severity/>
            {note}
            <a class="thread-link" href=link aria-label=format!("Link to thread {number}")>
                <Icon glyph=Glyph::Link/>
            </a>
        </header>
    };
    let settled = thread.resolved_by.as_ref().zip(thread.resolved_at).map(|(by, at)| {
        view! { <p class="thread-settled">"Resolved by " {by.name.clone()} " " <Time at=at/></p> }
    });
    let comments: Vec<_> = thread.comments.iter().map(|comment| comment_view(comment, reading)).collect();
    view! {
        {head}
        {quote}
        {uncertain_place(&thread, reading)}
        {comments}
        {settled}
        {reply(&thread, reading)}
        {actions(&thread, reading)}
    }
}

/// What a person can do about a thread whose place is not certain.
fn uncertain_place(thread: &Thread, reading: &Reading) -> Option<AnyView> {
    let anchor = thread.anchor.as_ref()?;
    let origin = (thread.revision != reading.revision).then(|| {
        let revision = thread.revision.to_string();
        let href = urls::rfc_state(reading.number, &[("revision", &revision)], &format!("thread-{}", thread.id));
        view! { <a href=href>"See it in revision " {thread.revision}</a> }
    });
    let may = thread.may.comment && reading.is_newest();
    let choose = |words: &'static str| {
        may.then(|| {
            let href = urls::rfc_state(reading.number, &[("attach", &thread.id)], "attach");
            view! { <a class="button button-small" href=href>{words}</a> }
        })
    };
    let view = match anchor.state {
        AnchorState::Exact => return None,
        AnchorState::Suggested => {
            let range = anchor.start.zip(anchor.end).map(|(start, end)| format!("{start}-{end}"));
            let (number, revision) = (reading.number.to_string(), reading.revision.to_string());
            let (key, id) = (thread.id.clone(), thread.id.clone());
            let yes = range.filter(|_| may).map(|range| {
                view! {
                    <Form action=api::Reattach::PATH key=key class="form-inline">
                        <Hidden name="number" value=number/>
                        <Hidden name="thread" value=id/>
                        <Hidden name="revision" value=revision/>
                        <Button name="range" value=range small=true>"Yes, this is the place"</Button>
                    </Form>
                }
            });
            view! { <div class="thread-place">{yes} {choose("Choose another place")} {origin}</div> }.into_any()
        }
        AnchorState::Orphaned => {
            view! { <div class="thread-place">{choose("Choose its place")} {origin}</div> }.into_any()
        }
        AnchorState::Edited | AnchorState::Moved => {
            view! { <div class="thread-place">{choose("Choose another place")} {origin}</div> }.into_any()
        }
    };
    Some(view)
}

/// One comment, or the form to change it.
fn comment_view(comment: &Comment, reading: &Reading) -> AnyView {
    let id = format!("comment-{}", comment.id);
    let author = comment.author.name.clone();
    let at = comment.created_at;
    let own_link = reading.state(&[], &id);
    let body = if comment.deleted_at.is_some() {
        view! { <p class="comment-body comment-deleted">"This comment was deleted."</p> }.into_any()
    } else if reading.edits(&comment.id) && comment.may_edit {
        edit(comment, reading)
    } else {
        view! { <div class="comment-body prose small" dir="auto" inner_html=comment.html.clone()></div> }.into_any()
    };
    let edited = comment.edited_at.filter(|_| comment.deleted_at.is_none()).map(|at| {
        let href = reading.state(&[("history", &comment.id)], &id);
        view! { <a class="comment-edited" href=href>"edited " <Time at=at/></a> }
    });
    let tools = (comment.may_edit && !reading.edits(&comment.id)).then(|| {
        let href = reading.state(&[("edit", &comment.id)], &id);
        view! { <a class="comment-tools" href=href aria-label="Edit or delete this comment">"Edit"</a> }
    });
    let history = reading.history_of(&comment.id).map(|texts| history(texts, reading, &id));
    view! {
        <div class="comment" id=id.clone()>
            <header class="comment-head">
                <Avatar name=author.clone() small=true/>
                <b class="comment-author">{author}</b>
                <a href=own_link><span class="visually-hidden">"Link to this comment: "</span><Time at=at/></a>
                {edited}
                {tools}
            </header>
            {body}
            {history}
        </div>
    }
    .into_any()
}

/// The form to change one's own comment, and the way to take it back.
fn edit(comment: &Comment, reading: &Reading) -> AnyView {
    let back = reading.state(&[], &format!("comment-{}", comment.id));
    let id = comment.id.clone();
    let body = comment.body.clone();
    let (named, named_again) = (named(comment, reading), named(comment, reading));
    view! {
        <Form action=api::EditComment::PATH key=id.clone() class="form-close">
            {named()}
            <TextArea name="body" label="Your comment" hide_label=true value=body rows=3 required=true/>
            <FormActions>
                <Button variant=Variant::Primary small=true>"Save"</Button>
                <Button href=back variant=Variant::Quiet small=true>"Cancel"</Button>
            </FormActions>
        </Form>
        <Confirm
            label="Delete"
            title="Delete this comment?"
            text="The thread keeps its place; others see that something was deleted, not what it said."
            action=api::DeleteComment::PATH
            key=id
            confirm="Delete comment"
            small=true
        >
            {named_again()}
        </Confirm>
    }
    .into_any()
}

/// The hidden fields that name a comment and the text of it that is being changed.
fn named(comment: &Comment, reading: &Reading) -> impl FnOnce() -> AnyView + use<> {
    let (id, version, shown) = (comment.id.clone(), comment.version.to_string(), reading.shown());
    // Made inside the form: a field asks the form around it.
    move || {
        view! {
            <Hidden name="comment" value=id/>
            <Hidden name="version" value=version/>
            {shown}
        }
        .into_any()
    }
}

/// What a comment said before, the latest first.
fn history(texts: &[EarlierText], reading: &Reading, id: &str) -> impl IntoView + use<> {
    let earlier: Vec<_> = texts
        .iter()
        .rev()
        .map(|text| {
            view! {
                <li>
                    <p class="faint small">"Until " <Time at=text.replaced_at absolute=true/></p>
                    <pre class="comment-earlier" dir="auto">{text.body.clone()}</pre>
                </li>
            }
        })
        .collect();
    view! {
        <div class="comment-history">
            <p class="small"><b>"What it said before"</b> " " <a href=reading.state(&[], id)>"Hide"</a></p>
            <ol>{earlier}</ol>
        </div>
    }
}

fn reply(thread: &Thread, reading: &Reading) -> Option<AnyView> {
    thread.may.comment.then(|| {
        let (key, id, shown) = (thread.id.clone(), thread.id.clone(), reading.shown());
        view! {
            <Disclosure summary="Reply" class="reply" open=is_refused(api::Reply::PATH, &key)>
                <Form action=api::Reply::PATH key=key class="form-close">
                    <Hidden name="thread" value=id/>
                    {shown}
                    <TextArea name="body" label="Your reply" hide_label=true rows=2 required=true/>
                    <FormActions>
                        <Button variant=Variant::Primary small=true>"Reply"</Button>
                    </FormActions>
                </Form>
            </Disclosure>
        }
        .into_any()
    })
}

fn actions(thread: &Thread, reading: &Reading) -> Option<AnyView> {
    if !thread.may.settle {
        return None;
    }
    let resolved = matches!(thread.state, ThreadState::Resolved | ThreadState::Dropped);
    let (action, words, icon) = if resolved {
        (api::Reopen::PATH, "Reopen", Glyph::Reopen)
    } else {
        (api::Resolve::PATH, "Resolve", Glyph::Check)
    };
    let (key, id, shown) = (thread.id.clone(), thread.id.clone(), reading.shown());
    let view = view! {
        <footer class="thread-actions">
            <Form action=action key=key class="form-inline">
                <Hidden name="thread" value=id/>
                {shown}
                <Button variant=Variant::Quiet small=true icon=icon>{words}</Button>
            </Form>
        </footer>
    };
    Some(view.into_any())
}

/// What a folded thread is about.
fn first_words(thread: &Thread) -> String {
    let said = thread.comments.iter().find(|comment| comment.deleted_at.is_none());
    words_of(said.map_or(thread.quote.as_str(), |comment| &comment.body), 80)
}

/// What a thread is about, as one line. `verbatim`: it is code, and nothing in it is Markdown.
pub(super) fn quote_of(thread: &Thread, verbatim: bool) -> String {
    if verbatim { one_line(&thread.quote, QUOTE_CHARS) } else { words_of(&thread.quote, QUOTE_CHARS) }
}

/// The words of Markdown as one line of at most `max` characters.
fn words_of(markdown: &str, max: usize) -> String {
    // A row of a table without its table keeps its bars; those around it say nothing.
    one_line(plain(beginning(markdown, max)).trim_matches(['|', ' ', '\n']), max)
}

/// As much of a text as any line of `max` characters may need: nobody walks through a whole document for it.
fn beginning(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max.saturating_mul(8))]
}

/// A text as one line of at most `max` characters.
fn one_line(text: &str, max: usize) -> String {
    let near = beginning(text, max);
    let words = near.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None if near.len() < text.len() => format!("{words}…"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_become_one_line() {
        assert_eq!(one_line("a\n  b\tc ", 10), "a b c");
        assert_eq!(one_line("añ🧊zu viel", 4), "añ🧊z…");
        assert_eq!(one_line(&"ü ".repeat(1000), 3), "ü ü…");
    }
}
