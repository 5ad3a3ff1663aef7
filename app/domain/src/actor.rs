//! Who is asking.

use serde::{Deserialize, Serialize};

/// A person's id. Opaque outside; people are named by e-mail address.
pub type PersonId = i64;
/// Nobody's id: the operator, who acts from the command line and is recorded as the system.
pub const OPERATOR: PersonId = 0;
/// A team's id. Opaque outside; teams are named by slug.
pub type TeamId = i64;

/// What a person may do, each role including the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything but others' drafts and private notes.
    Reader,
    /// Writes RFCs and comments, edits the services of their own teams.
    Member,
    /// Reviews; edits any service.
    Sre,
    /// Decides.
    Lead,
    /// Manages people, roles and settings.
    Admin,
}

impl Role {
    /// Every role, lowest first.
    pub const ALL: [Self; 5] = [Self::Reader, Self::Member, Self::Sre, Self::Lead, Self::Admin];

    /// The word in the table, the API and forms.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Member => "member",
            Self::Sre => "sre",
            Self::Lead => "lead",
            Self::Admin => "admin",
        }
    }

    /// The word on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reader => "Reader",
            Self::Member => "Member",
            Self::Sre => "SRE",
            Self::Lead => "SRE lead",
            Self::Admin => "Admin",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// How far a token reaches. Scopes narrow a role and never widen it. A browser session has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes {
    /// May read.
    pub read: bool,
    /// May change things (includes reading).
    pub write: bool,
    /// May use what the role `admin` brings (includes writing).
    pub admin: bool,
}

impl Scopes {
    /// A browser session.
    pub const ALL: Self = Self { read: true, write: true, admin: true };

    /// The words of a token. Unknown words give nothing.
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scopes = Self { read: false, write: false, admin: false };
        for word in words {
            match word {
                "read" => scopes.read = true,
                "write" => (scopes.read, scopes.write) = (true, true),
                "admin" => scopes = Self::ALL,
                _ => {}
            }
        }
        scopes
    }
}

/// The person on whose behalf something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person.
    pub id: PersonId,
    /// Their address, which names them in the API.
    pub email: String,
    /// Their name, as shown.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// The teams they belong to.
    pub teams: Vec<TeamId>,
    /// What this session or token may reach.
    pub scopes: Scopes,
    /// IANA name of the zone their times are shown in.
    pub time_zone: String,
}

impl Actor {
    /// The operator at the command line: whoever may start the server's binary on its data may do everything with it.
    pub fn operator() -> Self {
        Self {
            id: OPERATOR,
            email: "operator".to_owned(),
            name: "Operator".to_owned(),
            role: Role::Admin,
            teams: Vec::new(),
            scopes: Scopes::ALL,
            time_zone: "UTC".to_owned(),
        }
    }

    /// Who is recorded for what this actor does; nobody for the operator.
    pub fn recorded_as(&self) -> Option<PersonId> {
        (self.id != OPERATOR).then_some(self.id)
    }
}
