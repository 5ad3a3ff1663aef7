//! `cargo xtask bench`: measurements with figures, each in its own file.

mod anchors;

use std::path::Path;

use crate::Outcome;

/// Chooses the benchmark.
pub fn dispatch(words: &[&str]) -> Outcome {
    match words {
        ["anchors", folder] => anchors::run(Path::new(folder)),
        _ => Err("usage: cargo xtask bench anchors DIR".into()),
    }
}
