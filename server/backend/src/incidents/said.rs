//! What a source says about an incident, and what it says differently from last time.

use std::collections::BTreeSet;

use domain::incident::Severity;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::content::kept;
use super::receive::said;

/// What a source says about an incident, every value within its limits. `None`: it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::option_option, reason = "not said, said to be none, said")]
pub(super) struct Said {
    #[serde(skip)]
    pub(super) source: String,
    #[serde(skip)]
    pub(super) external_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    /// The word for its type; blank is none.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) type_word: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) severity: Option<Severity>,
    /// Words for services, as [`names::as_kept`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) services: Option<BTreeSet<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub(super) detected_at: Option<Option<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub(super) mitigated_at: Option<Option<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub(super) ended_at: Option<Option<Timestamp>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "said")]
    pub(super) postmortem_url: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) postmortem: Option<String>,
}

impl Said {
    /// What counts as said by a source that never said it: blank wherever blank is possible, so that a blank is no news.
    pub(super) fn blank() -> Self {
        Self {
            type_word: Some(String::new()),
            services: Some(BTreeSet::new()),
            detected_at: Some(None),
            mitigated_at: Some(None),
            ended_at: Some(None),
            summary: Some(String::new()),
            postmortem_url: Some(None),
            postmortem: Some(String::new()),
            ..Self::default()
        }
    }

    /// The same with instants as the database keeps them.
    pub(super) fn kept(self) -> Self {
        Self {
            started_at: self.started_at.map(kept),
            detected_at: self.detected_at.map(|at| at.map(kept)),
            mitigated_at: self.mitigated_at.map(|at| at.map(kept)),
            ended_at: self.ended_at.map(|at| at.map(kept)),
            ..self
        }
    }

    /// What is said differently from `before`.
    pub(super) fn news(&self, before: &Self) -> Self {
        fn new<T: Clone + PartialEq>(now: Option<&T>, before: Option<&T>) -> Option<T> {
            now.filter(|_| now != before).cloned()
        }
        Self {
            source: self.source.clone(),
            external_id: self.external_id.clone(),
            title: new(self.title.as_ref(), before.title.as_ref()),
            type_word: new(self.type_word.as_ref(), before.type_word.as_ref()),
            severity: new(self.severity.as_ref(), before.severity.as_ref()),
            services: new(self.services.as_ref(), before.services.as_ref()),
            started_at: new(self.started_at.as_ref(), before.started_at.as_ref()),
            detected_at: new(self.detected_at.as_ref(), before.detected_at.as_ref()),
            mitigated_at: new(self.mitigated_at.as_ref(), before.mitigated_at.as_ref()),
            ended_at: new(self.ended_at.as_ref(), before.ended_at.as_ref()),
            summary: new(self.summary.as_ref(), before.summary.as_ref()),
            postmortem_url: new(self.postmortem_url.as_ref(), before.postmortem_url.as_ref()),
            postmortem: new(self.postmortem.as_ref(), before.postmortem.as_ref()),
        }
    }

    /// All that was ever said, the newest of it.
    pub(super) fn over(self, before: Self) -> Self {
        Self {
            source: self.source,
            external_id: self.external_id,
            title: self.title.or(before.title),
            type_word: self.type_word.or(before.type_word),
            severity: self.severity.or(before.severity),
            services: self.services.or(before.services),
            started_at: self.started_at.or(before.started_at),
            detected_at: self.detected_at.or(before.detected_at),
            mitigated_at: self.mitigated_at.or(before.mitigated_at),
            ended_at: self.ended_at.or(before.ended_at),
            summary: self.summary.or(before.summary),
            postmortem_url: self.postmortem_url.or(before.postmortem_url),
            postmortem: self.postmortem.or(before.postmortem),
        }
    }
}
