//! The demo's webhook and hook. The webhook is disabled: a demo calls nobody.

use domain::Actor;

use crate::webhooks::{self, WebhookInput};
use crate::{Backend, Result, hooks};

/// Makes what is missing of them.
pub(super) async fn webhooks(backend: &Backend, admin: &Actor) -> Result<()> {
    let name = "Bridge radio";
    if webhooks::list(backend, admin).await?.iter().all(|webhook| webhook.name != name) {
        let input = WebhookInput {
            name: name.to_owned(),
            url: "https://chat.example.com/hooks/bridge-radio".to_owned(),
            format: "slack".to_owned(),
            events: ["rfc", "incident"].map(str::to_owned).to_vec(),
            active: false,
        };
        webhooks::create(backend, admin, input).await?;
    }
    let name = "Harbour pager";
    if hooks::list(backend, admin).await?.iter().all(|hook| hook.name != name) {
        hooks::create(backend, admin, name, hooks::Purpose::Incidents.as_str()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::Role;

    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn a_second_time_finds_them_there() {
        let test = testing::backend().await;
        let admin = testing::person(&test, "Ruth", Role::Admin, None).await;
        for _ in 0..2 {
            webhooks(&test, &admin).await.unwrap();
            assert_eq!(webhooks::list(&test, &admin).await.unwrap().len(), 1);
            assert_eq!(hooks::list(&test, &admin).await.unwrap().len(), 1);
        }
    }
}
