//! The demo's organisation: who can be signed in as, with one click, on the sign-in page of `--demo`.

use domain::Role;

/// The password of everybody in the demo. Only a server started with `--demo` on an empty database makes these people.
pub const PASSWORD: &str = "plumb-the-depths-daily";

/// Somebody whose sign-in the demo offers.
#[derive(Debug, Clone, Copy)]
pub struct SignIn {
    /// Their address.
    pub email: &'static str,
    /// Their name.
    pub name: &'static str,
    /// Their role.
    pub role: Role,
}

/// One person of every role, as the sign-in page offers them.
pub fn sign_ins() -> [SignIn; 5] {
    let person = |email, name, role| SignIn { email, name, role };
    [
        person("ada@example.com", "Ada Okafor", Role::Member),
        person("grace@example.com", "Grace Lindqvist", Role::Sre),
        person("mei@example.com", "Mei Tanaka", Role::Lead),
        person("ruth@example.com", "Ruth Albrecht", Role::Admin),
        person("dario@example.com", "Dario Conti", Role::Reader),
    ]
}
