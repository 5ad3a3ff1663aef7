//! What the client of a change believes is there, so that nobody overwrites what they have not seen.

use domain::Refusal;

/// The state that a change expects: the header `If-Match`, or a hidden field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing was said: creates what is missing, and refuses to change what exists.
    Unstated,
    /// Nothing is there yet: a form that creates.
    Absent,
    /// This version is the newest.
    Version(i64),
    /// Some version, whichever: `If-Match: *`.
    Existing,
    /// Whatever is there, or nothing: the change stands by itself.
    Any,
}

impl Expected {
    /// Ok when the newest version, or none, is what was expected. `taken` is the refusal for a name that should have
    /// been free.
    pub fn check(self, newest: Option<i64>, taken: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
        match (self, newest) {
            (Self::Any, _) | (Self::Existing, Some(_)) | (Self::Unstated | Self::Absent, None) => Ok(()),
            (Self::Existing, None) => Err(Refusal::Stale { sent: 0, newest: 0 }),
            (Self::Unstated, Some(newest)) => Err(Refusal::VersionNeeded { newest }),
            (Self::Absent, Some(_)) => Err(taken()),
            (Self::Version(sent), Some(newest)) if sent == newest => Ok(()),
            (Self::Version(sent), newest) => Err(Refusal::Stale { sent, newest: newest.unwrap_or(0) }),
        }
    }

    /// Ok when `newest`, the version of something that exists, is what was expected.
    pub fn check_existing(self, newest: i64) -> Result<(), Refusal> {
        self.check(Some(newest), || Refusal::conflict("This exists already."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creates_without_a_version_and_changes_only_with_the_newest() {
        let status = |expected: Expected, newest| {
            expected.check(newest, || Refusal::conflict("taken")).map_err(|refusal| refusal.status())
        };
        assert_eq!(status(Expected::Unstated, None), Ok(()));
        assert_eq!(status(Expected::Unstated, Some(3)), Err(428));
        assert_eq!(status(Expected::Absent, None), Ok(()));
        assert_eq!(status(Expected::Absent, Some(3)), Err(409));
        assert_eq!(status(Expected::Version(3), Some(3)), Ok(()));
        assert_eq!(status(Expected::Version(2), Some(3)), Err(412));
        assert_eq!(status(Expected::Version(2), None), Err(412));
        assert_eq!(status(Expected::Existing, Some(3)), Ok(()));
        assert_eq!(status(Expected::Existing, None), Err(412));
        assert_eq!(status(Expected::Any, Some(3)), Ok(()));
        assert_eq!(status(Expected::Any, None), Ok(()));
    }
}
