//! Plumbline's types and rules: no framework, no database, no clock, no randomness, no I/O.

pub mod rfc;
