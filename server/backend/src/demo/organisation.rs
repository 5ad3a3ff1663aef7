//! Who works at the ferry company and what they run. Services come after those they need.

use domain::Role;

/// Somebody who works there.
pub(super) struct Person {
    pub(super) email: &'static str,
    pub(super) name: &'static str,
    pub(super) role: Role,
    pub(super) time_zone: &'static str,
    /// Whether the sign-in page offers them: one of every role.
    pub(super) offered: bool,
}

const fn person(email: &'static str, name: &'static str, role: Role, time_zone: &'static str) -> Person {
    Person { email, name, role, time_zone, offered: false }
}

const fn offered(email: &'static str, name: &'static str, role: Role, time_zone: &'static str) -> Person {
    Person { email, name, role, time_zone, offered: true }
}

pub(super) const PEOPLE: &[Person] = &[
    offered("ada@example.com", "Ada Okafor", Role::Member, "Europe/London"),
    offered("grace@example.com", "Grace Lindqvist", Role::Sre, "Europe/Stockholm"),
    offered("mei@example.com", "Mei Tanaka", Role::Lead, "Asia/Tokyo"),
    offered("ruth@example.com", "Ruth Albrecht", Role::Admin, "Europe/Berlin"),
    offered("dario@example.com", "Dario Conti", Role::Reader, "Europe/Rome"),
    person("tomas@example.com", "Tomás Herrera", Role::Sre, "America/Santiago"),
    person("jonas@example.com", "Jonas Weber", Role::Member, "Europe/Berlin"),
    person("priya@example.com", "Priya Raman", Role::Member, "Asia/Kolkata"),
    person("lena@example.com", "Lena Fischer", Role::Member, "Europe/Vienna"),
    person("samir@example.com", "Samir Haddad", Role::Member, "Europe/Paris"),
    person("noor@example.com", "Noor de Vries", Role::Lead, "Europe/Amsterdam"),
];

/// People who own services together.
pub(super) struct Team {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) members: &'static [&'static str],
}

pub(super) const TEAMS: &[Team] = &[
    Team { slug: "checkout", name: "Checkout", members: &["ada@example.com", "jonas@example.com"] },
    Team { slug: "journeys", name: "Journeys", members: &["priya@example.com", "lena@example.com"] },
    Team { slug: "platform", name: "Platform", members: &["samir@example.com", "ruth@example.com"] },
    Team {
        slug: "reliability",
        name: "Reliability",
        members: &["mei@example.com", "noor@example.com", "grace@example.com", "tomas@example.com"],
    },
];

/// Something they run.
pub(super) struct Service {
    pub(super) slug: &'static str,
    pub(super) name: &'static str,
    pub(super) tier: i64,
    pub(super) team: &'static str,
    pub(super) description: &'static str,
    pub(super) depends_on: &'static [&'static str],
    pub(super) links: &'static [(&'static str, &'static str)],
    pub(super) labels: &'static [&'static str],
}

pub(super) const SERVICES: &[Service] = &[
    Service {
        slug: "event-bus",
        name: "Event bus",
        tier: 1,
        team: "platform",
        description: "Carries what happened from one service to the others, in order per key, kept for seven days. \
                      Three brokers in three halls; losing one hall costs no event.",
        depends_on: &[],
        links: &[
            ("Runbook", "https://wiki.example.com/event-bus/runbook"),
            ("Lag by consumer", "https://metrics.example.com/d/event-bus-lag"),
        ],
        labels: &["kafka", "stateful"],
    },
    Service {
        slug: "identity",
        name: "Identity",
        tier: 1,
        team: "platform",
        description: "Signs passengers and harbour staff in and answers who they are. Every request that changes \
                      something asks it; tokens are checked locally for ten minutes when it is away.",
        depends_on: &[],
        links: &[
            ("Runbook", "https://wiki.example.com/identity/runbook"),
            ("Dashboard", "https://metrics.example.com/d/identity"),
            ("Repository", "https://git.example.com/platform/identity"),
        ],
        labels: &["customer-facing", "personal data"],
    },
    Service {
        slug: "feature-flags",
        name: "Feature flags",
        tier: 2,
        team: "platform",
        description: "Decides who sees what. Clients keep the last answer on disk and start without it.",
        depends_on: &["event-bus"],
        links: &[("Repository", "https://git.example.com/platform/feature-flags")],
        labels: &["internal"],
    },
    Service {
        slug: "api-gateway",
        name: "API gateway",
        tier: 1,
        team: "platform",
        description: "The one door for the app, the website and the kiosks: TLS, routing, rate limits, and the first \
                      place that sheds load on the Friday before midsummer.",
        depends_on: &["identity", "feature-flags"],
        links: &[
            ("Runbook", "https://wiki.example.com/api-gateway/runbook"),
            ("Traffic by route", "https://metrics.example.com/d/api-gateway"),
            ("Load shedding drill", "https://wiki.example.com/api-gateway/drill"),
        ],
        labels: &["customer-facing", "envoy"],
    },
    Service {
        slug: "ledger",
        name: "Ledger",
        tier: 1,
        team: "checkout",
        description: "Double-entry record of every payment, refund and voucher. Append-only; finance closes the month \
                      on it.",
        depends_on: &["event-bus"],
        links: &[
            ("Runbook", "https://wiki.example.com/ledger/runbook"),
            ("Reconciliation report", "https://reports.example.com/ledger/daily"),
        ],
        labels: &["audited", "postgres", "stateful"],
    },
    Service {
        slug: "payments",
        name: "Payments",
        tier: 1,
        team: "checkout",
        description: "Takes money by card, invoice and mobile wallet through two acquirers and switches between them \
                      when one declines more than usual.",
        depends_on: &["ledger", "identity", "event-bus"],
        links: &[
            ("Runbook", "https://wiki.example.com/payments/runbook"),
            ("Approval rate", "https://metrics.example.com/d/payments-approval"),
            ("Repository", "https://git.example.com/checkout/payments"),
        ],
        labels: &["customer-facing", "pci"],
    },
    Service {
        slug: "timetable-import",
        name: "Timetable import",
        tier: 2,
        team: "journeys",
        description: "Reads departures, cancellations and vessel changes from forty harbours, each in its own format, \
                      every five minutes. Keeps the last good file of each harbour.",
        depends_on: &["event-bus"],
        links: &[
            ("Harbour formats", "https://wiki.example.com/timetable-import/formats"),
            ("Freshness by harbour", "https://metrics.example.com/d/timetable-freshness"),
        ],
        labels: &["batch", "third parties"],
    },
    Service {
        slug: "departure-search",
        name: "Departure search",
        tier: 1,
        team: "journeys",
        description: "Finds departures and connections between two harbours. The first page of every purchase: 900 \
                      requests a second on an ordinary Sunday evening.",
        depends_on: &["timetable-import", "feature-flags"],
        links: &[
            ("Runbook", "https://wiki.example.com/departure-search/runbook"),
            ("Latency", "https://metrics.example.com/d/departure-search"),
            ("Repository", "https://git.example.com/journeys/departure-search"),
        ],
        labels: &["customer-facing", "read-heavy"],
    },
    Service {
        slug: "price-calendar",
        name: "Price calendar",
        tier: 2,
        team: "journeys",
        description: "The cheapest fare of each day for the next eleven months, computed at night and corrected as \
                      cabins sell.",
        depends_on: &["departure-search", "event-bus"],
        links: &[("Repository", "https://git.example.com/journeys/price-calendar")],
        labels: &["batch", "customer-facing"],
    },
    Service {
        slug: "seat-map",
        name: "Seats and cabins",
        tier: 1,
        team: "journeys",
        description: "Which seats, cabins and car lanes of a sailing are free, and holds them for ten minutes while a \
                      passenger pays. Never sells a place twice.",
        depends_on: &["event-bus", "timetable-import"],
        links: &[
            ("Runbook", "https://wiki.example.com/seat-map/runbook"),
            ("Holds and expiries", "https://metrics.example.com/d/seat-map"),
        ],
        labels: &["customer-facing", "stateful"],
    },
    Service {
        slug: "booking",
        name: "Booking",
        tier: 1,
        team: "checkout",
        description: "Turns a held place and a payment into a booking, and changes or cancels it later. If it is \
                      down, nobody buys a ticket.",
        depends_on: &["seat-map", "payments", "identity", "api-gateway"],
        links: &[
            ("Runbook", "https://wiki.example.com/booking/runbook"),
            ("Bookings per minute", "https://metrics.example.com/d/booking"),
            ("Repository", "https://git.example.com/checkout/booking"),
        ],
        labels: &["customer-facing", "saga"],
    },
    Service {
        slug: "refunds",
        name: "Refunds",
        tier: 2,
        team: "checkout",
        description: "Pays back cancelled sailings within seven days, as the regulation asks. Storms make its busiest \
                      hours.",
        depends_on: &["payments", "ledger", "booking"],
        links: &[("Runbook", "https://wiki.example.com/refunds/runbook")],
        labels: &["regulated"],
    },
    Service {
        slug: "boarding-pass",
        name: "Boarding passes",
        tier: 1,
        team: "checkout",
        description: "Makes the pass that harbour gates scan. Gates check it offline; a new pass needs this service.",
        depends_on: &["booking", "identity"],
        links: &[
            ("Runbook", "https://wiki.example.com/boarding-pass/runbook"),
            ("Gate firmware notes", "https://wiki.example.com/boarding-pass/gates"),
        ],
        labels: &["customer-facing", "offline first"],
    },
    Service {
        slug: "passenger-mail",
        name: "Passenger mail",
        tier: 2,
        team: "platform",
        description: "Sends confirmations, delays and gate changes by mail, text message and push, once each.",
        depends_on: &["event-bus", "booking"],
        links: &[("Delivery rate", "https://metrics.example.com/d/passenger-mail")],
        labels: &["third parties"],
    },
    Service {
        slug: "status-page",
        name: "Status page",
        tier: 2,
        team: "reliability",
        description: "Tells passengers and harbours what works. Runs outside our own halls, on purpose.",
        depends_on: &[],
        links: &[("Public page", "https://status.example.com/")],
        labels: &["customer-facing", "static"],
    },
    Service {
        slug: "on-call-bot",
        name: "On-call bot",
        tier: 3,
        team: "reliability",
        description: "Opens the incident channel, pages who is on call, and keeps the timeline for the review.",
        depends_on: &["identity"],
        links: &[("Commands", "https://wiki.example.com/on-call-bot")],
        labels: &["chat", "internal"],
    },
];
