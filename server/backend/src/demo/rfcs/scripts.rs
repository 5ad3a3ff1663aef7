//! What was written and said. The RFC in which something happened last comes last.

use super::Script;
use super::Step::{Authors, Edit, Publish, Reattach, Regret, Reopen, Reply, Resolve, Revise, Share, Thread, Withdraw};

pub(super) const SCRIPTS: &[Script] = &[
    Script {
        title: "Boarding passes only in wallets",
        kind: "other",
        services: &["boarding-pass"],
        author: "jonas",
        body: include_str!("wallet_passes.md"),
        days_ago: 62,
        hours_between: 30,
        steps: &[
            Publish,
            Thread {
                thread: "paper",
                by: "lena",
                severity: "blocking",
                on: "| paper | 12 % | 91.5 % |",
                says: "Twelve of a hundred passengers are 14,000 people on a summer day, many without a telephone \
                       that has a wallet. What do *they* board with?",
            },
            Thread {
                thread: "gates",
                by: "tomas",
                severity: "should",
                on: "",
                says: "What does a gate do when its clock is wrong? Wallet passes are signed for a time window, PDFs \
                       are not.",
            },
            Reply {
                thread: "paper",
                by: "jonas",
                says: "You are right, and I have no answer. Withdrawing; I will look at brighter screens instead.",
            },
            Withdraw { reason: "One passenger in eight boards with paper, and we have nothing to offer them." },
        ],
    },
    Script {
        title: "One way to run an incident",
        kind: "process",
        services: &["on-call-bot"],
        author: "tomas",
        body: include_str!("incidents.md"),
        days_ago: 40,
        hours_between: 26,
        steps: &[
            Publish,
            Thread {
                thread: "scribe",
                by: "samir",
                severity: "note",
                on: "keeps the timeline (the on-call bot helps)",
                says: "At night we are two. Can the scribe be the commander?",
            },
            Reply {
                thread: "scribe",
                by: "tomas",
                says: "At night yes: the bot keeps the timeline and the commander corrects it afterwards. I will write \
                       that down.",
            },
            Thread {
                thread: "five",
                by: "mei",
                severity: "should",
                on: "at most five follow-ups",
                says: "Why five? I would rather have a rule on *dates* than on numbers.",
            },
            Revise {
                summary: "Small shifts; why five",
                major: false,
                edits: &[
                    (
                        "| Scribe | keeps the timeline (the on-call bot helps) | |",
                        "| Scribe | keeps the timeline (the on-call bot helps); at night the commander does both | |",
                    ),
                    (
                        "with one owner and a date. More than five are none.",
                        "with one owner and a date. More than five are none: of the 63 we wrote last quarter, the first \
                         five of each review got done in 81 % of cases, the others in 12 %.",
                    ),
                ],
            },
            Reply { thread: "five", by: "mei", says: "Those numbers convince me." },
            Resolve { thread: "five", by: "mei" },
            Resolve { thread: "scribe", by: "samir" },
        ],
    },
    Script {
        title: "Retire the nightly price batch",
        kind: "architecture",
        services: &["price-calendar", "departure-search"],
        author: "priya",
        body: include_str!("price_calendar.md"),
        days_ago: 12,
        hours_between: 20,
        steps: &[
            Share(&["lena", "grace"]),
            Thread {
                thread: "cost",
                by: "grace",
                severity: "note",
                on: "900 € (estimate)",
                says: "Does this count the reads from the event bus? They are billed to platform today.",
            },
            Reply { thread: "cost", by: "priya", says: "It does not. I will ask Samir before I publish." },
        ],
    },
    Script {
        title: "Launch: a status page that survives us",
        kind: "launch",
        services: &["status-page", "api-gateway", "on-call-bot"],
        author: "grace",
        body: include_str!("status_page.md"),
        days_ago: 20,
        hours_between: 30,
        steps: &[
            Authors(&["grace", "tomas"]),
            Publish,
            Thread {
                thread: "dns",
                by: "samir",
                severity: "blocking",
                on: "other DNS",
                says: "`status.example.com` is in the same zone as everything else. If we lose the registrar account, \
                       the page goes, too. A domain of its own?",
            },
            Thread {
                thread: "load",
                by: "mei",
                severity: "should",
                on: "| planned for | 10,000 |",
                says: "How many customers do we want on launch day? 10,000 is eleven times 19 June, but in June half \
                       the harbours did not know the page.",
            },
            Reply {
                thread: "load",
                by: "tomas",
                says: "The provider serves static files to 200,000 a second in its contract. I will put both numbers \
                       into the table.",
            },
            Thread {
                thread: "words",
                by: "lena",
                severity: "note",
                on: "Components are what passengers know: *Search*, *Booking*, *Boarding*, *Refunds*.",
                says: "Passengers say *Tickets*, not *Booking*. We asked 40 of them last year.",
            },
            Revise {
                summary: "A domain of its own; words of passengers; drill done",
                major: true,
                edits: &[
                    (
                        "other network, other DNS, other certificate.",
                        "other network, other registrar and DNS, other certificate. The address is\n  \
                         `https://ferrystatus.example/`.",
                    ),
                    ("*Search*, *Booking*, *Boarding*, *Refunds*", "*Search*, *Tickets*, *Boarding*, *Refunds*"),
                    ("| planned for | 10,000 |", "| planned for | 10,000 |\n| contract of the provider | 200,000 |"),
                    ("- [ ] Drill: publish while", "- [x] Drill (12 minutes, see the runbook): publish while"),
                ],
            },
            Resolve { thread: "dns", by: "samir" },
            Reply { thread: "load", by: "mei", says: "Good. Does the contract say what happens beyond?" },
        ],
    },
    Script {
        title: "Load shedding for the Friday before midsummer",
        kind: "architecture",
        services: &["api-gateway", "departure-search", "booking"],
        author: "samir",
        body: include_str!("load_shedding.md"),
        days_ago: 12,
        hours_between: 24,
        steps: &[
            Publish,
            Thread {
                thread: "default",
                by: "ada",
                severity: "should",
                on: "A request without a class is `may`.",
                says: "A new route of ours would be shed first and nobody would notice in review. Could the build fail \
                       instead?",
            },
            Reply { thread: "default", by: "samir", says: "Yes: the route table is generated, so it can." },
            Revise {
                summary: "Unclassified routes do not build",
                major: false,
                edits: &[("A request without a class is `may`.", "A route without a class does not build.")],
            },
            Thread {
                thread: "retry",
                by: "priya",
                severity: "note",
                on: "once",
                says: "The kiosks run an old app that repeats five times, at once. 300 of them.",
            },
            Thread {
                thread: "window",
                by: "noor",
                severity: "should",
                on: "",
                says: "What does this mean for maintenance windows of the second hall? Three nights in May are also \
                       when facilities tests the generators.",
            },
        ],
    },
    Script {
        title: "SLOs for checkout",
        kind: "slo",
        services: &["booking", "payments", "seat-map", "passenger-mail"],
        author: "jonas",
        body: include_str!("checkout_slo.md"),
        days_ago: 26,
        hours_between: 42,
        steps: &[
            Authors(&["jonas", "ada"]),
            Publish,
            Thread {
                thread: "client errors",
                by: "grace",
                severity: "blocking",
                on: "4xx for a reason the passenger can mend",
                says: "Who decides which ones those are? Our worst hour in July was a 422 for every passenger with a \
                       dog.",
            },
            Reply {
                thread: "client errors",
                by: "jonas",
                says: "A list in the repository, reviewed like code. Everything else counts as bad:\n\n\
                       | code | good |\n|---|---|\n| `card_declined` | yes |\n| `sold_out` | yes |\n| anything else | no |",
            },
            Thread {
                thread: "honesty",
                by: "mei",
                severity: "note",
                on: "*Honesty* is the unusual one.",
                says: "I like this one best. Measure it first, promise it next quarter?",
            },
            Thread {
                thread: "stop",
                by: "noor",
                severity: "should",
                on: "Features stop; the next thing merged makes checkout more reliable.",
                says: "The head of product has to agree before this means anything. Has she?",
            },
            Revise {
                summary: "List of good errors; kiosks count",
                major: false,
                edits: &[
                    (
                        "or 4xx for a reason the passenger can mend |",
                        "or 4xx for a reason on the list of those a passenger can mend |",
                    ),
                    ("- [ ] Do kiosks count? They retry by themselves.\n", "- [x] Do kiosks count? Yes, each try.\n"),
                    (
                        "Features stop; the next thing merged",
                        "Features stop (agreed with the head of product on 3 October); the next thing merged",
                    ),
                ],
            },
            Resolve { thread: "client errors", by: "grace" },
            Reply { thread: "stop", by: "noor", says: "Thank you. Then I have nothing left but praise." },
            Resolve { thread: "stop", by: "noor" },
            Reopen { thread: "client errors", by: "grace" },
            Reply {
                thread: "client errors",
                by: "grace",
                says: "Reopened: the list is linked from nowhere, and `seat_lost` is on it. A lost seat is *our* fault.",
            },
        ],
    },
    Script {
        title: "Refunds that can be repeated",
        kind: "architecture",
        services: &["refunds", "payments"],
        author: "ada",
        body: include_str!("refunds.md"),
        days_ago: 2,
        hours_between: 9,
        steps: &[
            Share(&["grace"]),
            Thread {
                thread: "fare",
                by: "grace",
                severity: "should",
                on: "fare version",
                says: "If the fare is corrected between two runs, the key changes and the passenger is paid twice. Is \
                       the fare version part of what the refund is *for*?",
            },
        ],
    },
    Script {
        title: "Shard the ledger by account",
        kind: "architecture",
        services: &["ledger", "payments", "refunds"],
        author: "ada",
        body: include_str!("ledger.md"),
        days_ago: 24,
        hours_between: 29,
        steps: &[
            Authors(&["ada", "jonas"]),
            Publish,
            Thread {
                thread: "close",
                by: "grace",
                severity: "blocking",
                on: "hides a\n> transfer until both halves are there.",
                says: "What does the closing job see at midnight on the last of the month? A transfer whose debit is \
                       dated the 31st and whose credit is dated the 1st balances in neither month.",
            },
            Thread {
                thread: "standby",
                by: "mei",
                severity: "should",
                on: "Its standby takes over in about 30 seconds.",
                says: "Measured, or hoped? On 19 June it was four minutes.",
            },
            Thread {
                thread: "machine",
                by: "tomas",
                severity: "note",
                on: "A larger machine buys one season: the current one is the second largest our halls offer.",
                says: "The largest has been out of stock since spring, so not even that.",
            },
            Thread {
                thread: "distributed",
                by: "noor",
                severity: "note",
                on: "We would rather learn them on departure search.",
                says: "Agreed. Shall we put that on the list for next year?",
            },
            Thread {
                thread: "amount",
                by: "grace",
                severity: "should",
                on: "numeric(14, 2)",
                says: "Two decimals rule out dinars and the fuel surcharge, which has three:\n\n```sql\nselect \
                       count(*) from tariffs where scale(amount) > 2; -- 214\n```",
            },
            Reply {
                thread: "close",
                by: "ada",
                says: "It would break, you are right. We date both halves with the debit's day and let the close wait \
                       until the outbox of that day is empty.",
            },
            Revise {
                summary: "Both halves carry the debit's date; take-over measured",
                major: true,
                edits: &[
                    (
                        "The credit is idempotent on `transfer_id`, so the relay may repeat it.",
                        "The credit is idempotent on `transfer_id`, so the relay may repeat it. Both halves carry the \
                         date of the\ndebit, and a day is closed only when its outbox is empty.",
                    ),
                    (
                        "Its standby takes over in about 30 seconds.",
                        "Its standby takes over in 20 to 40 seconds (three drills in October).",
                    ),
                ],
            },
            Resolve { thread: "close", by: "grace" },
            Reply { thread: "standby", by: "mei", says: "Thank you. Is the drill in the calendar, or was it once?" },
            Revise {
                summary: "Shorter background; the case against a distributed database first",
                major: false,
                edits: &[
                    (
                        "\nA larger machine buys one season: the current one is the second largest our halls offer.\n",
                        "",
                    ),
                    (
                        "**A distributed database.** Would fit, and two of us have run one. It means new failure modes \
                         for the most conservative\ndata we have, learnt in the busiest quarter. We would rather learn \
                         them on departure search.\n\n",
                        "",
                    ),
                    (
                        "## Goals\n",
                        "## Why not a distributed database\n\nIt would fit, and two of us have run one. It means new \
                         failure modes for the most conservative data we have, learnt\nin the busiest quarter. We \
                         would rather learn them on departure search.\n\n## Goals\n",
                    ),
                ],
            },
            Thread {
                thread: "windows",
                by: "tomas",
                severity: "blocking",
                on: "",
                says: "What does this architecture mean for maintenance windows? Four primaries are four times the \
                       minor upgrades, and each fails over once.",
            },
            Edit {
                thread: "machine",
                by: "tomas",
                says: "The largest has been out of stock since spring, so not even that. (Checked again today: still is.)",
            },
            Regret { thread: "windows", by: "jonas", says: "We have never had one, why start now?" },
            Reply {
                thread: "windows",
                by: "jonas",
                says: "- one primary at a time, Tuesday mornings\n- a quarter of the accounts waits 20 to 40 s\n\n@ada \
                       will add a section.",
            },
            Revise {
                summary: "Maintenance; amounts with three decimals; vouchers get their own shard",
                major: false,
                edits: &[
                    ("numeric(14, 2)", "numeric(15, 3)"),
                    ("It gets a logical shard of its own.", "It gets a primary of its own."),
                    (
                        "## Alternatives\n",
                        "## Maintenance\n\nMinor upgrades go one primary at a time on Tuesday mornings. A quarter of \
                         the accounts waits 20 to 40 seconds;\npayments hold the request instead of failing it.\n\n\
                         ## Alternatives\n",
                    ),
                ],
            },
            Reattach { thread: "amount", by: "grace", on: "numeric(15, 3)" },
            Reply {
                thread: "windows",
                by: "tomas",
                says: "Better. How long may payments hold a request before the acquirer gives up?",
            },
        ],
    },
];
