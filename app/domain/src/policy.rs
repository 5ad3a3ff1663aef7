//! Who may do what: THE authorization file. Nothing else decides.
//!
//! Roles include the ones before them; scopes of a token narrow a role and never widen it.
//!
//! | action | reader | member | sre | lead | admin |
//! |---|---|---|---|---|---|
//! | read anything but others' drafts | ✔ | ✔ | ✔ | ✔ | ✔ |
//! | own account, own sessions, own tokens | ✔ | ✔ | ✔ | ✔ | ✔ |
//! | write RFCs, open threads, comment | | ✔ | ✔ | ✔ | ✔ |
//! | revise, share, withdraw an RFC | | its authors | its authors | ✔ | ✔ |
//! | edit or delete a comment | | its author | its author | its author | its author |
//! | read what a comment said earlier | ✔ | ✔ | ✔ | ✔ | ✔ |
//! | the same of a deleted comment | its author | its author | its author | its author | its author |
//! | resolve or reopen a thread | | its opener and the RFC's authors | ✔ | ✔ | ✔ |
//! | create or edit a service | | of an own team | ✔ | ✔ | ✔ |
//! | record an incident | | ✔ | ✔ | ✔ | ✔ |
//! | change or void an incident | | its recorder, teams of its services | ✔ | ✔ | ✔ |
//! | say what unknown service names mean | | | ✔ | ✔ | ✔ |
//! | types of incidents | | | | ✔ | ✔ |
//! | make a follow-up | | ✔ | ✔ | ✔ | ✔ |
//! | change, move, hand on, finish, drop a follow-up | | its owner and its maker | ✔ | ✔ | ✔ |
//! | people, roles, teams, invitations, tokens of others, imports, webhooks, hooks, the outbox | | | | | ✔ |
//!
//! A draft is read by its authors and those it is shared with; for everybody else it does not exist (404).

use crate::actor::{Actor, PersonId, Role, TeamId};
use crate::refusal::Refusal;
use crate::rfc::Status;

/// What the policy needs to know of an RFC.
#[derive(Debug, Clone)]
pub struct RfcAccess {
    /// Where it stands.
    pub status: Status,
    /// Who writes it.
    pub authors: Vec<PersonId>,
    /// Whom its draft is shared with.
    pub shared_with: Vec<PersonId>,
}

impl RfcAccess {
    fn is_author(&self, actor: &Actor) -> bool {
        self.authors.contains(&actor.id)
    }
}

/// Something an actor wants to do.
#[derive(Debug, Clone, Copy)]
pub enum Action<'a> {
    /// Read lists and pages that everybody signed in may read.
    Read,
    /// Change one's own name, zone, password, sessions and tokens.
    ManageOwnAccount,
    /// Create, change, disable people; invitations; teams; tokens and sessions of others; imports;
    /// webhooks, hooks and the outbox.
    Administer,
    /// Create or change a service owned by this team (nobody: `None`), also to hand it to that team.
    EditService {
        /// The owner before and, when it changes, after.
        team: Option<TeamId>,
    },
    /// Record an incident.
    RecordIncident,
    /// Change or void an incident.
    EditIncident {
        /// Who recorded it; nobody: an import, a hook, the operator.
        recorder: Option<PersonId>,
        /// The teams that own the services it touches.
        teams: &'a [TeamId],
    },
    /// Say which services are meant by names in incidents that nobody knows.
    MapServiceNames,
    /// Add, rename, reorder and archive types of incidents.
    EditIncidentTypes,
    /// Make a follow-up.
    WriteFollowUp,
    /// Change a follow-up: title, owner, due day, source; finish it, drop it, open it again.
    ChangeFollowUp {
        /// Whose it is.
        owner: PersonId,
        /// Who made it, if a person did.
        made_by: Option<PersonId>,
    },
    /// Start an RFC.
    WriteRfc,
    /// See an RFC.
    ReadRfc(&'a RfcAccess),
    /// Publish a revision, change title, kind, services, authors, sharing and status; delete the draft.
    EditRfc(&'a RfcAccess),
    /// Open a thread, answer in one, put an anchor where it belongs.
    Comment(&'a RfcAccess),
    /// Edit or delete a comment.
    EditComment {
        /// The RFC it is on.
        rfc: &'a RfcAccess,
        /// Who wrote it.
        author: PersonId,
    },
    /// Read what a comment said before it was edited or deleted.
    ReadEarlierTexts {
        /// The RFC it is on.
        rfc: &'a RfcAccess,
        /// Who wrote it.
        author: PersonId,
        /// Whether it was deleted.
        deleted: bool,
    },
    /// Resolve or reopen a thread.
    SettleThread {
        /// The RFC it is on.
        rfc: &'a RfcAccess,
        /// Who opened it.
        opener: PersonId,
    },
}

/// Ok, or the refusal that tells the actor who may.
pub fn allows(actor: &Actor, action: Action<'_>) -> Result<(), Refusal> {
    match action {
        Action::Read => needs_scope(actor.scopes.read, "read"),
        Action::ManageOwnAccount => needs_scope(actor.scopes.write, "write"),
        Action::Administer => {
            needs_scope(actor.scopes.admin, "admin")?;
            needs_role(actor, Role::Admin)
        }
        Action::EditService { team } => {
            needs_scope(actor.scopes.write, "write")?;
            needs_role(actor, Role::Member)?;
            if actor.role >= Role::Sre || team.is_some_and(|team| actor.teams.contains(&team)) {
                return Ok(());
            }
            Err(Refusal::not_allowed(
                "Members edit the services of their own teams; any service: an SRE, lead or admin.",
            ))
        }
        Action::EditIncident { recorder, teams } => {
            allows(actor, Action::RecordIncident)?;
            let own = recorder == Some(actor.id) || teams.iter().any(|team| actor.teams.contains(team));
            if own || actor.role >= Role::Sre {
                return Ok(());
            }
            Err(Refusal::not_allowed(
                "Only who recorded the incident, members of the teams that own its services, an SRE, lead or admin may do \
                 this.",
            ))
        }
        Action::MapServiceNames => {
            needs_scope(actor.scopes.write, "write")?;
            needs_role(actor, Role::Sre)
        }
        Action::EditIncidentTypes => {
            needs_scope(actor.scopes.write, "write")?;
            needs_role(actor, Role::Lead)
        }
        Action::ChangeFollowUp { owner, made_by } => {
            allows(actor, Action::WriteFollowUp)?;
            if actor.id == owner || Some(actor.id) == made_by || actor.role >= Role::Sre {
                return Ok(());
            }
            Err(Refusal::not_allowed("Only its owner, who made it, an SRE, lead or admin may change a follow-up."))
        }
        Action::WriteRfc | Action::RecordIncident | Action::WriteFollowUp => {
            needs_scope(actor.scopes.write, "write")?;
            needs_role(actor, Role::Member)
        }
        Action::ReadRfc(rfc) => {
            needs_scope(actor.scopes.read, "read")?;
            if rfc.status != Status::Draft || rfc.is_author(actor) || rfc.shared_with.contains(&actor.id) {
                return Ok(());
            }
            Err(Refusal::not_found("RFC"))
        }
        Action::EditRfc(rfc) => {
            allows(actor, Action::ReadRfc(rfc))?;
            allows(actor, Action::WriteRfc)?;
            if rfc.is_author(actor) || actor.role >= Role::Lead {
                return Ok(());
            }
            Err(Refusal::not_allowed("Only the RFC's authors, a lead or an admin may do this."))
        }
        Action::Comment(rfc) => {
            allows(actor, Action::ReadRfc(rfc))?;
            allows(actor, Action::WriteRfc)
        }
        Action::EditComment { rfc, author } => {
            allows(actor, Action::Comment(rfc))?;
            if actor.id == author {
                return Ok(());
            }
            Err(Refusal::not_allowed("Only the comment's author may change it."))
        }
        Action::ReadEarlierTexts { rfc, author, deleted } => {
            allows(actor, Action::ReadRfc(rfc))?;
            if !deleted || actor.id == author {
                return Ok(());
            }
            Err(Refusal::not_allowed("Only its author may read what a deleted comment said."))
        }
        Action::SettleThread { rfc, opener } => {
            allows(actor, Action::Comment(rfc))?;
            if actor.id == opener || rfc.is_author(actor) || actor.role >= Role::Sre {
                return Ok(());
            }
            Err(Refusal::not_allowed(
                "Only who opened the thread, the RFC's authors, an SRE, lead or admin may do this.",
            ))
        }
    }
}

fn needs_role(actor: &Actor, role: Role) -> Result<(), Refusal> {
    if actor.role >= role {
        return Ok(());
    }
    let who = match role {
        Role::Reader => "somebody signed in",
        Role::Member => "a member, SRE, lead or admin",
        Role::Sre => "an SRE, lead or admin",
        Role::Lead => "a lead or admin",
        Role::Admin => "an admin",
    };
    Err(Refusal::not_allowed(format!("Only {who} may do this; your role is {}.", actor.role.label())))
}

fn needs_scope(has: bool, scope: &str) -> Result<(), Refusal> {
    if has { Ok(()) } else { Err(Refusal::not_allowed(format!("This token lacks the scope \"{scope}\"."))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::Scopes;

    fn actor(role: Role) -> Actor {
        Actor {
            id: 7,
            email: "ada@example.com".into(),
            name: "Ada".into(),
            role,
            teams: vec![3],
            scopes: Scopes::ALL,
            time_zone: "UTC".into(),
        }
    }

    fn rfc(status: Status, authors: &[PersonId], shared_with: &[PersonId]) -> RfcAccess {
        RfcAccess { status, authors: authors.to_vec(), shared_with: shared_with.to_vec() }
    }

    /// The roles from which on an action is allowed, or none.
    fn allowed(action: Action<'_>) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| allows(&actor(*role), action).is_ok()).collect()
    }

    #[test]
    fn the_table_in_the_module_documentation_holds() {
        let from = |role: Role| Role::ALL.into_iter().filter(|other| *other >= role).collect::<Vec<_>>();
        let (own, others) = (rfc(Status::InReview, &[7], &[]), rfc(Status::InReview, &[8], &[]));
        assert_eq!(allowed(Action::Read), from(Role::Reader));
        assert_eq!(allowed(Action::ManageOwnAccount), from(Role::Reader));
        assert_eq!(allowed(Action::Administer), from(Role::Admin));
        assert_eq!(allowed(Action::WriteRfc), from(Role::Member));
        assert_eq!(allowed(Action::EditRfc(&own)), from(Role::Member));
        assert_eq!(allowed(Action::EditRfc(&others)), from(Role::Lead));
        assert_eq!(allowed(Action::Comment(&others)), from(Role::Member));
        assert_eq!(allowed(Action::EditComment { rfc: &others, author: 7 }), from(Role::Member));
        assert_eq!(allowed(Action::EditComment { rfc: &others, author: 8 }), []);
        for (author, deleted, may) in [
            (7, false, from(Role::Reader)),
            (8, false, from(Role::Reader)),
            (7, true, from(Role::Reader)),
            (8, true, vec![]),
        ] {
            assert_eq!(allowed(Action::ReadEarlierTexts { rfc: &others, author, deleted }), may, "{author} {deleted}");
        }
        assert_eq!(allowed(Action::SettleThread { rfc: &own, opener: 8 }), from(Role::Member));
        assert_eq!(allowed(Action::SettleThread { rfc: &others, opener: 7 }), from(Role::Member));
        assert_eq!(allowed(Action::SettleThread { rfc: &others, opener: 8 }), from(Role::Sre));
        assert_eq!(allowed(Action::WriteFollowUp), from(Role::Member));
        assert_eq!(allowed(Action::ChangeFollowUp { owner: 7, made_by: Some(8) }), from(Role::Member));
        assert_eq!(allowed(Action::ChangeFollowUp { owner: 8, made_by: Some(7) }), from(Role::Member));
        assert_eq!(allowed(Action::ChangeFollowUp { owner: 8, made_by: None }), from(Role::Sre));
        assert_eq!(allowed(Action::EditService { team: Some(3) }), from(Role::Member));
        assert_eq!(allowed(Action::EditService { team: Some(4) }), from(Role::Sre));
        assert_eq!(allowed(Action::EditService { team: None }), from(Role::Sre));
        assert_eq!(allowed(Action::RecordIncident), from(Role::Member));
        for (recorder, teams, may) in [
            (Some(7), &[][..], from(Role::Member)),
            (None, &[4, 3][..], from(Role::Member)),
            (Some(8), &[4][..], from(Role::Sre)),
            (None, &[][..], from(Role::Sre)),
        ] {
            assert_eq!(allowed(Action::EditIncident { recorder, teams }), may, "{recorder:?} {teams:?}");
        }
        assert_eq!(allowed(Action::MapServiceNames), from(Role::Sre));
        assert_eq!(allowed(Action::EditIncidentTypes), from(Role::Lead));
    }

    #[test]
    fn a_draft_does_not_exist_for_others_even_for_an_admin() {
        let (others, shared) = (rfc(Status::Draft, &[8], &[]), rfc(Status::Draft, &[8], &[7]));
        for role in Role::ALL {
            assert_eq!(allows(&actor(role), Action::ReadRfc(&others)), Err(Refusal::not_found("RFC")));
            assert_eq!(allows(&actor(role), Action::EditRfc(&others)), Err(Refusal::not_found("RFC")));
            assert_eq!(allows(&actor(role), Action::Comment(&others)), Err(Refusal::not_found("RFC")));
            assert!(allows(&actor(role), Action::ReadRfc(&shared)).is_ok());
        }
    }

    #[test]
    fn scopes_narrow_a_role_and_never_widen_it() {
        let mut reading = actor(Role::Admin);
        reading.scopes = Scopes::from_words(["read"]);
        assert!(allows(&reading, Action::Read).is_ok());
        for action in [Action::WriteRfc, Action::Administer, Action::ManageOwnAccount] {
            assert_eq!(allows(&reading, action).unwrap_err().status(), 403);
        }
        let mut writing = actor(Role::Admin);
        writing.scopes = Scopes::from_words(["read", "write"]);
        assert!(allows(&writing, Action::WriteRfc).is_ok());
        assert!(allows(&writing, Action::Administer).is_err());
        let mut reader = actor(Role::Reader);
        reader.scopes = Scopes::from_words(["admin"]);
        assert!(allows(&reader, Action::WriteRfc).is_err());
    }
}
