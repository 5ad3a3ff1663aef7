//! What kinds of files there are, and where an import stands.

use domain::limits;
use serde::{Deserialize, Serialize};

/// Makes an enum from a table of names and words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident $word:literal)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its word in the table and the API.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}
pub(super) use words;

words! {
    /// What a file holds.
    Kind {
        /// Services, teams and who needs what, in YAML.
        Catalog "catalog"
        /// Incidents, in CSV or JSON.
        Incidents "incidents"
    }
}

impl Kind {
    /// How large such a file may be.
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Catalog => limits::CATALOG_FILE_BYTES,
            Self::Incidents => limits::INCIDENTS_FILE_BYTES,
        }
    }
}

words! {
    /// Where an import stands.
    State {
        /// Its bytes are arriving.
        Receiving "receiving"
        /// It is being compared with what is here.
        Checking "checking"
        /// Its differences are there to be read.
        Ready "ready"
        /// It is being applied.
        Applying "applying"
        /// All of it that could be applied was.
        Applied "applied"
        /// Somebody stopped it while it was being applied. What was done stays.
        Cancelled "cancelled"
        /// Somebody decided against it.
        Discarded "discarded"
        /// It cannot be read, or a fault stopped it while it was being applied. What was done stays.
        Failed "failed"
    }
}

impl State {
    /// Whether a process is at work on it, or will be.
    pub fn is_busy(self) -> bool {
        matches!(self, Self::Receiving | Self::Checking | Self::Applying)
    }
}
