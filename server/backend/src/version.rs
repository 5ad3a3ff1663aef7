//! The guard of a change: which version of the object it was made on.

use domain::Refusal;

/// Which version of an object a change was made on: the header `If-Match`, or a hidden field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// This very version; any other is stale.
    Version(i64),
    /// Nothing was said, where something must be.
    Missing,
    /// Whatever is there now: the change stands by itself.
    Any,
}

impl Expected {
    /// Whether the change may be made on the version that is there.
    pub fn check(self, newest: i64) -> Result<(), Refusal> {
        match self {
            Self::Version(sent) if sent != newest => Err(Refusal::Stale { sent, newest }),
            Self::Missing => Err(Refusal::VersionNeeded { newest }),
            Self::Version(_) | Self::Any => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_version_may_be_changed() {
        assert_eq!(Expected::Version(3).check(3), Ok(()));
        assert_eq!(Expected::Any.check(3), Ok(()));
        assert_eq!(Expected::Version(2).check(3).unwrap_err().status(), 412);
        assert_eq!(Expected::Missing.check(3).unwrap_err().status(), 428);
    }
}
