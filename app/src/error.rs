//! What may cross the wire when something goes wrong: the rule's own refusal, or a request id and nothing else.

use domain::Refusal;
use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// The error of every server function and page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "error", rename_all = "snake_case")]
pub enum AppError {
    /// The person is told why.
    #[error("{refusal}")]
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// Nothing is wrong and nothing was saved: the form comes back as it was sent, with a preview of what it says.
    #[error("Nothing was saved yet.")]
    Preview,
    /// A mistake of ours. The log has the rest under this id.
    #[error(
        "Something went wrong on our side. Nothing was changed. If it happens again, report the request id {request_id}."
    )]
    Internal {
        /// Finds the cause in the log.
        request_id: String,
    },
}

/// The field of a complaint that is about the form as a whole.
pub const WHOLE_FORM: &str = "form";

impl AppError {
    /// The HTTP status that says the same.
    pub fn status(&self) -> u16 {
        match self {
            Self::Refused { refusal } => refusal.status(),
            Self::Preview => 200,
            Self::Internal { .. } => 500,
        }
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal } => Some(refusal),
            Self::Preview | Self::Internal { .. } => None,
        }
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// A request that does not fit the function's parameters is a mistake of whoever sent it; the rest is ours or the
    /// network's.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Refusal::field(
                WHOLE_FORM,
                "The form is incomplete or has a value that does not fit; load the page again.",
            )
            .into(),
            ServerFnErrorErr::Request(_) => Refusal::Busy { retry_after_seconds: 2 }.into(),
            _ => Self::Internal { request_id: "-".to_owned() },
        }
    }
}

#[cfg(feature = "ssr")]
impl From<backend::Error> for AppError {
    fn from(error: backend::Error) -> Self {
        match error {
            backend::Error::Refused(refusal) => Self::Refused { refusal },
            backend::Error::Internal(cause) => {
                let request_id = crate::session::request_id();
                tracing::error!(request_id, %cause, "a use case failed");
                Self::Internal { request_id }
            }
        }
    }
}
