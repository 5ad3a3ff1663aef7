//! Every address of a page as a function; where a form goes, its server function knows (`api.rs` of each slice).

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

/// Settings for admins.
pub fn admin() -> String {
    "/admin".into()
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
