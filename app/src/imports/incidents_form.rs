//! Files of incidents: how they are to be read, before and after their columns are known.

use backend::imports::{Import, Kind, State};
use backend::incidents::import::mapping::Field;
use backend::incidents::import::{self, Preview};
use domain::incident::Severity;
use domain::{Actor, limits};
use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;

use super::api::{ReadIncidents, UPLOAD};
use crate::error::AppError;
use crate::ui::{
    Button, Card, Choice, Field as TextField, FileField, Form, FormActions, Hidden, Select, Table, Variant,
};

/// Hand in a file of incidents.
#[component]
pub(super) fn HandInIncidents(
    /// What times that name no zone are in, unless said otherwise.
    zone: String,
) -> impl IntoView {
    let size = limits::INCIDENTS_FILE_BYTES / (1024 * 1024);
    let hint = format!(
        "CSV with a line of headings, or JSON: a list, or one object a line. At most {size} MiB. You see what each column \
         is taken for, and can say otherwise, before anything is changed."
    );
    view! {
        <p class="muted">
            "Each row becomes an incident, known by its id: importing the same file again changes nothing, and what people
            corrected here stays. Services that nobody knows wait in a list until somebody says which are meant."
        </p>
        <Card title="A file">
            <Form action=UPLOAD multipart=true>
                <Hidden name="kind" value="incidents"/>
                <HowToRead prefix="options." source="" severity="" zone=zone dates=""/>
                <FileField name="file" label="File" hint=hint accept=".csv,.tsv,.txt,.json,.jsonl,.ndjson,text/csv,application/json"/>
                <FormActions><Button variant=Variant::Primary>"Compare"</Button></FormActions>
            </Form>
        </Card>
    }
}

/// What the file itself may not say.
#[component]
fn HowToRead(
    /// Before the names of the fields.
    prefix: &'static str,
    #[prop(into)] source: String,
    #[prop(into)] severity: String,
    #[prop(into)] zone: String,
    #[prop(into)] dates: String,
) -> impl IntoView {
    let orders = vec![
        Choice::new("", "As the other dates of the file tell"),
        Choice::new("day-first", "Day first: 31/12/2026"),
        Choice::new("month-first", "Month first: 12/31/2026"),
    ];
    let mut severities = vec![Choice::new("", "None: refuse such rows")];
    severities.extend(Severity::ALL.map(|severity| Choice::new(severity.number().to_string(), severity.label())));
    view! {
        <TextField name=format!("{prefix}source") label="Source" value=source optional=true max_chars=limits::NAME_CHARS
            hint="Where the incidents come from. Two sources may give the same id to different incidents."/>
        <TextField name=format!("{prefix}zone") label="Time zone" value=zone
            hint="An IANA name such as Europe/Berlin. For times that name none."/>
        <Select name=format!("{prefix}dates") label="Dates such as 03/11/2026" options=orders value=dates/>
        <Select name=format!("{prefix}severity") label="Severity of rows that say none" options=severities value=severity/>
    }
}

/// The columns of a file, when there is something to say about them.
pub(super) async fn load(
    backend: &backend::Backend,
    actor: &Actor,
    import: &Import,
) -> Result<Option<Preview>, AppError> {
    let wanted =
        import.kind == Kind::Incidents && import.has_file && matches!(import.state, State::Ready | State::Failed);
    if !wanted {
        return Ok(None);
    }
    // A file that cannot be read at all has no columns.
    Ok(import::preview(backend, actor, import.id).await.ok().filter(|preview| !preview.columns.is_empty()))
}

/// What each column is read as, to be said otherwise.
#[component]
pub(super) fn Columns(
    /// The import.
    import: Import,
    /// Its columns.
    preview: Preview,
    /// The organisation's zone.
    zone: String,
) -> impl IntoView {
    let said = |name: &str| import.option(name).and_then(|word| word.as_str()).unwrap_or_default().to_owned();
    let chosen_zone = Some(said("zone")).filter(|zone| !zone.is_empty()).unwrap_or(zone);
    let fields: Vec<Choice> = std::iter::once(Choice::new("ignore", "Not read"))
        .chain(Field::ALL.map(|field| Choice::new(field.as_str(), field.label())))
        .collect();
    let rows: Vec<_> = preview
        .columns
        .into_iter()
        .enumerate()
        .map(|(index, (heading, field, samples))| {
            let value = field.map_or("ignore", Field::as_str);
            let label = format!("What \u{201c}{heading}\u{201d} is");
            (heading, label, format!("columns[{index}]"), value, samples.join(" \u{b7} "), fields.clone())
        })
        .collect();
    let (source, severity, dates) = (said("source"), said("severity"), said("dates"));
    view! {
        <Card title="How this file is read">
            <Form action=ReadIncidents::PATH>
                <p class="muted">{preview.read_as} ". Say otherwise where it is wrong, then compare again."</p>
                <Hidden name="import" value=import.id.to_string()/>
                <Hidden name="version" value=import.version.to_string()/>
                <ColumnTable rows=rows/>
                <HowToRead prefix="" source=source severity=severity zone=chosen_zone dates=dates/>
                <FormActions><Button>"Compare again"</Button></FormActions>
            </Form>
        </Card>
    }
}

/// Heading, label, name of the field, what is chosen, the first texts, what to choose from.
type ColumnRow = (String, String, String, &'static str, String, Vec<Choice>);

#[component]
fn ColumnTable(rows: Vec<ColumnRow>) -> impl IntoView {
    view! {
        <Table caption="Columns of the file">
            <thead><tr><th scope="col">"Column"</th><th scope="col">"Is"</th><th scope="col">"For example"</th></tr></thead>
            <tbody>
                {rows
                    .into_iter()
                    .map(|(heading, label, name, value, samples, fields)| {
                        view! {
                            <tr>
                                <th scope="row">{heading}</th>
                                <td><Select name=name label=label options=fields value=value hide_label=true/></td>
                                <td class="muted">{samples}</td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </tbody>
        </Table>
    }
}
