//! Follow-ups on every page that shows them: the row, how urgent it is, the form that makes one.

use backend::follow_ups::{Counts, FollowUp};
use backend::rfcs::PersonRef;
use domain::follow_up::{Age, State};
use domain::limits;
use jiff::civil::Date;
use leptos::prelude::*;

use super::{
    Badge, Confirm, Field, FieldKind, Glyph, Hidden, Row, RowMeta, RowSide, TextArea, Tone, Variant, counted, numbered,
};
use crate::session::of_visit;
use crate::urls;

/// Where the form that makes a follow-up goes: `follow_ups/api.rs`, whose test holds both together.
pub const CREATE_FOLLOW_UP: &str = "/do/follow-ups/create";
/// Where the form that finishes one goes.
pub const FINISH_FOLLOW_UP: &str = "/do/follow-ups/finish";

/// A day as a person writes it; the year only where it is not this one.
pub fn civil_date(date: Date) -> String {
    let year = of_visit(|visit| visit.backend.now().to_zoned(visit.backend.time_zone().clone()).year());
    let form = if year.is_none_or(|year| year == date.year()) { "%-d %b" } else { "%-d %b %Y" };
    date.strftime(form).to_string()
}

/// How urgent an open follow-up is, or how it ended.
#[component]
pub fn DueBadge(
    /// Which.
    follow_up: FollowUp,
) -> impl IntoView {
    let exact = follow_up.due_on.strftime("Due on %A, %-d %B %Y").to_string();
    let (tone, icon) = match (follow_up.state, follow_up.age()) {
        (State::Open, Age::LongOverdue | Age::Overdue) => (Tone::Bad, Glyph::Alert),
        (State::Open, Age::Soon) => (Tone::Warn, Glyph::Clock),
        (State::Open, Age::Later) => (Tone::Neutral, Glyph::None),
        (State::Done, _) => (Tone::Good, Glyph::CheckCircle),
        (State::Dropped, _) => (Tone::Neutral, Glyph::Cross),
    };
    let words = words(follow_up.state, follow_up.days_overdue, follow_up.due_on);
    view! { <span title=exact><Badge tone=tone icon=icon>{words}</Badge></span> }
}

fn words(state: State, days_overdue: i32, due_on: Date) -> String {
    let days = |number: i32| numbered(number.into(), "day", "days");
    match (state, days_overdue) {
        (State::Open, 1..) => format!("Overdue {}", days(days_overdue)),
        (State::Open, 0) => "Due today".to_owned(),
        (State::Open, -1) => "Due tomorrow".to_owned(),
        (State::Open, -7..=-2) => format!("Due in {}", days(-days_overdue)),
        (State::Open, _) => format!("Due {}", civil_date(due_on)),
        (State::Done, 1..) => format!("Done {} late", days(days_overdue)),
        (State::Done, _) => "Done in time".to_owned(),
        (State::Dropped, _) => "Dropped".to_owned(),
    }
}

/// A follow-up in a list, with the button that finishes it for whoever may.
#[component]
pub fn FollowUpRow(
    /// Which.
    follow_up: FollowUp,
    /// The address of this list, to which finishing one leads back.
    #[prop(into)]
    back: String,
    /// Leaves out what the page itself says: that it comes from this thing.
    #[prop(optional)]
    without_source: bool,
) -> impl IntoView {
    let id = follow_up.id.to_string();
    let source = follow_up.source.clone().filter(|_| !without_source).map(|source| {
        let href = urls::source(source.kind, &source.key);
        view! { <a href=href>{source.kind.label()} " " {source.key}</a> }
    });
    let owner = if follow_up.needs_owner {
        view! { <span class="why">{follow_up.owner.name.clone()} " cannot do it any more: needs a new owner"</span> }
            .into_any()
    } else {
        view! { <span>{follow_up.owner.name.clone()}</span> }.into_any()
    };
    let age = (follow_up.state == State::Open).then(|| {
        let days = i64::from(follow_up.age_days);
        view! { <span>{if days == 0 { "made today".to_owned() } else { format!("open {days} {}", counted(days, "day", "days")) }}</span> }
    });
    let moved = (follow_up.moves > 0).then(|| {
        let times = if follow_up.moves == 1 { "once".to_owned() } else { format!("{} times", follow_up.moves) };
        view! { <span>"moved " {times} ", first due " {civil_date(follow_up.first_due_on)}</span> }
    });
    let finish = (follow_up.may_change && follow_up.state == State::Open).then(|| {
        view! {
            <Confirm label="Done" title="Is it done?" action=FINISH_FOLLOW_UP key=id.clone() confirm="It is done"
                variant=Variant::Secondary small=true>
                <Hidden name="follow_up" value=id.clone()/>
                <Hidden name="back" value=back/>
                <TextArea name="note" label="What was done" rows=2 optional=true/>
            </Confirm>
        }
    });
    let href = urls::follow_up(follow_up.id);
    view! {
        <Row title=follow_up.title.clone() href=href>
            <RowMeta>{owner} {source} {age} {moved}</RowMeta>
            <RowSide><DueBadge follow_up=follow_up/> {finish}</RowSide>
        </Row>
    }
}

/// How many follow-ups are open, as a line that leads to them; nothing when none is.
#[component]
pub fn FollowUpCounts(
    /// How many.
    counts: Counts,
    /// Their list.
    #[prop(into)]
    href: String,
    /// Whose: `of its incidents`.
    #[prop(into)]
    of: String,
) -> impl IntoView {
    let Counts { open, overdue } = counts;
    (open > 0).then(|| {
        let all = numbered(open, "open follow-up", "open follow-ups");
        let late = (overdue > 0)
            .then(|| view! { " " <Badge tone=Tone::Bad icon=Glyph::Alert>{format!("{overdue} overdue")}</Badge> });
        view! { <p><a href=href>{all} " " {of}</a> {late}</p> }
    })
}

/// The people a field can suggest, for `list="people"`.
#[component]
pub fn PeopleList(
    /// The people.
    people: Vec<PersonRef>,
) -> impl IntoView {
    let options = people.into_iter().map(|person| view! { <option value=person.email>{person.name}</option> });
    view! { <datalist id="people">{options.collect_view()}</datalist> }
}

/// The fields of a new follow-up; inside a form to [`CREATE_FOLLOW_UP`], on a page with a [`PeopleList`].
#[component]
pub fn FollowUpFields(
    /// Who does it, to begin with.
    #[prop(into)]
    owner: String,
) -> impl IntoView {
    view! {
        <Field name="title" label="What is to be done" required=true max_chars=limits::FOLLOW_UP_TITLE_CHARS/>
        <Field name="owner" label="Owner" kind=FieldKind::Email value=owner required=true list="people"
            hint="Who does it, by e-mail address; they are reminded until it is done."/>
        <Field name="due" label="Due" kind=FieldKind::Date required=true hint="The day by whose end it is done."/>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgency_reads_like_a_person_says_it() {
        let due: Date = "2026-12-03".parse().unwrap();
        for (state, days, expected) in [
            (State::Open, -30, "Due 3 Dec"),
            (State::Open, -7, "Due in 7 days"),
            (State::Open, -1, "Due tomorrow"),
            (State::Open, 0, "Due today"),
            (State::Open, 1, "Overdue 1 day"),
            (State::Open, 12, "Overdue 12 days"),
            (State::Done, 2, "Done 2 days late"),
            (State::Done, 0, "Done in time"),
            (State::Dropped, 9, "Dropped"),
        ] {
            assert_eq!(words(state, days, due), expected);
        }
    }
}
