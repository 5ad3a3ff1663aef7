//! What the last form did, said once at the top of the page it led to.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// The sentence for a `?done=` word. Only these are ever shown: an address cannot put words into our mouth.
fn sentence(word: &str) -> Option<&'static str> {
    Some(match word {
        "saved" => "Saved.",
        "created" => "Created.",
        "published" => "Published. Reviewers see it now.",
        "revised" => "The new revision is published; every comment moved along with it.",
        "draft_saved" => "The draft is saved.",
        "draft_deleted" => "The draft is deleted.",
        "withdrawn" => "Withdrawn.",
        "commented" => "Your comment is there.",
        "replied" => "Your answer is there.",
        "comment_edited" => "The comment is changed; what it said before is kept in its history.",
        "comment_deleted" => "The comment is deleted.",
        "resolved" => "The conversation is resolved.",
        "reopened" => "The conversation is open again.",
        "reattached" => "The conversation is attached to the text you chose.",
        "archived" => "Archived. Nothing that belongs to it is lost.",
        "restored" => "Restored.",
        "renamed" => "Renamed. The old address leads here.",
        "invited" => "The invitation is ready: pass the link on.",
        "role_changed" => "The role is changed.",
        "disabled" => "The account is disabled; its sessions and tokens have ended.",
        "enabled" => "The account is enabled again.",
        "password_changed" => "Your password is changed; you are signed out everywhere else.",
        "sessions_ended" => "The other sessions have ended.",
        "token_revoked" => "The token is revoked.",
        "signed_in" => "Welcome.",
        "signed_out" => "You are signed out.",
        "joined" => "Welcome to Plumbline. Your account is ready.",
        _ => return None,
    })
}

/// The result of the last form. Unknown words show nothing.
#[component]
pub fn Flash(
    /// The word of `?done=`.
    #[prop(into)]
    done: String,
) -> impl IntoView {
    sentence(&done).map(|sentence| {
        view! {
            <p class="flash notice tone-good" role="status">
                <Icon glyph=Glyph::CheckCircle/>
                {sentence}
            </p>
        }
    })
}
