//! Randomness as a parameter: secrets in links, cookies and tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A source of random bytes.
pub trait Entropy: Send + Sync + 'static {
    /// Fills `bytes` with unpredictable values.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        clippy::panic,
        reason = "the one place that asks the system for randomness; without it no secret may be made"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            panic!("the operating system gives no randomness: {error}");
        }
    }
}

/// A secret that is shown once: 256 bits as URL-safe text.
pub fn secret(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Hides a secret so that it can be kept where others may look: only whoever has `key`, which must be random itself, reads
/// it back. It lives for minutes and is read once; what is not provided is proof that nobody changed it.
pub fn seal(entropy: &dyn Entropy, key: &[u8], secret: &str) -> String {
    let mut sealed = vec![0; NONCE];
    entropy.fill(&mut sealed);
    let stream = keystream(key, &sealed);
    sealed.extend(secret.bytes().zip(stream).map(|(byte, mask)| byte ^ mask));
    URL_SAFE_NO_PAD.encode(sealed)
}

/// The secret that was sealed with this key.
pub fn unseal(key: &[u8], sealed: &str) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (nonce, hidden) = sealed.split_at_checked(NONCE)?;
    String::from_utf8(hidden.iter().zip(keystream(key, nonce)).map(|(byte, mask)| byte ^ mask).collect()).ok()
}

/// Random bytes in front of what is sealed, so that two secrets under one key share no mask.
const NONCE: usize = 16;

/// SHA-256 of purpose, key, nonce and a counter, block after block.
fn keystream(key: &[u8], nonce: &[u8]) -> impl Iterator<Item = u8> + use<> {
    let begun = Sha256::new().chain_update(b"plumbline sealed secret").chain_update(key).chain_update(nonce);
    (0_u64..).flat_map(move |counter| <[u8; 32]>::from(begun.clone().chain_update(counter.to_le_bytes()).finalize()))
}

/// What is kept of a secret. Plain SHA-256 is enough: the secret has 256 bits of its own.
pub fn hash(secret: &str) -> [u8; 32] {
    hash_bytes(secret.as_bytes())
}

/// Like [`hash`], for a secret that is not text.
pub fn hash_bytes(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_with_the_key_only() {
        let secret = "plumb_".to_owned() + &"x".repeat(100);
        let sealed = seal(&SystemEntropy, &[7; 16], &secret);
        assert_eq!(unseal(&[7; 16], &sealed).as_deref(), Some(secret.as_str()));
        assert_ne!(unseal(&[8; 16], &sealed).as_deref(), Some(secret.as_str()));
        assert_ne!(seal(&SystemEntropy, &[7; 16], &secret), sealed, "never the same twice");
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        assert!(!bytes.windows(3).any(|window| window == b"xxx"));
        for broken in ["", "AAAA", "not base64!"] {
            assert_eq!(unseal(&[7; 16], broken), None);
        }
    }
}
