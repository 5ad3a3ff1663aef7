//! Compares and applies the files that people handed in (`backend::imports`).

use async_trait::async_trait;
use backend::outbox::{Claimed, Kind, TRIES};
use backend::{Backend, imports};

use super::worker::{SendError, Sender};

/// The work of imports.
#[derive(Debug)]
pub struct Imports;

#[async_trait]
impl Sender for Imports {
    fn kind(&self) -> Kind {
        Kind::Import
    }

    /// One after the other: each holds a file in memory and writes as fast as the database lets it.
    fn at_once(&self) -> usize {
        1
    }

    async fn send(&self, backend: &Backend, work: &Claimed) -> Result<(), SendError> {
        let Err(error) = imports::work(backend, &work.payload).await else { return Ok(()) };
        if work.attempt >= TRIES {
            let why = "It was tried many times and did not come to an end; the server's log says why.";
            imports::give_up_work(backend, &work.payload, why).await.map_err(SendError::later)?;
        }
        Err(SendError::later(error))
    }
}
