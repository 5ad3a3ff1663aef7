//! A review as a browser without JavaScript shows it.

use super::*;

#[tokio::test]
async fn a_comment_is_posted_from_the_page_and_stands_on_it() {
    let cast = Cast::new().await;
    let number = cast.rfc("One sentence.\n").await.to_string();
    let page = format!("/rfcs/{number}");
    let post = async |severity: &str, body: &str| {
        let fields = [
            ("number", number.as_str()),
            ("revision", "1"),
            ("start", "0"),
            ("end", "3"),
            ("severity", severity),
            ("body", body),
        ];
        cast.app.form(Some(&cast.member), &page, "/do/rfcs/open-thread", &fields).await
    };
    let answer = post("note", "Which sentence?").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let location = answer.header("location").split('#').next().unwrap().to_owned();
    assert!(location.starts_with(&page), "{location}");
    let shown = cast.app.page(Some(&cast.reader), &location).await;
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("Which sentence?") && shown.body.contains("Mia Member"), "{}", shown.body);

    let blank = post("note", " \n ").await;
    assert_eq!(blank.status, 422);
    assert!(blank.body.contains("The comment is empty.") && blank.body.contains("One sentence."), "{}", blank.body);
    let wrong = post("dire", "\nWhat I wrote &lt;</textarea><b>").await;
    assert_eq!(wrong.status, 422);
    assert_eq!(text_areas(&wrong.body)[0], "\nWhat I wrote &lt;</textarea><b>");
    let listed = cast.get(&cast.reader, &format!("/rfcs/{number}/threads")).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_text_is_edited_as_it_was_written() {
    let cast = Cast::new().await;
    for text in ["\n\na &lt; b && c < d\n", "</textarea><img src=x>&amp;amp;", "\n"] {
        let number = cast.draft(&format!("{text}x")).await;
        let page = cast.app.page(Some(&cast.author), &format!("/rfcs/{number}/edit")).await;
        assert_eq!(page.status, 200);
        assert_eq!(text_areas(&page.body)[0], format!("{text}x"));
    }
}

/// What a browser shows in the text areas of a page.
fn text_areas(page: &str) -> Vec<String> {
    let page = scraper::Html::parse_document(page);
    let areas = scraper::Selector::parse("textarea").unwrap();
    page.select(&areas).map(|area| area.text().collect()).collect()
}

#[tokio::test]
async fn a_form_sent_twice_has_one_effect() {
    let cast = Cast::new().await;
    let number = cast.rfc("One sentence.\n").await.to_string();
    let thread = cast.thread(number.parse().unwrap()).await;
    let fields = [("thread", thread.as_str()), ("body", "Because."), ("once", "a1b2c3")];
    let page = format!("/rfcs/{number}");
    for _ in 0..2 {
        let answer = cast.app.form(Some(&cast.member), &page, "/do/rfcs/reply", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }
    let said = cast.get(&cast.reader, &format!("/threads/{thread}")).await.json();
    assert_eq!(said["comments"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_the_sign_in_page() {
    let cast = Cast::new().await;
    let answer = cast.app.page(None, "/rfcs?status=draft").await;
    assert!(answer.status.is_redirection());
    assert_eq!(answer.header("location"), "/sign-in?next=%2Frfcs%3Fstatus%3Ddraft");
    let answer = cast.app.page(Some(&cast.reader), "/rfcs/99").await;
    assert_eq!(answer.status, 404);
}
