//! Signatures by Standard Webhooks 1.0, for what goes out and what comes in.
//!
//! Signed is `{id}.{timestamp}.{body}` with HMAC-SHA256; the header carries `v1,{base64}`, several of them apart by
//! spaces while a secret is being rotated.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

use crate::{Entropy, Error, Result};

/// The header that names the message, the same at every try.
pub const ID: &str = "webhook-id";
/// The header with the seconds since 1970 at which it was sent.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE: &str = "webhook-signature";

/// How far the sender's clock may be from ours.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// How long the secret before the newest stays valid.
pub const OLD_SECRET_VALID: SignedDuration = SignedDuration::from_hours(24);

/// How many signatures of one message are looked at.
const SIGNATURES: usize = 16;
const PREFIX: &str = "whsec_";
const VERSION: &str = "v1";

/// A key of 256 bits that both sides know.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whsec_…")
    }
}

impl Secret {
    /// A new one.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 32];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// As the table keeps it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        bytes.try_into().map(Self).map_err(|_| Error::internal("a webhook's secret has another length"))
    }

    /// As the table keeps it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As people pass it on: `whsec_` and base64.
    pub fn expose(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }

    /// One signature of a message: `v1,…`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
        let code = self.code(id, timestamp, body)?.finalize().into_bytes();
        Ok(format!("{VERSION},{}", STANDARD.encode(code)))
    }

    fn code(&self, id: &str, timestamp: i64, body: &[u8]) -> Result<Hmac<Sha256>> {
        // HMAC takes keys of every length.
        let mut code = Hmac::<Sha256>::new_from_slice(&self.0).map_err(Error::internal)?;
        code.update(format!("{id}.{timestamp}.").as_bytes());
        code.update(body);
        Ok(code)
    }
}

/// The secret of a webhook or hook, and while it is being rotated the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    current: Secret,
    previous: Option<(Secret, Timestamp)>,
}

impl Secrets {
    /// As the tables keep them.
    pub(crate) fn read(current: &[u8], previous: Option<&[u8]>, until: Option<Timestamp>) -> Result<Self> {
        let previous = previous.zip(until).map(|(secret, until)| Ok::<_, Error>((Secret::from_bytes(secret)?, until)));
        Ok(Self { current: Secret::from_bytes(current)?, previous: previous.transpose()? })
    }

    /// Those that count now, the newest first.
    pub fn valid(&self, now: Timestamp) -> Vec<Secret> {
        let previous = self.previous.iter().filter(|(_, until)| now < *until).map(|(secret, _)| secret.clone());
        std::iter::once(self.current.clone()).chain(previous).collect()
    }
}

/// The header with a signature by each of these secrets.
pub fn header(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
    let signatures = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect::<Result<Vec<_>>>()?;
    Ok(signatures.join(" "))
}

/// Whether one of the signatures in the header is by one of these secrets. Compared in constant time, and every secret
/// costs the same, whether it fits or not.
pub fn fits(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8], header: &str) -> Result<bool> {
    let given: Vec<_> = header
        .split(' ')
        .filter_map(|signature| signature.split_once(','))
        .filter(|(version, _)| *version == VERSION)
        .filter_map(|(_, code)| STANDARD.decode(code).ok())
        .take(SIGNATURES)
        .collect();
    let mut fits = false;
    for secret in secrets {
        let code = secret.code(id, timestamp, body)?;
        for given in &given {
            fits |= code.clone().verify_slice(given).is_ok();
        }
    }
    Ok(fits)
}

/// Whether a message of this time may still be taken: an older one may have been recorded and sent again.
pub fn is_timely(timestamp: i64, now: Timestamp) -> bool {
    now.as_second().abs_diff(timestamp) <= TOLERANCE.as_secs().unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    /// The example of the specification's own libraries.
    const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    /// That example's key is shorter than ours; the code is made in the same way.
    fn example(id: &str, at: i64, body: &[u8]) -> String {
        let mut code = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(KEY).unwrap()).unwrap();
        code.update(format!("{id}.{at}.").as_bytes());
        code.update(body);
        format!("v1,{}", STANDARD.encode(code.finalize().into_bytes()))
    }

    #[test]
    fn the_specifications_example_comes_out() {
        assert_eq!(example(ID, AT, BODY), SIGNED);
        // HMAC fills a short key up with zeros, so that a key of 32 bytes can be the same one.
        let mut key = STANDARD.decode(KEY).unwrap();
        key.resize(32, 0);
        let secret = Secret::from_bytes(&key).unwrap();
        assert_eq!(secret.sign(ID, AT, BODY).unwrap(), SIGNED);
        assert!(fits(&[secret], ID, AT, BODY, SIGNED).unwrap());
    }

    #[test]
    fn only_the_same_message_under_a_known_secret_fits() {
        let (old, new, other) = (Secret::new(&SystemEntropy), Secret::new(&SystemEntropy), Secret::new(&SystemEntropy));
        let known = [new.clone(), old.clone()];
        let both = header(&known, ID, AT, BODY).unwrap();
        assert_eq!(both.split(' ').count(), 2);
        let fit = |secrets: &[Secret], id: &str, at: i64, body: &[u8], header: &str| {
            fits(secrets, id, at, body, header).unwrap()
        };
        for receiver in [&old, &new] {
            assert!(fit(std::slice::from_ref(receiver), ID, AT, BODY, &both));
        }
        assert!(!fit(std::slice::from_ref(&other), ID, AT, BODY, &both));
        let by_old = header(std::slice::from_ref(&old), ID, AT, BODY).unwrap();
        assert!(fit(&known, ID, AT, BODY, &format!("v2,x v1a,abc {by_old} v1,")));
        for (id, at, body) in [("msg_other", AT, BODY), (ID, AT + 1, BODY), (ID, AT, &BODY[1..])] {
            assert!(!fit(&known, id, at, body, &by_old));
        }
        let forged = by_old.replace("v1,", "v2,");
        for header in ["", "v1", "v1,", "v1,AAAA", "v1,!", &by_old[..by_old.len() - 4], &forged] {
            assert!(!fit(&known, ID, AT, BODY, header), "{header}");
        }
        assert!(!fit(&[], ID, AT, BODY, &by_old));
        assert!(new.expose().starts_with("whsec_") && !format!("{new:?}").contains(&new.expose()));
    }

    #[test]
    fn five_minutes_either_way_are_timely() {
        let now = Timestamp::from_second(AT).unwrap();
        for (at, timely) in [(AT, true), (AT - 300, true), (AT + 300, true), (AT - 301, false), (AT + 301, false)] {
            assert_eq!(is_timely(at, now), timely, "{at}");
        }
        assert!(!is_timely(i64::MIN, now) && !is_timely(i64::MAX, now));
    }
}
