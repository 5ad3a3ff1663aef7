//! What the last form did, said once at the top of the page it led to.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// Makes [`Done`] from a table: name, word in the address, sentence on the page.
macro_rules! table {
    ($($name:ident $word:literal $sentence:literal)*) => {
        /// What a form did. Its word stands in the address of the page that shows the result; only these are ever
        /// shown: an address cannot put words into our mouth.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Done {
            $(#[doc = $sentence] $name,)*
        }

        impl Done {
            const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word in the address.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The sentence on the page.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

table! {
    Saved "saved" "Saved."
    Created "created" "Created."
    DraftCreated "draft_created" "The draft is saved."
    DraftSaved "draft_saved" "The draft is saved."
    DraftDeleted "draft_deleted" "The draft is deleted."
    CreatedAndPublished "created_and_published" "Published. Reviewers see it now."
    SavedAndPublished "saved_and_published" "Published. Reviewers see it now."
    CreatedNotPublished "created_not_published" "The draft is saved, but it could not be published. Try “Publish for review” again."
    SavedNotPublished "saved_not_published" "The draft is saved, but it could not be published. Try “Publish for review” again."
    Published "published" "Published. Reviewers see it now."
    Revised "revised" "The new revision is published, and every thread is carried into it."
    Withdrawn "withdrawn" "Withdrawn."
    Commented "commented" "Your comment is there."
    Replied "replied" "Your reply is there."
    CommentEdited "comment_edited" "The comment is changed; what it said before is kept in its history."
    CommentDeleted "comment_deleted" "The comment is deleted."
    Resolved "resolved" "The thread is resolved."
    Reopened "reopened" "The thread is open again."
    Reattached "reattached" "The thread is attached to the text you chose."
    Archived "archived" "Archived. Nothing that belongs to it is lost."
    Restored "restored" "Restored."
    Renamed "renamed" "Renamed. The old address leads here."
    Invited "invited" "The invitation is ready: pass the link on."
    InvitationWithdrawn "invitation_withdrawn" "The invitation is taken back; its link does not work any more."
    RoleChanged "role_changed" "The role is changed."
    RoleKept "role_kept" "They have this role already; nothing was changed."
    Disabled "disabled" "The account is disabled; its sessions and tokens have ended."
    Enabled "enabled" "The account is enabled again."
    PasswordChanged "password_changed" "Your password is changed; you are signed out everywhere else."
    SessionEnded "session_ended" "That session has ended."
    SessionsEnded "sessions_ended" "The other sessions have ended."
    AccessEnded "access_ended" "Every session and API token of this person has ended."
    TokenRevoked "token_revoked" "The token is revoked."
    ImportStopped "import_stopped" "Stopped. What was done stays."
    ImportDiscarded "import_discarded" "The file is discarded."
    FollowUpMade "follow_up_made" "The follow-up is made; its owner is reminded until it is done."
    FollowUpDone "follow_up_done" "Done. Nobody is reminded of it any more."
    FollowUpDropped "follow_up_dropped" "Dropped. Nobody is reminded of it any more."
    FollowUpReopened "follow_up_reopened" "It is open again; its owner is reminded until it is done."
    IncidentRecorded "incident_recorded" "The incident is recorded."
    Voided "voided" "The incident is voided; it counts nowhere any more."
    NameMapped "name_mapped" "The name stands for this service, here and in every import from now on."
    NameIgnored "name_ignored" "The name is set aside; it is none of your services."
    HandedOn "handed_on" "Handed on. Its new owner is told."
    Moved "moved" "The day is moved; the first one stays in sight."
    SwitchedOn "switched_on" "It is called again from now on."
    SwitchedOff "switched_off" "It is not called any more. What waits for it can be sent again later."
    WebhookDeleted "webhook_deleted" "The webhook is deleted, with the calls that waited for it."
    WebhookTested "webhook_tested" "A test is on its way. Load this page again in a moment to see how it went."
    HookRevoked "hook_revoked" "The hook is revoked; whoever calls it is turned away."
    SentAgain "sent_again" "On its way again, under the same key."
    LetGo "let_go" "Let go: it is not sent any more."
    SignedOut "signed_out" "You are signed out."
    Joined "joined" "Welcome to Plumbline. Your account is ready."
    JoinedAlready "joined_already" "This link was used already and the account is ready: sign in with its password."
    MarkedRead "marked_read" "Marked as read."
    MarkedUnread "marked_unread" "Marked as unread."
    MarkedDone "marked_done" "Done. News about it brings it back."
    PutOff "put_off" "Put off. It comes back in the morning you chose, or with news."
    BackInInbox "back_in_inbox" "It is back in your inbox."
    AllRead "all_read" "Everything is marked as read."
}

impl Done {
    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|done| done.as_str() == word)
    }

    /// Takes the word out of an address: the address without it, and what it said. So a page that is loaded again for
    /// another reason does not say it again.
    pub fn take(address: &str) -> (String, Option<Self>) {
        let Some((path, query)) = address.split_once('?') else { return (address.to_owned(), None) };
        let mut done = None;
        let mut rest = Vec::new();
        for pair in query.split('&') {
            match pair.strip_prefix("done=") {
                Some(word) => done = done.or(Self::parse(word)),
                None => rest.push(pair),
            }
        }
        let separator = if rest.is_empty() { "" } else { "?" };
        (format!("{path}{separator}{}", rest.join("&")), done)
    }

    /// The address of the page that shows the result, with the word in it.
    pub fn at(self, address: &str) -> String {
        let (page, fragment) = address.split_at(address.find('#').unwrap_or(address.len()));
        let separator = if page.contains('?') { '&' } else { '?' };
        format!("{page}{separator}done={}{fragment}", self.as_str())
    }
}

/// The result of the last form.
#[component]
pub fn Flash(
    /// What it did.
    done: Done,
) -> impl IntoView {
    let (class, glyph) = match done {
        Done::CreatedNotPublished | Done::SavedNotPublished => ("flash notice tone-warn", Glyph::Alert),
        _ => ("flash notice tone-good", Glyph::CheckCircle),
    };
    view! {
        <p class=class role="status">
            <Icon glyph=glyph/>
            {done.sentence()}
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_can_be_read_back() {
        for done in Done::ALL {
            assert_eq!(Done::parse(done.as_str()), Some(*done));
        }
        assert_eq!(Done::parse("hacked"), None);
    }

    #[test]
    fn the_word_goes_into_an_address_and_out_again() {
        assert_eq!(Done::Saved.at("/account#tokens"), "/account?done=saved#tokens");
        assert_eq!(Done::Commented.at("/rfcs/7?revision=2#c-3"), "/rfcs/7?revision=2&done=commented#c-3");
        assert_eq!(
            Done::take("/rfcs/7?revision=2&done=commented"),
            ("/rfcs/7?revision=2".into(), Some(Done::Commented))
        );
        assert_eq!(Done::take("/rfcs/7?done=commented"), ("/rfcs/7".into(), Some(Done::Commented)));
        assert_eq!(Done::take("/rfcs/7?undone=x"), ("/rfcs/7?undone=x".into(), None));
        assert_eq!(Done::take("/rfcs/7?done=hacked"), ("/rfcs/7".into(), None));
    }
}
