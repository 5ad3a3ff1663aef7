//! Who is mentioned in a comment: `@ada@example.com`, or `@ada` when one address alone begins with `ada@`.

use domain::{PersonId, limits, notice};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, TextMergeStream};
use sqlx::PgConnection;

use crate::Result;

/// What a piece of Markdown says outside of code: `@Override` there is nobody's name.
fn words(markdown: &str) -> String {
    let mut words = String::with_capacity(markdown.len());
    let mut code = false;
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    for event in TextMergeStream::new(Parser::new_ext(markdown, options)) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Text(text) if !code => words.push_str(&text),
            // Something stood there.
            Event::Code(_) => words.push('`'),
            Event::SoftBreak | Event::HardBreak | Event::End(_) => words.push('\n'),
            _ => {}
        }
    }
    words
}

/// The people mentioned in a comment. A name that could be several people's is nobody's.
pub(crate) async fn of(connection: &mut PgConnection, markdown: &str) -> Result<Vec<PersonId>> {
    if !markdown.contains('@') {
        return Ok(Vec::new());
    }
    let names = notice::mentions(&words(markdown), limits::MENTIONS);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let found = sqlx::query_scalar!(
        r#"select min(id) as "id!" from unnest($1::text[]) as mentioned (who)
           join people on case when strpos(who, '@') > 0 then email = who::citext
                               else lower(split_part(email::text, '@', 1)) = who end
           where disabled_at is null
           group by who having count(*) = 1"#,
        &names,
    )
    .fetch_all(connection)
    .await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn code_mentions_nobody() {
        let said = |markdown: &str| domain::notice::mentions(&words(markdown), 50);
        assert_eq!(said("Ask @ada: `@Override` and\n\n```\n@decorator\n```\n\n> @grace said"), ["ada", "grace"]);
        assert_eq!(said("`x`@ada"), ["ada"]);
        assert_eq!(said("[@ada](https://example.com/@bob) *@linus_t*"), ["ada", "linus_t"]);
    }
}
