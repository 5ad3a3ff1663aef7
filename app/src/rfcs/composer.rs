//! The forms that open a thread: on a part of the text, and on the whole RFC.

use domain::limits;
use domain::rfc::Severity;
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::OpenThread;
use super::reading::Reading;
use crate::ui::{Button, Choice, Form, FormActions, Glyph, Hidden, Radios, TextArea, Variant};

/// The form for a comment on a part of the text. Without a range it waits, hidden, for the island, which moves it to
/// the paragraph and fills the range in.
pub(super) fn composer(reading: &Reading, range: Option<(usize, usize)>) -> AnyView {
    let offset = |offset: Option<usize>| offset.map(|offset| offset.to_string()).unwrap_or_default();
    let (start, end) = (offset(range.map(|(start, _)| start)), offset(range.map(|(_, end)| end)));
    let (number, revision, shown) = (reading.number.to_string(), reading.revision.to_string(), reading.shown());
    let back = reading.state(&[], "rfc-body");
    view! {
        <div class="composer" id="composer" hidden=range.is_none()>
            <blockquote class="thread-quote" hidden=true></blockquote>
            <Form action=OpenThread::PATH key="text" class="form-close">
                <Hidden name="number" value=number/>
                <Hidden name="revision" value=revision/>
                <Hidden name="start" value=start/>
                <Hidden name="end" value=end/>
                {shown}
                <TextArea
                    name="body"
                    label="Your comment on this part of the text"
                    hide_label=true
                    placeholder="Comment on this part of the text"
                    rows=3
                    required=true
                />
                {severity()}
                <FormActions>
                    <Button variant=Variant::Primary small=true>"Comment"</Button>
                    <Button href=back variant=Variant::Quiet small=true>"Cancel"</Button>
                    <span class="faint small">{formatting()}</span>
                </FormActions>
            </Form>
        </div>
    }
    .into_any()
}

/// The form for a comment on the whole RFC.
pub(super) fn whole(reading: &Reading) -> AnyView {
    let (number, revision, shown) = (reading.number.to_string(), reading.revision.to_string(), reading.shown());
    view! {
        <Form action=OpenThread::PATH key="whole" class="form-close">
            <Hidden name="number" value=number/>
            <Hidden name="revision" value=revision/>
            {shown}
            <TextArea name="body" label="Comment on the whole RFC" rows=3 required=true/>
            {severity()}
            <FormActions>
                <Button icon=Glyph::Comment>"Comment"</Button>
                <span class="faint small">{formatting()}</span>
            </FormActions>
        </Form>
    }
    .into_any()
}

/// How much weight the thread has.
fn severity() -> impl IntoView {
    let options = Severity::ALL.into_iter().map(|severity| Choice::new(severity.as_str(), severity.label())).collect();
    view! {
        <Radios
            name="severity"
            legend="How much weight it has"
            options=options
            value=Severity::Note.as_str()
            row=true
            hide_legend=true
        />
    }
}

/// What a comment may be.
fn formatting() -> String {
    format!("Markdown, at most {} KiB", limits::COMMENT_BYTES / 1024)
}
