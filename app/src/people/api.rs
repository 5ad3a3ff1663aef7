//! Server functions of this slice.
