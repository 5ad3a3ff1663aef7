//! Home: what needs me today.

pub mod home_page;
