//! The house icons: lines on a 16-pixel grid, drawn inline so that they take the colour of the text around them.

use leptos::prelude::*;
use leptos::tachys::html::InertElement;

/// Which icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the names say what is drawn")]
pub enum Glyph {
    /// No icon.
    #[default]
    None,
    Alert,
    ArrowLeft,
    ArrowRight,
    Check,
    CheckCircle,
    ChevronDown,
    ChevronRight,
    Clock,
    Comment,
    CommentPlus,
    Copy,
    Cross,
    Document,
    Dots,
    Dot,
    External,
    History,
    Home,
    Inbox,
    Info,
    Key,
    Link,
    Lock,
    Mail,
    Menu,
    Monitor,
    Moon,
    Move,
    Pencil,
    Person,
    People,
    Plumb,
    Plus,
    Question,
    Reopen,
    Search,
    Server,
    SignOut,
    Sun,
    Trash,
    Unlink,
}

impl Glyph {
    /// The outline, as SVG path data on a 16 × 16 grid.
    fn path(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Alert => "M8 2.2 14.4 13.3H1.6ZM8 6.4v3.2M8 11.5v.05",
            Self::ArrowLeft => "M13 8H3M7 4 3 8l4 4",
            Self::ArrowRight => "M3 8h10M9 4l4 4-4 4",
            Self::Check => "m3 8.5 3.3 3.3L13 4.8",
            Self::CheckCircle => "M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0ZM5.2 8.2l2 2 3.7-4",
            Self::ChevronDown => "m4 6 4 4 4-4",
            Self::ChevronRight => "m6 4 4 4-4 4",
            Self::Clock => "M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0ZM8 4.6V8l2.3 1.5",
            Self::Comment => {
                "M3.3 2.8h9.4c.7 0 1.3.6 1.3 1.3v6c0 .7-.6 1.3-1.3 1.3H8L4.8 14v-2.6H3.3c-.7 0-1.3-.6-1.3-1.3v-6c0-.7.6-1.3 1.3-1.3Z"
            }
            Self::CommentPlus => {
                "M3.3 2.8h9.4c.7 0 1.3.6 1.3 1.3v6c0 .7-.6 1.3-1.3 1.3H8L4.8 14v-2.6H3.3c-.7 0-1.3-.6-1.3-1.3v-6c0-.7.6-1.3 1.3-1.3ZM8 5v4.2M5.9 7.1h4.2"
            }
            Self::Copy => {
                "M6.3 5.3h6.4c.5 0 1 .4 1 1v6.4c0 .5-.5 1-1 1H6.3c-.6 0-1-.5-1-1V6.3c0-.6.4-1 1-1ZM10.7 5.3v-2c0-.6-.5-1-1-1H3.3c-.6 0-1 .4-1 1v6.4c0 .5.4 1 1 1h2"
            }
            Self::Cross => "m4 4 8 8M12 4l-8 8",
            Self::Document => {
                "M9 1.8H4.3c-.5 0-1 .5-1 1v10.4c0 .5.5 1 1 1h7.4c.5 0 1-.5 1-1V5.5L9 1.8ZM9 2v3.5h3.5M5.8 8.5h4.4M5.8 11h4.4"
            }
            Self::Dots => "M3.5 8v.05M8 8v.05M12.5 8v.05",
            Self::Dot => {
                "M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0ZM9.2 8a1.2 1.2 0 1 1-2.4 0 1.2 1.2 0 0 1 2.4 0Z"
            }
            Self::External => {
                "M6.5 3H3.3c-.5 0-1 .5-1 1v8.7c0 .5.5 1 1 1H12c.5 0 1-.5 1-1V9.5M9.5 2.3h4.2v4.2M13.5 2.5 7.5 8.5"
            }
            Self::History => "M2.2 8a5.9 5.9 0 1 0 1.9-4.3L2.3 5.4M2.2 2.4v3.1h3.1M8 4.9V8l2.2 1.4",
            Self::Home => "M2.3 7 8 2.2 13.7 7v6c0 .5-.4.9-.9.9H9.8V9.6H6.2v4.3h-3c-.5 0-.9-.4-.9-.9Z",
            Self::Inbox => "M2.2 9.2h3.3l1 2h3l1-2h3.3M4.2 3.2h7.6l2 6v2.6c0 .6-.4 1-1 1H3.2c-.6 0-1-.4-1-1V9.2Z",
            Self::Info => "M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0ZM8 7.4v3.6M8 5v.05",
            Self::Key => "M9.6 9.9A3.7 3.7 0 1 0 6.1 6.4L2 10.5V14h3.4v-1.9h1.9v-1.9ZM10.9 5.1v.05",
            Self::Link => {
                "M6.7 9.3a2.9 2.9 0 0 0 4.1 0l2.4-2.4a2.9 2.9 0 1 0-4.1-4.1L8 3.9M9.3 6.7a2.9 2.9 0 0 0-4.1 0L2.8 9.1a2.9 2.9 0 1 0 4.1 4.1L8 12.1"
            }
            Self::Lock => {
                "M4 7.3h8c.5 0 1 .4 1 1v4.9c0 .5-.5 1-1 1H4c-.5 0-1-.5-1-1V8.3c0-.6.5-1 1-1ZM5 7.3V5a3 3 0 0 1 6 0v2.3"
            }
            Self::Mail => {
                "M2.8 3.3h10.4c.5 0 1 .4 1 1v7.4c0 .5-.5 1-1 1H2.8c-.5 0-1-.5-1-1V4.3c0-.6.5-1 1-1ZM2 4.6l6 4.2 6-4.2"
            }
            Self::Menu => "M2.5 4.2h11M2.5 8h11M2.5 11.8h11",
            Self::Monitor => {
                "M2.8 2.8h10.4c.5 0 1 .5 1 1V10c0 .6-.5 1-1 1H2.8c-.5 0-1-.4-1-1V3.8c0-.5.5-1 1-1ZM5.5 13.6h5M8 11v2.6"
            }
            Self::Moon => "M13.6 9.5A5.9 5.9 0 0 1 6.5 2.4a5.9 5.9 0 1 0 7.1 7.1Z",
            Self::Move => "M3 13V9.2a3 3 0 0 1 3-3h7M9.6 2.8 13 6.2 9.6 9.6",
            Self::Pencil => "M10.7 2.8a1.7 1.7 0 0 1 2.5 2.5L5.6 12.9l-3.4.9.9-3.4ZM9.5 4l2.5 2.5",
            Self::Person => "M10.6 5.1a2.6 2.6 0 1 1-5.2 0 2.6 2.6 0 0 1 5.2 0ZM2.9 13.9a5.1 5.1 0 0 1 10.2 0",
            Self::People => {
                "M8.3 5.2a2.3 2.3 0 1 1-4.6 0 2.3 2.3 0 0 1 4.6 0ZM1.6 13.4a4.4 4.4 0 0 1 8.8 0M10.6 3.1a2.3 2.3 0 0 1 0 4.2M11.8 9.5a4.4 4.4 0 0 1 2.6 3.9"
            }
            Self::Plumb => "M8 1v6.2M5.2 7.2h5.6v2.6L8 15 5.2 9.8ZM4 1h8",
            Self::Plus => "M8 3v10M3 8h10",
            Self::Question => {
                "M14.2 8A6.2 6.2 0 1 1 1.8 8a6.2 6.2 0 0 1 12.4 0ZM6.2 6.3a1.8 1.8 0 1 1 2.7 1.6c-.6.3-.9.7-.9 1.3M8 11.2v.05"
            }
            Self::Reopen => "M13.8 8a5.8 5.8 0 1 1-1.9-4.3l1.8 1.7M13.8 2.4v3.1h-3.1",
            Self::Search => "M11.6 7a4.6 4.6 0 1 1-9.2 0 4.6 4.6 0 0 1 9.2 0ZM10.4 10.4l3.3 3.3",
            Self::Server => {
                "M3.1 2.5h9.8c.5 0 .9.4.9.9v3c0 .5-.4.9-.9.9H3.1c-.5 0-.9-.4-.9-.9v-3c0-.5.4-.9.9-.9ZM3.1 8.7h9.8c.5 0 .9.4.9.9v3c0 .5-.4.9-.9.9H3.1c-.5 0-.9-.4-.9-.9v-3c0-.5.4-.9.9-.9ZM4.9 4.9v.05M4.9 11.1v.05"
            }
            Self::SignOut => "M6.3 2.5H3.4c-.5 0-1 .4-1 1v9c0 .6.5 1 1 1h2.9M10.3 4.7 13.6 8l-3.3 3.3M13.4 8H6",
            Self::Sun => {
                "M10.8 8a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0ZM8 1.4v1.2M8 13.4v1.2M1.4 8h1.2M13.4 8h1.2M3.3 3.3l.9.9M11.8 11.8l.9.9M3.3 12.7l.9-.9M11.8 4.2l.9-.9"
            }
            Self::Trash => {
                "M2.5 4.3h11M6 4.1V2.9c0-.5.4-.9.9-.9h2.2c.5 0 .9.4.9.9v1.2M3.8 4.5l.6 8.6c0 .5.4.9.9.9h5.4c.5 0 .9-.4.9-.9l.6-8.6M6.6 7v4.2M9.4 7v4.2"
            }
            Self::Unlink => {
                "M9.3 6.7a2.9 2.9 0 0 0-2-.8M4.6 7.3 2.8 9.1a2.9 2.9 0 1 0 4.1 4.1l1.8-1.8M11.4 8.7l1.8-1.8a2.9 2.9 0 1 0-4.1-4.1L7.3 4.6M2.3 2.3l11.4 11.4"
            }
        }
    }
}

/// An icon. Hidden from screen readers: a word stands beside it or its button has a label.
///
/// Written as text: a page has hundreds, and as a tree of elements they cost more than the words around them.
#[component]
pub fn Icon(
    /// What is drawn; nothing for [`Glyph::None`].
    glyph: Glyph,
) -> impl IntoView {
    (glyph != Glyph::None).then(|| {
        let path = glyph.path();
        InertElement::new(format!(
            r#"<svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="{path}"/></svg>"#,
        ))
    })
}
