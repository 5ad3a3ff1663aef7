//! Every way in which the product says no, in words for the person who asked.
//!
//! One enum from the rule to the screen: the pages show it beside the field, the REST API turns it into
//! `application/problem+json`. It never carries anything that must stay inside the server.

use serde::{Deserialize, Serialize};

/// What is wrong with one field of a form or a request body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The name of the field as sent, for example `title` or `services`.
    pub field: String,
    /// A sentence that says what is wrong and what would be right.
    pub message: String,
}

/// A request that was understood and refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// Nobody is signed in, or the token is not valid (any more).
    #[error("Sign in to continue.")]
    SignInNeeded,
    /// The actor may see the object but not do this to it.
    #[error("{message}")]
    NotAllowed {
        /// Names who may, for example `Only an admin may change roles.`
        message: String,
    },
    /// It does not exist, or the actor may not know that it does.
    #[error("There is no such {what}, or you may not see it.")]
    NotFound {
        /// The kind of thing, in a person's words: `RFC`, `service`.
        what: String,
    },
    /// Some fields are wrong.
    #[error("{}", join(.fields))]
    Invalid {
        /// At least one.
        fields: Vec<FieldError>,
    },
    /// A text is longer than allowed.
    #[error("The {} is too long: it may have at most {} KiB.", in_words(.field), limit_bytes / 1024)]
    TooLarge {
        /// The name of the field as sent.
        field: String,
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// The object is not in the state that the request expects.
    #[error("{message}")]
    Conflict {
        /// What is in the way and what to do about it.
        message: String,
    },
    /// `If-Match` names a version that is not the newest.
    #[error("{}", stale(*.newest))]
    Stale {
        /// The version sent; 0 when what was sent is none of ours.
        sent: i64,
        /// The newest version; 0 when there is none.
        newest: i64,
    },
    /// A change of an existing object came without `If-Match`.
    #[error("Say which version you are changing with the header If-Match: \"{newest}\".")]
    VersionNeeded {
        /// The newest version.
        newest: i64,
    },
    /// Too many tries.
    #[error("Too many tries. Try again in {retry_after_seconds} seconds.")]
    TooMany {
        /// Seconds until the next try is worth it.
        retry_after_seconds: u64,
    },
    /// The database went away while the change was being made certain. The sentence promises nothing.
    #[error("It is not known whether this was saved: look before you try again.")]
    OutcomeUnknown,
    /// The server cannot do this right now; nothing was changed.
    #[error("Plumbline is busy. Nothing was changed; try again in {retry_after_seconds} seconds.")]
    Busy {
        /// Seconds until the next try is worth it.
        retry_after_seconds: u64,
    },
}

impl Refusal {
    /// One wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { fields: vec![FieldError { field: field.into(), message: message.into() }] }
    }

    /// Something that is not there, or hidden.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// A rule of state that is in the way.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict { message: message.into() }
    }

    /// Something the actor may not do; `message` names who may.
    pub fn not_allowed(message: impl Into<String>) -> Self {
        Self::NotAllowed { message: message.into() }
    }

    /// The HTTP status that tells a client the same.
    pub fn status(&self) -> u16 {
        match self {
            Self::SignInNeeded => 401,
            Self::NotAllowed { .. } => 403,
            Self::NotFound { .. } => 404,
            Self::Conflict { .. } => 409,
            Self::Stale { .. } => 412,
            Self::TooLarge { .. } => 413,
            Self::Invalid { .. } => 422,
            Self::VersionNeeded { .. } => 428,
            Self::TooMany { .. } => 429,
            Self::OutcomeUnknown | Self::Busy { .. } => 503,
        }
    }

    /// Seconds after which another try, or another look, is worth it.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        match self {
            Self::TooMany { retry_after_seconds } | Self::Busy { retry_after_seconds } => Some(*retry_after_seconds),
            Self::OutcomeUnknown => Some(2),
            _ => None,
        }
    }

    /// The message for one field, if this refusal has one.
    pub fn message_for(&self, name: &str) -> Option<String> {
        match self {
            Self::Invalid { fields } => {
                fields.iter().find(|field| field.field == name).map(|field| field.message.clone())
            }
            Self::TooLarge { field, .. } if field == name => Some(self.to_string()),
            _ => None,
        }
    }
}

/// Collects what is wrong with several fields, so that all of it is said at once.
///
/// ```
/// # use domain::{Refusal, refusal::Fields, text};
/// # fn check(name: &str, email: &str) -> Result<(String, String), Refusal> {
/// let mut fields = Fields::default();
/// let name = fields.take(text::line("name", "The name", name, 120))?;
/// let email = fields.take(text::email("email", email))?;
/// let (name, email) = fields.finish((name, email))?;
/// # Ok((name, email))
/// # }
/// # assert!(check("Ada", "ada@example.com").is_ok());
/// # assert!(check("", "").unwrap_err().message_for("email").is_some());
/// ```
#[derive(Debug, Default)]
pub struct Fields {
    wrong: Vec<FieldError>,
}

impl Fields {
    /// The value, or a remembered complaint. Refusals that are not about a field end the check at once.
    pub fn take<T>(&mut self, parsed: Result<T, Refusal>) -> Result<Option<T>, Refusal> {
        match parsed {
            Ok(value) => Ok(Some(value)),
            Err(Refusal::Invalid { mut fields }) => {
                self.wrong.append(&mut fields);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Remembers a complaint.
    pub fn complain(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.wrong.push(FieldError { field: field.into(), message: message.into() });
    }

    /// Everything that [`Fields::take`] gave, without its `Option`s; or the refusal that says all that is wrong.
    pub fn finish<V: Taken>(self, values: V) -> Result<V::All, Refusal> {
        match values.all() {
            Some(all) if self.wrong.is_empty() => Ok(all),
            _ => Err(Refusal::Invalid { fields: self.wrong }),
        }
    }
}

/// A field's name as a person would say it.
fn in_words(field: &str) -> String {
    if field == "body" { "text".to_owned() } else { field.replace('_', " ") }
}

/// What [`Fields::take`] gave: one value or several side by side.
pub trait Taken {
    /// The same values when all of them are there.
    type All;
    /// All values, or nothing when one is missing.
    fn all(self) -> Option<Self::All>;
}

impl<T> Taken for Option<T> {
    type All = T;

    fn all(self) -> Option<T> {
        self
    }
}

macro_rules! taken_together {
    ($($value:ident)+) => {
        impl<$($value),+> Taken for ($(Option<$value>,)+) {
            type All = ($($value,)+);

            fn all(self) -> Option<Self::All> {
                #[expect(non_snake_case, reason = "a value is called like its type")]
                let ($($value,)+) = self;
                Some(($($value?,)+))
            }
        }
    };
}

taken_together!(A B);
taken_together!(A B C);
taken_together!(A B C D);
taken_together!(A B C D E);
taken_together!(A B C D E F);

fn stale(newest: i64) -> &'static str {
    match newest {
        0 => "There is nothing here yet, so there is no version of it to change.",
        _ => "Somebody else changed this meanwhile, so nothing was saved. Load it again and repeat your change.",
    }
}

fn join(fields: &[FieldError]) -> String {
    fields.iter().map(|field| field.message.as_str()).collect::<Vec<_>>().join(" ")
}
