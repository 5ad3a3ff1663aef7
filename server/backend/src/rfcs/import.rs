//! RFCs from a folder of Markdown files: `plumbline import rfcs`.

pub mod parse;
