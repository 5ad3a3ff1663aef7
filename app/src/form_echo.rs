//! How a refused form comes back: the page it was on, with the text that was typed and the message beside the field.
//!
//! `server/src/middleware/form_errors.rs` renders the page anew when a server function refuses a plain form post, and
//! hands what was sent to the page through [`crate::session::Visit::echo`]; `ui::form` and `ui::field` read it.

use crate::error::AppError;

/// A refused form post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormEcho {
    /// The address the form posted to, for example `/do/rfcs/create`.
    pub action: String,
    /// Why it was refused.
    pub error: AppError,
    /// The fields as sent, in order.
    pub fields: Vec<(String, String)>,
}

impl FormEcho {
    /// Whether the form with this action (and, where a page has several of them, this key) is the one refused.
    pub fn is_for(&self, action: &str, key: Option<&str>) -> bool {
        self.action == action && key.is_none_or(|key| self.value("form").as_deref() == Some(key))
    }

    /// What was typed into a field.
    pub fn value(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone())
    }

    /// What was chosen in a field that may be sent several times.
    pub fn values(&self, name: &str) -> Vec<String> {
        self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.clone()).collect()
    }

    /// What is wrong with a field.
    pub fn message(&self, name: &str) -> Option<String> {
        self.error.refusal().and_then(|refusal| refusal.message_for(name))
    }
}
