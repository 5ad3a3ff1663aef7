//! The migrations are part of this crate, but their macro sees only the files that were there when it ran: a new one
//! has to be announced to cargo.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
