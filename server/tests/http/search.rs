//! `/search`, as a page and as a call.

use super::*;

#[tokio::test]
async fn a_call_answers_what_was_found_where_and_how_much_of_each_kind() {
    let cast = Cast::new().await;
    let number = cast.rfc("We split the zeppelin's *hangar* in two.").await;
    cast.thread(number).await;
    let answer = cast.get(&cast.reader, "/search?q=zeppelins").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let found = answer.json();
    assert_eq!(found["kinds"], json!({ "rfc": 1 }));
    let item = &found["items"][0];
    assert_eq!((&item["kind"], &item["key"]), (&json!("rfc"), &json!(number.to_string())));
    assert_eq!(item["url"], format!("{}/rfcs/{number}", support::BASE_URL));
    assert_eq!((&item["title"], &item["rfc"]["status"]), (&json!("Shard the ledger"), &json!("in_review")));
    assert_eq!(item["snippet"][1], json!({ "text": "zeppelin", "found": true }));
    let comments = cast.get(&cast.reader, "/search?q=why&kind=comment").await.json();
    assert_eq!(comments["items"][0]["author"], cast.member.actor.email);
    let url = comments["items"][0]["url"].as_str().unwrap().to_owned();
    assert!(url.contains(&format!("/rfcs/{number}#comment-")), "{url}");
    for (query, field) in [
        ("", "q"),
        ("?q=%20", "q"),
        ("?q=x&kind=zeppelin", "kind"),
        ("?q=x&cursor=%21", "cursor"),
        ("?q=x&limit=0", "limit"),
    ] {
        assert_eq!(wrong_fields(&cast.get(&cast.reader, &format!("/search{query}")).await), [field], "{query}");
    }
    for strange in ["%00", "%27%3A%2A%20%7C%20%28", "%F0%9F%A7%8A", "%25_", &"a%20".repeat(99)] {
        assert_eq!(cast.get(&cast.reader, &format!("/search?q={strange}")).await.status, 200, "{strange}");
    }
}

#[tokio::test]
async fn a_draft_is_found_by_its_author_only() {
    let cast = Cast::new().await;
    cast.draft("A zeppelin.").await;
    for (who, count) in [(&cast.author, 1), (&cast.member, 0), (&cast.admin, 0)] {
        let found = cast.get(who, "/search?q=zeppelin").await.json();
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{}", who.actor.name);
    }
}

#[tokio::test]
async fn the_page_marks_what_was_found_and_keeps_markup_as_text() {
    let cast = Cast::new().await;
    let number = cast.rfc("A <script>alert(1)</script> zeppelin & more.").await;
    let page = cast.app.page(Some(&cast.reader), "/search?q=zeppelin").await;
    assert_eq!(page.status, 200);
    assert_eq!(texts(&page.body, ".found .row-title"), ["Shard the ledger"]);
    assert_eq!(texts(&page.body, ".found mark"), ["zeppelin"]);
    assert_eq!(texts(&page.body, ".tabs a"), ["Everything1", "RFCs1"]);
    assert!(!page.body.contains("<script>alert"), "markup is text");
    assert!(page.body.contains(&format!("href=\"/rfcs/{number}\"")));
    let page = cast.app.page(Some(&cast.reader), "/search?q=%3Cb%3Enothing").await;
    assert_eq!(texts(&page.body, ".empty-title"), ["Nothing found"]);
    assert!(!page.body.contains("<b>nothing"));
    let page = cast.app.page(Some(&cast.reader), "/search?q=%3C%2Ftitle%3E%3Cimg%20src%3Dx%3E").await;
    assert!(!page.body.contains("<img") && page.body.contains("<title>&lt;/title&gt;"), "a title is text too");
    let page = cast.app.page(Some(&cast.reader), "/search").await;
    assert_eq!(texts(&page.body, ".empty-title"), ["Find anything"]);
    let page = cast.app.page(Some(&cast.reader), "/search?q=shrd+the+ledgr").await;
    assert_eq!((page.status.as_u16(), texts(&page.body, "[role=status]").len()), (200, 1));
    for (query, status) in [("q=zeppelin&kind=service", 200), ("q=x&kind=nonsense", 422)] {
        assert_eq!(cast.app.page(Some(&cast.reader), &format!("/search?{query}")).await.status, status, "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_looked_for_comes_back_to_be_mended() {
    let cast = Cast::new().await;
    let long = "a line of a log ".repeat(13);
    let address = format!("/search?{}", support::encode(&[("q", &long), ("kind", "rfc")]));
    let answer = cast.app.page(Some(&cast.reader), &address).await;
    assert_eq!(answer.status, 422);
    assert_eq!(texts(&answer.body, ".error-page form label"), ["Search for at most 200 characters."]);
    let asked = [format!("q={}", long.trim()), "kind=rfc".to_owned()];
    assert_eq!(fields(&answer.body, "main form[action='/search'] input"), asked);
    let filter = "/admin/audit?from=yesterday&verb=rfc.published&cursor=";
    let answer = cast.app.page(Some(&cast.admin), filter).await;
    assert_eq!(answer.status, 422);
    let asked = fields(&answer.body, "main form[action='/admin/audit'] input");
    assert_eq!(asked, ["from=yesterday", "verb=rfc.published"]);
    let lost = cast.app.page(Some(&cast.reader), "/search?q=x&cursor=%21").await;
    assert_eq!((lost.status.as_u16(), texts(&lost.body, ".error-page form").len()), (422, 0), "nobody types a cursor");
}

/// Names and values of what the selector finds, without spaces around.
fn fields(page: &str, selector: &str) -> Vec<String> {
    let selector = scraper::Selector::parse(selector).unwrap();
    let html = scraper::Html::parse_document(page);
    let value = |field: scraper::ElementRef<'_>| field.attr("value").unwrap_or_default().trim().to_owned();
    html.select(&selector).map(|field| format!("{}={}", field.attr("name").unwrap_or_default(), value(field))).collect()
}
