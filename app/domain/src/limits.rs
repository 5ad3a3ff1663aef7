//! Every limit of the product in one place. The screen shows them, the API names them when they are exceeded, and the
//! migrations repeat them as constraints.

/// Bytes in one revision of an RFC: 512 KiB.
pub const RFC_BODY_BYTES: usize = 512 * 1024;
/// Characters in an RFC's title.
pub const RFC_TITLE_CHARS: usize = 300;
/// Characters in the one-line summary of a revision.
pub const REVISION_SUMMARY_CHARS: usize = 500;
/// Services one RFC may touch.
pub const RFC_SERVICES: usize = 100;
/// Authors of one RFC, and people one draft is shared with.
pub const RFC_PEOPLE: usize = 100;
/// Threads on one RFC, resolved ones too. The largest real reviews have some hundreds; publishing a revision carries
/// every one of them, and its page shows them all.
pub const RFC_THREADS: i64 = 2000;
/// Bytes that the threads of one RFC quote together: 64 MiB, a hundred times the whole of the longest text. What was
/// changed in a quote is compared word by word with every revision.
pub const RFC_QUOTED_BYTES: i64 = 64 * 1024 * 1024;
/// Characters of a thread's quote on a page; a longer one is cut there.
pub const QUOTE_SHOWN_CHARS: i32 = 2000;
/// Bytes of quotes and comments after which a page of threads ends in the API, however few they are: 2 MiB.
pub const THREADS_PAGE_BYTES: i64 = 2 * 1024 * 1024;
/// Bytes in one comment: 64 KiB.
pub const COMMENT_BYTES: usize = 64 * 1024;
/// Characters in the reason for a change of status.
pub const REASON_CHARS: usize = 2000;
/// Characters in the name of a person, team, service, token or link.
pub const NAME_CHARS: usize = 120;
/// Characters in the slug of a team or service.
pub const SLUG_CHARS: usize = 80;
/// Characters in an e-mail address (RFC 5321).
pub const EMAIL_CHARS: usize = 254;
/// Characters in a password at least: ASVS 5 §6.2.
pub const PASSWORD_MIN_CHARS: usize = 10;
/// Characters in a password at most.
pub const PASSWORD_MAX_CHARS: usize = 256;
/// Characters in a service's description.
pub const DESCRIPTION_CHARS: usize = 4000;
/// Links on a service's page.
pub const SERVICE_LINKS: usize = 50;
/// Services a service may depend on.
pub const SERVICE_DEPENDENCIES: usize = 200;
/// Labels on a service.
pub const SERVICE_LABELS: usize = 50;
/// Characters in an incident's title.
pub const INCIDENT_TITLE_CHARS: usize = 300;
/// Bytes in an incident's summary, and in its postmortem when that is a text: 64 KiB.
pub const INCIDENT_TEXT_BYTES: usize = 64 * 1024;
/// Services that one incident touches, names that nobody knows included.
pub const INCIDENT_SERVICES: usize = 200;
/// Characters in the name that an incident has elsewhere.
pub const EXTERNAL_ID_CHARS: usize = 200;
/// Types of incidents, archived ones too.
pub const INCIDENT_TYPES: i64 = 100;
/// Characters in the slug of a type of incidents.
pub const INCIDENT_TYPE_SLUG_CHARS: usize = 40;
/// Rows of an aggregate over incidents.
pub const AGGREGATE_ROWS: usize = 20_000;
/// Characters in a web address.
pub const URL_CHARS: usize = 2000;
/// Characters in a search.
pub const SEARCH_CHARS: usize = 200;
/// Rows in one page of a list, unless asked for otherwise.
pub const PAGE_ROWS: i64 = 50;
/// Rows in one page of a list at most; asking for more is cut to this.
pub const PAGE_ROWS_MAX: i64 = 200;
/// Bytes in a catalogue file: 10 MiB. The largest real ones have some hundred KiB.
pub const CATALOG_FILE_BYTES: usize = 10 * 1024 * 1024;
/// Bytes in a file of incidents: 100 MiB.
pub const INCIDENTS_FILE_BYTES: usize = 100 * 1024 * 1024;
/// Characters in the name of a file that is handed in.
pub const FILE_NAME_CHARS: usize = 200;
