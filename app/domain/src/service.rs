//! Services: what the product reviews.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// How much depends on a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "i16", try_from = "i16")]
pub enum Tier {
    /// 1: an outage is an incident for customers.
    Critical,
    /// 2: an outage is felt.
    Important,
    /// 3: an outage can wait.
    Supporting,
}

impl Tier {
    /// Every tier, the most critical first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Important, Self::Supporting];

    /// 1, 2 or 3.
    pub fn number(self) -> i16 {
        match self {
            Self::Critical => 1,
            Self::Important => 2,
            Self::Supporting => 3,
        }
    }

    /// The words on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Critical => "Tier 1 · critical",
            Self::Important => "Tier 2 · important",
            Self::Supporting => "Tier 3 · supporting",
        }
    }

    /// Reads 1, 2 or 3.
    pub fn parse(number: i64) -> Result<Self, Refusal> {
        Self::ALL
            .into_iter()
            .find(|tier| i64::from(tier.number()) == number)
            .ok_or_else(|| Refusal::field("tier", "The tier is 1 (critical), 2 (important) or 3 (supporting)."))
    }
}

impl From<Tier> for i16 {
    fn from(tier: Tier) -> Self {
        tier.number()
    }
}

impl TryFrom<i16> for Tier {
    type Error = Refusal;

    fn try_from(number: i16) -> Result<Self, Refusal> {
        Self::parse(i64::from(number))
    }
}
