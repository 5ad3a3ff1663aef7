//! What a service's or a team's page shows of its incidents.

use domain::Actor;
use domain::incident::REPEAT_DAYS;
use jiff::SignedDuration;

use super::aggregate::{self, Monthly, Repeated};
use super::{Filter, Listed, list};
use crate::{Backend, Error, PageRequest, Result};

/// The months of the chart.
const MONTHS: i32 = 12;
/// The latest incidents on a page about something else.
const LATEST: i64 = 5;

/// A service's or a team's incidents at a glance.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The last twelve months by month and type, this one included.
    pub monthly: Monthly,
    /// How many began within the last [`REPEAT_DAYS`] days.
    pub recent: i64,
    /// What came back within those days, the most frequent first.
    pub repeated: Vec<Repeated>,
    /// The latest ones, whenever they were.
    pub latest: Vec<Listed>,
}

/// The incidents that `filter` leaves (its `from` and `to` do not count) at a glance.
pub async fn overview(backend: &Backend, actor: &Actor, filter: &Filter) -> Result<Overview> {
    let window = SignedDuration::from_hours(24 * i64::from(REPEAT_DAYS));
    let from = backend.now().checked_sub(window).map_err(Error::internal)?;
    let recent = Filter { from: Some(from.to_string()), to: None, ..filter.clone() };
    let latest = PageRequest { limit: Some(LATEST), cursor: None };
    let mut repeated = aggregate::repeated(backend, actor, filter).await?;
    repeated.truncate(5);
    Ok(Overview {
        monthly: aggregate::by_month(backend, actor, filter, MONTHS).await?,
        recent: aggregate::aggregate(backend, actor, &[], &recent).await?.total.count,
        repeated,
        latest: list(backend, actor, filter, &latest).await?.items,
    })
}
