//! The links that turn a kind of mail off without signing in (RFC 8058). A link names a person and a kind and is signed:
//! it can be made only here, turns only that off, and does not end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::notice::Kind;
use domain::{PersonId, Refusal};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sqlx::PgConnection;

use super::{Reader, preferences, readers};
use crate::{Backend, Entropy, Error, Result, Tx};

/// What links are signed with.
pub(super) struct Secret(Vec<u8>);

/// What a link is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Whose mail.
    pub email: String,
    /// Which mail.
    pub kind: Kind,
    /// Whether it still comes.
    pub on: bool,
}

impl Secret {
    /// The one of this database, made at first use.
    pub(super) async fn get(connection: &mut PgConnection, entropy: &dyn Entropy) -> Result<Self> {
        let known = || sqlx::query_scalar!("select secret from unsubscribe_secret");
        if let Some(secret) = known().fetch_optional(&mut *connection).await? {
            return Ok(Self(secret));
        }
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        sqlx::query!("insert into unsubscribe_secret (secret) values ($1) on conflict do nothing", &secret)
            .execute(&mut *connection)
            .await?;
        // Another process may have been quicker.
        Ok(Self(known().fetch_one(&mut *connection).await?))
    }

    /// The end of the link that turns this kind of mail off for this person.
    pub(super) fn token(&self, person: PersonId, kind: Kind) -> Result<String> {
        let mac = self.mac(person, kind)?.finalize().into_bytes();
        Ok(format!("{person}.{}.{}", kind.as_str(), URL_SAFE_NO_PAD.encode(mac)))
    }

    fn read(&self, token: &str) -> Result<(PersonId, Kind)> {
        let wrong = || Error::from(Refusal::not_found("unsubscribe link"));
        let mut parts = token.splitn(3, '.');
        let person = parts.next().and_then(|person| person.parse().ok()).ok_or_else(wrong)?;
        let kind = parts.next().and_then(Kind::parse).ok_or_else(wrong)?;
        let mac = parts.next().and_then(|mac| URL_SAFE_NO_PAD.decode(mac).ok()).ok_or_else(wrong)?;
        self.mac(person, kind)?.verify_slice(&mac).map_err(|_| wrong())?;
        Ok((person, kind))
    }

    fn mac(&self, person: PersonId, kind: Kind) -> Result<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(Error::internal)?;
        mac.update(format!("unsubscribe:{person}:{}", kind.as_str()).as_bytes());
        Ok(mac)
    }
}

/// What a link would do.
pub async fn look(backend: &Backend, token: &str) -> Result<Link> {
    let mut connection = backend.pool().acquire().await?;
    let (kind, reader) = find(&mut connection, backend.entropy(), token).await?;
    Ok(Link { on: reader.preferences.mail(kind), email: reader.actor.email, kind })
}

/// Does it. Safe to repeat.
pub async fn unsubscribe(backend: &Backend, token: &str) -> Result<Link> {
    let mut connection = backend.pool().acquire().await?;
    let (kind, reader) = find(&mut connection, backend.entropy(), token).await?;
    drop(connection);
    if !kind.is_fixed() {
        let mut tx = Tx::begin(backend, Some(reader.actor.id)).await?;
        preferences::turn_mail_off(&mut tx, reader.actor.id, &reader.actor.email, kind).await?;
        tx.commit(()).await?;
    }
    Ok(Link { on: kind.is_fixed(), email: reader.actor.email, kind })
}

async fn find(connection: &mut PgConnection, entropy: &dyn Entropy, token: &str) -> Result<(Kind, Reader)> {
    let (person, kind) = Secret::get(connection, entropy).await?.read(token)?;
    let reader = readers(connection, &[person]).await?.pop();
    Ok((kind, reader.ok_or_else(|| Refusal::not_found("unsubscribe link"))?))
}
