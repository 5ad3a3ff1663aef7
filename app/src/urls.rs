//! Every address of a page as a function; where a form goes, its server function knows (`api.rs` of each slice).

use domain::follow_up::SourceKind;

/// Home: what needs me today.
pub fn home() -> String {
    "/".into()
}

/// Home with every thread that waits, however many.
pub fn home_all() -> String {
    with_query(home(), &[("waiting", "all")], "")
}

/// Sign in, and go on to `next` (an address of ours) afterwards.
pub fn sign_in(next: Option<&str>) -> String {
    match next {
        Some(next) if next != "/" => format!("/sign-in?next={}", encode(next)),
        _ => "/sign-in".into(),
    }
}

/// First-run setup with the secret that the log printed.
pub fn setup(secret: &str) -> String {
    format!("/setup/{secret}")
}

/// Accept an invitation.
pub fn invitation(secret: &str) -> String {
    format!("/invitations/{secret}")
}

/// All RFCs.
pub fn rfcs() -> String {
    "/rfcs".into()
}

/// Write a new RFC.
pub fn new_rfc() -> String {
    "/rfcs/new".into()
}

/// Read an RFC at its newest revision.
pub fn rfc(number: i64) -> String {
    format!("/rfcs/{number}")
}

/// Read an RFC at one revision.
pub fn rfc_revision(number: i64, revision: i32) -> String {
    format!("/rfcs/{number}?revision={revision}")
}

/// Write the next revision of an RFC.
pub fn edit_rfc(number: i64) -> String {
    format!("/rfcs/{number}/edit")
}

/// Read an RFC in one state of its page: `query` holds names and values as they are (empty ones are left out),
/// `fragment` an id in the page or nothing.
pub fn rfc_state(number: i64, query: &[(&str, &str)], fragment: &str) -> String {
    with_query(rfc(number), query, fragment)
}

/// The list of RFCs with these filters.
pub fn rfc_list(query: &[(&str, &str)]) -> String {
    with_query(rfcs(), query, "")
}

/// Write a new RFC about a service.
pub fn new_rfc_about(service: &str) -> String {
    with_query(new_rfc(), &[("service", service)], "")
}

/// Change an RFC's title, kind, services and people.
pub fn rfc_details(number: i64) -> String {
    with_query(edit_rfc(number), &[("part", "details")], "")
}

/// The form for a comment on a byte range of an RFC's revision; works without JavaScript.
pub fn comment_on(number: i64, revision: i32, start: usize, end: usize) -> String {
    format!("/rfcs/{number}?revision={revision}&start={start}&end={end}#composer")
}

/// A thread, where it sits.
pub fn thread(number: i64, thread: &str) -> String {
    rfc_state(number, &[], &format!("thread-{thread}"))
}

/// All services.
pub fn services() -> String {
    "/services".into()
}

/// The list of services with these filters.
pub fn service_list(query: &[(&str, &str)]) -> String {
    with_query(services(), query, "")
}

/// Describe a new service.
pub fn new_service() -> String {
    "/services/new".into()
}

/// One service.
pub fn service(slug: &str) -> String {
    format!("/services/{}", encode(slug))
}

/// Change a service.
pub fn edit_service(slug: &str) -> String {
    format!("/services/{}/edit", encode(slug))
}

/// All follow-ups.
pub fn follow_ups() -> String {
    "/follow-ups".into()
}

/// The list of follow-ups with these filters.
pub fn follow_up_list(query: &[(&str, &str)]) -> String {
    with_query(follow_ups(), query, "")
}

/// Make a follow-up; of an incident when its key is given.
pub fn new_follow_up(incident: &str) -> String {
    with_query("/follow-ups/new".into(), &[("incident", incident)], "")
}

/// All incidents.
pub fn incidents() -> String {
    "/incidents".into()
}

/// The list of incidents with these filters.
pub fn incident_list(query: &[(&str, &str)]) -> String {
    with_query(incidents(), query, "")
}

/// Record an incident.
pub fn new_incident() -> String {
    "/incidents/new".into()
}

/// One incident.
pub fn incident(id: i64) -> String {
    format!("/incidents/{id}")
}

/// A part of the page of an incident: `follow-ups`.
pub fn incident_part(id: i64, part: &str) -> String {
    with_query(incident(id), &[], part)
}

/// Change an incident.
pub fn edit_incident(id: i64) -> String {
    format!("/incidents/{id}/edit")
}

/// The types of incidents; leads only.
pub fn incident_types() -> String {
    "/incidents/types".into()
}

/// Names of services in incidents that the catalogue does not know.
pub fn unknown_services() -> String {
    "/incidents/unknown-services".into()
}

/// The list of those names in one state.
pub fn unknown_service_list(query: &[(&str, &str)]) -> String {
    with_query(unknown_services(), query, "")
}

/// What a follow-up comes from.
pub fn source(kind: SourceKind, key: &str) -> String {
    match kind {
        SourceKind::Incident => format!("/incidents/{}", encode(key)),
    }
}

/// One follow-up.
pub fn follow_up(id: i64) -> String {
    format!("/follow-ups/{id}")
}

/// All people and teams.
pub fn people() -> String {
    "/people".into()
}

/// The list of people with these filters.
pub fn people_list(query: &[(&str, &str)]) -> String {
    with_query(people(), query, "")
}

/// Invitations, among the people; admins only.
pub fn invitations() -> String {
    with_query(people(), &[], "invitations")
}

/// One person.
pub fn person(email: &str) -> String {
    format!("/people/{}", encode(email))
}

/// All teams.
pub fn teams() -> String {
    "/teams".into()
}

/// One team.
pub fn team(slug: &str) -> String {
    format!("/teams/{}", encode(slug))
}

/// Own account: name, time zone, password, sessions, tokens.
pub fn account() -> String {
    "/account".into()
}

/// A part of one's own account: `you`, `password`, `sessions`, `tokens`.
pub fn account_part(part: &str) -> String {
    with_query(account(), &[], part)
}

/// What one is told, where, and when not.
pub fn notice_preferences() -> String {
    "/account/notices".into()
}

/// Turn one kind of mail off, with the secret of a mail.
pub fn unsubscribe(token: &str) -> String {
    format!("/unsubscribe/{}", encode(token))
}

/// What one was told of.
pub fn inbox() -> String {
    "/inbox".into()
}

/// What one was told of and is `open`, `later` or `done`.
pub fn inbox_state(state: &str) -> String {
    inbox_page(state, "")
}

/// The same from this row on.
pub fn inbox_page(state: &str, cursor: &str) -> String {
    let state = if state == "open" { "" } else { state };
    with_query(inbox(), &[("state", state), ("cursor", cursor)], "")
}

/// Leads to what an item of the inbox is about, and marks it as read.
pub fn inbox_item(item: &str) -> String {
    format!("/inbox/{}", encode(item))
}

/// Settings for admins.
pub fn admin() -> String {
    "/admin".into()
}

/// Webhooks and hooks.
pub fn webhooks() -> String {
    "/admin/webhooks".into()
}

/// The hooks, among the webhooks.
pub fn hooks() -> String {
    with_query(webhooks(), &[], "hooks")
}

/// Make a webhook.
pub fn new_webhook() -> String {
    "/admin/webhooks/new".into()
}

/// One webhook.
pub fn webhook(id: &str) -> String {
    format!("/admin/webhooks/{}", encode(id))
}

/// Where a hook is called.
pub fn hook(id: &str) -> String {
    format!("/hooks/{}", encode(id))
}

/// The outbox.
pub fn outbox() -> String {
    "/admin/outbox".into()
}

/// The outbox with these filters.
pub fn outbox_list(query: &[(&str, &str)]) -> String {
    with_query(outbox(), query, "")
}

/// One delivery in the outbox.
pub fn delivery(id: &str) -> String {
    format!("/admin/outbox/{}", encode(id))
}

/// Files that were handed in.
pub fn imports() -> String {
    "/admin/imports".into()
}

/// The list of imports from this row on.
pub fn import_list(cursor: &str) -> String {
    with_query(imports(), &[("cursor", cursor)], "")
}

/// Hand in a file of this kind.
pub fn new_import(kind: &str) -> String {
    with_query("/admin/imports/new".into(), &[("kind", kind)], "")
}

/// One import.
pub fn import(id: i64) -> String {
    format!("/admin/imports/{id}")
}

/// The lines of an import with one outcome, from this row on.
pub fn import_lines(id: i64, outcome: &str, cursor: &str) -> String {
    with_query(import(id), &[("show", outcome), ("cursor", cursor)], "")
}

/// Search with these words and filters.
pub fn search(query: &[(&str, &str)]) -> String {
    with_query("/search".into(), query, "")
}

/// The page of something found, named as in the API; a comment is in an RFC.
pub fn found(kind: domain::search::Kind, key: &str, rfc_number: Option<i64>) -> String {
    use domain::search::Kind;
    match kind {
        Kind::Comment => rfc_state(rfc_number.unwrap_or_default(), &[], &format!("comment-{key}")),
        kind => subject(kind.as_str(), key).unwrap_or_else(home),
    }
}

/// The page of what an event is about, if it has one.
pub fn subject(kind: &str, key: &str) -> Option<String> {
    match kind {
        "rfc" => Some(rfc(key.parse().ok()?)),
        "service" => Some(service(key)),
        "team" => Some(team(key)),
        "person" => Some(person(key)),
        "incident" => Some(incident(key.parse().ok()?)),
        "follow_up" => Some(follow_up(key.parse().ok()?)),
        "webhook" => Some(webhook(key)),
        "import" => Some(import(key.parse().ok()?)),
        _ => None,
    }
}

/// What happened to one thing (its noun and the name it has in the API), or everywhere.
pub fn activity(query: &[(&str, &str)]) -> String {
    with_query("/activity".into(), query, "")
}

/// The audit log with these filters; admins only.
pub fn audit(query: &[(&str, &str)]) -> String {
    with_query("/admin/audit".into(), query, "")
}

/// The same as a file.
pub fn audit_csv(query: &[(&str, &str)]) -> String {
    with_query("/admin/audit.csv".into(), query, "")
}

fn with_query(path: String, query: &[(&str, &str)], fragment: &str) -> String {
    let mut url = path;
    let mut separator = '?';
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        url.push(separator);
        url.push_str(&encode(name));
        url.push('=');
        url.push_str(&encode(value));
        separator = '&';
    }
    if !fragment.is_empty() {
        url.push('#');
        url.push_str(&encode(fragment));
    }
    url
}

/// Percent-encodes one path segment or query value.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                encoded.push(char::from(byte));
            }
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                encoded.push('%');
                encoded.push(char::from(HEX[usize::from(byte >> 4)]));
                encoded.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_typed_is_encoded() {
        assert_eq!(sign_in(Some("/rfcs/7?revision=2")), "/sign-in?next=%2Frfcs%2F7%3Frevision%3D2");
        assert_eq!(person("ada+x@example.com"), "/people/ada%2Bx@example.com");
        assert_eq!(sign_in(Some("/")), "/sign-in");
        let query = [("revision", ""), ("q", "a&b"), ("done", "saved")];
        assert_eq!(rfc_state(7, &query, "comment-3"), "/rfcs/7?q=a%26b&done=saved#comment-3");
    }
}
