//! People, as initials beside their name.

use leptos::prelude::*;

/// Initials on a colour of their own, the same wherever the name stands. Hidden from screen readers: the name is beside.
#[component]
pub fn Avatar(
    /// The person's name.
    #[prop(into)]
    name: String,
    /// For comments and rows.
    #[prop(optional)]
    small: bool,
    /// For a person's own page and the account menu.
    #[prop(optional)]
    large: bool,
) -> impl IntoView {
    let size = match (small, large) {
        (true, _) => " avatar-small",
        (_, true) => " avatar-large",
        _ => "",
    };
    view! { <span class=format!("avatar avatar-{}{size}", colour(&name)) aria-hidden="true">{initials(&name)}</span> }
}

/// A person: initials and name, a link when there is an `href`.
#[component]
pub fn Person(
    /// The person's name.
    #[prop(into)]
    name: String,
    /// Their page.
    #[prop(optional, into)]
    href: String,
) -> impl IntoView {
    let inside = view! {
        <Avatar name=name.clone() small=true/>
        <span class="truncate">{name}</span>
    };
    if href.is_empty() {
        view! { <span class="person">{inside}</span> }.into_any()
    } else {
        view! { <a class="person" href=href>{inside}</a> }.into_any()
    }
}

/// The first letters of the first and the last word.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// One of eight colours, always the same for a name.
fn colour(name: &str) -> u32 {
    name.chars().fold(5381_u32, |hash, c| hash.wrapping_mul(33) ^ u32::from(c)) % 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_last_word() {
        for (name, expected) in [
            ("Grace Lindqvist", "GL"),
            ("ada", "A"),
            ("Jean-Luc van der Berg", "JB"),
            ("  øyvind  åse ", "ØÅ"),
            ("李 小龍", "李小"),
            ("🧊 (bot) Ice", "BI"),
            ("", ""),
        ] {
            assert_eq!(initials(name), expected, "{name}");
        }
    }
}
