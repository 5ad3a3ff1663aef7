//! How a refused form comes back: the page it was on, with the text that was typed and the message beside the field.
//!
//! `server/src/middleware/form_errors.rs` renders the page anew when a server function refuses a plain form post, and
//! hands what was sent to the page through [`crate::session::Visit::echo`]; `ui::form` and `ui::field` read it.

use crate::error::AppError;

/// The hidden field that makes a form take effect once, however often its button is pressed.
pub const ONCE: &str = "once";
/// The hidden field by which a form that is shown again names its page: the browser's address is then the server
/// function's.
pub const PAGE: &str = "page";
/// The hidden field that tells forms with the same action on one page apart.
pub const KEY: &str = "form";
/// The name of the buttons of a form that has several: what is to happen beside the one thing that happens once.
pub const INTENT: &str = "intent";

/// A refused form post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormEcho {
    /// The address the form posted to, for example `/do/rfcs/create`.
    pub action: String,
    /// Why it was refused.
    pub error: AppError,
    /// The fields as sent, in order, but for [`PAGE`] and what is secret; [`ONCE`] only where sending the same again must
    /// not have a second effect.
    pub fields: Vec<(String, String)>,
}

impl FormEcho {
    /// Whether the form with this action (and, where a page has several of them, this key) is the one refused.
    pub fn is_for(&self, action: &str, key: Option<&str>) -> bool {
        self.action == action && key.is_none_or(|key| self.value(KEY).as_deref() == Some(key))
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

    /// What the person wrote, under a person's words: to be copied where the form itself cannot be shown again.
    pub fn texts(&self) -> Vec<(&'static str, &str)> {
        let written = self.fields.iter().filter(|(_, value)| !value.trim().is_empty());
        written.filter_map(|(name, value)| Some((label(name)?, value.as_str()))).collect()
    }
}

/// The label of a field that takes a person's own words; every other field is ours or a choice.
fn label(name: &str) -> Option<&'static str> {
    Some(match name {
        "title" => "Title",
        "body" => "Text",
        "summary" => "Summary",
        "reason" => "Reason",
        "note" => "Note",
        "postmortem" => "Postmortem",
        "name" => "Name",
        "description" => "Description",
        "services" => "Services",
        "authors" => "Authors",
        "shared_with" => "Shared with",
        "members" => "Members",
        "depends_on" => "Depends on",
        "links" => "Links",
        "labels" => "Labels",
        "content" => "File",
        _ => return None,
    })
}

/// A text as the content of a `<textarea>`. Leptos writes that as it is, as if it were a script: without this, a text
/// could end the element and go on as markup, and `&lt;` would come back as `<`. HTML drops one line break right after
/// the tag.
pub fn in_text_area(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    if text.starts_with(['\n', '\r']) { format!("\n{escaped}") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_wrote_is_kept_and_nothing_else() {
        let sent = [
            ("body", "Why?"),
            ("reason", " "),
            ("number", "7"),
            ("form", "17"),
            ("intent", "publish"),
            ("secret", "a long secret of an invitation"),
            ("password", "a very long password indeed"),
        ];
        let fields = sent.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let echo = FormEcho { action: "/do/x".into(), error: AppError::Preview, fields };
        assert_eq!(echo.texts(), [("Text", "Why?")]);
    }

    #[test]
    fn a_blank_first_line_survives() {
        assert_eq!(in_text_area("\r\na"), "\n\r\na");
        assert_eq!(in_text_area("\na"), "\n\na");
        assert_eq!(in_text_area("a\n"), "a\n");
        assert_eq!(in_text_area("a &lt; b</textarea><b>"), "a &amp;lt; b&lt;/textarea&gt;&lt;b&gt;");
    }
}
