//! What documents look like, and that every run tells the truth.

use super::*;
use scraper::Html;

use super::safety_tests::check_safe;

/// A run read back from its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Run {
    Verbatim(usize, usize),
    Whole(Range<usize>, usize),
    Generated(usize),
}

pub(super) fn runs_of(block: &Block) -> Vec<Run> {
    let read = |run: &str| {
        let (from, units) = run.split_once('+').expect("a run has a length");
        let units = units.parse().expect("a length");
        match from.split_once('-') {
            _ if from.is_empty() => Run::Generated(units),
            Some((start, end)) => Run::Whole(start.parse().expect("a start")..end.parse().expect("an end"), units),
            None => Run::Verbatim(from.parse().expect("a start"), units),
        }
    };
    block.runs.split_whitespace().map(read).collect()
}

/// The text as a browser counts it.
pub(super) fn text_units(html: &str) -> Vec<u16> {
    Html::parse_fragment(html).root_element().text().flat_map(str::encode_utf16).collect()
}

/// Checks the runs of all blocks against what a browser would show. Returns units shown and units standing verbatim.
pub(super) fn check_runs(source: &str, rendered: &Rendered) -> (usize, usize) {
    let (mut shown, mut verbatim) = (0, 0);
    for block in &rendered.blocks {
        assert!(block.start <= block.end && source.get(block.start..block.end).is_some(), "{block:?}");
        let text = text_units(&block.html);
        let mut at = 0;
        for run in runs_of(block) {
            match run {
                Run::Verbatim(start, units) => {
                    let text = String::from_utf16(&text[at..at + units]).expect("runs end between characters");
                    assert_eq!(source.get(start..start + text.len()), Some(text.as_str()), "{block:?}");
                    at += units;
                    verbatim += units;
                }
                Run::Whole(range, units) => {
                    assert!(source.get(range).is_some(), "{block:?}");
                    at += units;
                }
                Run::Generated(units) => at += units,
            }
        }
        assert_eq!(at, text.len(), "the runs cover the text: {block:?}");
        shown += at;
    }
    let mut ids: Vec<_> = rendered.blocks.iter().map(|block| &block.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rendered.blocks.len(), "block ids are unique");
    (shown, verbatim)
}

fn html(source: &str) -> String {
    let rendered = render(source);
    check_runs(source, &rendered);
    rendered.blocks.into_iter().map(|block| block.html).collect::<Vec<_>>().join("\n")
}

fn kinds(source: &str) -> Vec<BlockKind> {
    let rendered = render(source);
    check_runs(source, &rendered);
    rendered.blocks.iter().map(|block| block.kind).collect()
}

#[test]
fn a_document_is_a_list_of_blocks_with_their_source() {
    let source = "# Why\n\nA *b* `c` &amp; d.\n\n- x\n- y\n\n---\n";
    let rendered = render(source);
    check_runs(source, &rendered);
    let slices: Vec<_> = rendered.blocks.iter().map(|block| &source[block.start..block.end]).collect();
    assert_eq!(slices, ["# Why", "A *b* `c` &amp; d.", "- x\n- y", "---"]);
    assert_eq!(rendered.blocks[1].html, "<p>A <em>b</em> <code>c</code> &amp; d.</p>");
    assert_eq!(rendered.blocks[1].runs, "7+2 10+1 12+1 14+1 16+1 17-22+1 22+3");
    assert_eq!(rendered.blocks[2].html, "<ul><li>x</li><li>y</li></ul>");
    assert_eq!(rendered.toc, [TocEntry { level: 1, text: "Why".into(), id: "h-why".into() }]);
    assert_eq!(rendered.blocks[0].heading.as_deref(), Some("h-why"));
}

#[test]
fn block_ids_follow_the_text_and_not_the_place() {
    let before = render("one\n\ntwo\n\none\n");
    let after = render("new\n\none\n\nmore\n\ntwo\n\none\n");
    assert_eq!(before.blocks[0].id, after.blocks[1].id);
    assert_eq!(before.blocks[1].id, after.blocks[3].id);
    assert_eq!(before.blocks[2].id, after.blocks[4].id);
    assert_eq!(before.blocks[2].id, format!("{}-2", before.blocks[0].id));
}

#[test]
fn headings_get_unique_ids_and_fragments_find_them() {
    let source = "# A b\n## A b\n[x](#a-b-1) [y](#mine) <a id=\"mine\"></a> [z](#fn-1)";
    let rendered = render(source);
    assert_eq!(rendered.toc.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["h-a-b", "h-a-b-1"]);
    let html = html(source);
    assert!(html.contains(r##"<h2 id="h-a-b">A b<a class="md-anchor" href="#h-a-b""##), "{html}");
    for link in
        [r##"href="#h-a-b-1""##, r##"href="#user-content-mine""##, r#"id="user-content-mine""#, r##"href="#h-fn-1""##]
    {
        assert!(html.contains(link), "{link}: {html}");
    }
}

#[test]
fn tables_map_their_cells() {
    let source = "| a | b |\n|:--|--:|\n| c \\| d | `e \\| f` |\n";
    let html = html(source);
    assert!(html.contains(r#"<th scope="col" class="md-left">a</th>"#), "{html}");
    assert!(html.contains(r#"<td class="md-left">c | d</td><td class="md-right"><code>e | f</code></td>"#), "{html}");
    assert_eq!(kinds(source), [BlockKind::Table]);
}

#[test]
fn task_lists_show_disabled_boxes() {
    let html = html("- [x] done\n- [ ] open\n- plain\n");
    assert_eq!(html.matches(r#"<li class="md-task">"#).count(), 2);
    assert_eq!(html.matches("disabled").count(), 2);
    assert_eq!(html.matches("checked").count(), 1);
}

#[test]
fn footnotes_come_last_and_lead_back() {
    let source = "A[^b] b[^a] c[^b] d[^none]\n\n[^a]: First\n[^b]: Second\n    more\n[^c]: Unused\n\nEnd\n";
    let rendered = render(source);
    check_runs(source, &rendered);
    let kinds: Vec<_> = rendered.blocks.iter().map(|block| block.kind).collect();
    assert_eq!(
        kinds,
        [BlockKind::Paragraph, BlockKind::Paragraph, BlockKind::Footnote, BlockKind::Footnote, BlockKind::Footnote]
    );
    assert!(
        rendered.blocks[0].html.contains(r##"<a href="#fn-1" aria-label="Footnote 1" id="fnref-1-2" "##),
        "{}",
        rendered.blocks[0].html
    );
    assert!(rendered.blocks[0].html.contains("[^none]"));
    let second = &rendered.blocks[2];
    assert!(second.html.contains(r#"id="fn-1""#) && second.html.contains("Second"), "{second:?}");
    assert_eq!(second.html.matches("\u{21a9}").count(), 2);
    assert!(second.html.ends_with("</a></p></div>"), "the way back stands in the last paragraph: {second:?}");
    assert!(rendered.blocks[4].html.contains("Unused"));
    assert_eq!(block_at(&rendered, source.find("Second").unwrap()..source.find("more").unwrap()), Some(2));
}

#[test]
fn alerts_strikethrough_and_bare_addresses() {
    let html = html("> [!WARNING]\n> Look ~~out~~\n\nSee https://example.com/a_b_c?d=e&f. [www.x.y](http://z.z)\n");
    assert!(html.contains(r#"<div class="md-alert md-alert-warning" role="note"><p class="md-alert-title">Warning</p><p>Look <s>out</s></p></div>"#), "{html}");
    assert!(html.contains(r#"<a href="https://example.com/a_b_c?d=e&amp;f" rel="nofollow noopener noreferrer">https://example.com/a_b_c?d=e&amp;f</a>."#), "{html}");
    assert!(html.contains(">www.x.y</a>") && html.matches("<a ").count() == 2, "{html}");
}

#[test]
fn images_and_relative_links_become_text_or_a_link() {
    let html = html("![a cat](https://x.y/c.png) ![](d.svg) [see](./0001-foo.md)\n");
    assert!(html.contains(r#"<a class="md-image" href="https://x.y/c.png" title="https://x.y/c.png" rel="nofollow noopener noreferrer">Image: a cat</a>"#), "{html}");
    assert!(html.contains(r#"<span class="md-image" title="d.svg">Image: no description</span>"#), "{html}");
    assert!(html.contains(r#"<span class="md-unlinked" title="./0001-foo.md">see</span>"#), "{html}");
    assert_eq!(kinds("![a](b) ![c](d)\n"), [BlockKind::Image]);
}

#[test]
fn code_is_coloured_and_stays_verbatim() {
    let source =
        "```rust,ignore\nfn main() { let x = \"é\\n\"; } // &\n```\n\n1. a\n\n   ```\n   b\n     c\n   ```\n\n\tcode\n";
    let rendered = render(source);
    check_runs(source, &rendered);
    let html = &rendered.blocks[0].html;
    assert!(html.starts_with(r#"<pre class="md-code" tabindex="0" data-lang="rust"><code><span class="hl-keyword">fn </span><span class="hl-function">main</span>"#), "{html}");
    assert!(html.contains(r#"<span class="hl-comment">// &amp;"#), "{html}");
    assert_eq!(runs_of(&rendered.blocks[0]).len(), 1, "{:?}", rendered.blocks[0].runs);
    assert!(rendered.blocks[1].html.contains("<code>b\n  c\n</code>"), "{}", rendered.blocks[1].html);
    for uncoloured in ["let x = 1; ".repeat(30), "let x = 1;\n".repeat(3_000)] {
        assert!(!render(&format!("```rust\n{uncoloured}\n```")).html().contains("hl-"));
    }
    let many = render(&"```rust\nlet x = 1;\n```\n".repeat(6_000)).html();
    assert!(many.contains("hl-") && many.matches("hl-keyword").count() < 6_000, "the effort for a document is bounded");
    let mermaid = render("```mermaid\ngraph TD\n```").html();
    assert!(mermaid.contains(r#"class="md-code md-mermaid""#), "{mermaid}");
}

#[test]
fn an_element_left_open_takes_in_what_follows() {
    let source =
        "Before\n\n<details>\n<summary>More</summary>\n\n# Inside\n\n- a\n\n</details>\n\nAfter <b>bold\n\nplain\n";
    let rendered = render(source);
    check_runs(source, &rendered);
    let kinds: Vec<_> = rendered.blocks.iter().map(|block| block.kind).collect();
    assert_eq!(kinds, [BlockKind::Paragraph, BlockKind::Html, BlockKind::Paragraph, BlockKind::Paragraph]);
    let details = &rendered.blocks[1];
    assert_eq!(&source[details.start..details.end], &source[8..source.find("\n\nAfter").unwrap()]);
    assert!(details.html.starts_with("<details>\n<summary>More</summary>"), "{}", details.html);
    assert!(details.html.contains("<h2 id=\"h-inside\">Inside") && details.html.trim_end().ends_with("</details>"));
    assert_eq!(rendered.blocks[2].html, "<p>After <b>bold</b></p>");
}

#[test]
fn an_element_never_closed_ends_with_its_block() {
    assert_eq!(kinds("<div>\n\na\n\nb\n"), [BlockKind::Html, BlockKind::Paragraph, BlockKind::Paragraph]);
    // Closed from inside a paragraph: ends after it.
    let source = "<div>\n\ntext</div> more\n\nafter\n";
    assert_eq!(kinds(source), [BlockKind::Html, BlockKind::Paragraph]);
}

#[test]
fn unknown_tags_are_shown_and_comments_are_not() {
    let html = html("A Vec<T> and <script>alert(1)</script> <!-- hidden --> x\n\n<!--\n# gone\n-->\n");
    assert_eq!(html, "<p>A Vec&lt;T&gt; and &lt;script&gt;alert(1)&lt;/script&gt;  x</p>");
}

#[test]
fn raw_html_has_entities_and_addresses() {
    let source = "<p>a &amp; b&nbsp;&rarr; &#60;i&#62; https://a.b/c?d=1&amp;e</p>\n";
    let html = html(source);
    let link = r#"<a href="https://a.b/c?d=1&amp;e" rel="nofollow noopener noreferrer">https://a.b/c?d=1&amp;e</a>"#;
    assert_eq!(render("<pre>\n\na\n</pre>").blocks[0].runs, "7+2", "no line break after <pre>");
    check_runs("<pre>\n\na\n</pre>", &render("<pre>\n\na\n</pre>"));
    assert_eq!(html.trim_end(), format!("<p>a &amp; b&nbsp;\u{2192} &lt;i&gt; {link}</p>"));
}

#[test]
fn front_matter_is_a_list() {
    let source = "---\ntitle: A & B\nauthors:\n  - x\n---\n\n# Hello\n";
    let rendered = render(source);
    check_runs(source, &rendered);
    assert_eq!(
        rendered.blocks[0].html,
        "<dl class=\"md-front-matter\"><dt>title</dt><dd>A &amp; B</dd><dt>authors</dt><dd>\n  - x</dd></dl>"
    );
    assert_eq!(rendered.toc.len(), 1);
    assert_eq!(kinds("---\n\nfoo: x\n\n---\n"), [BlockKind::Rule, BlockKind::Paragraph, BlockKind::Rule]);
}

#[test]
fn quotes_and_lists_map_lines_without_their_prefixes() {
    let source = "> a `b\n> c` *d*\n> e\n\n- <b>x\n  y</b>\n- &nbsp;z\\_\n";
    let html = html(source);
    assert!(html.contains("<code>b c</code>"), "{html}");
}

#[test]
fn html_that_browsers_rearrange_is_taken_whole() {
    let source = "<table><tr><td>a</td></tr>text</table>\n";
    let rendered = render(source);
    check_runs(source, &rendered);
    assert_eq!(runs_of(&rendered.blocks[0]).len(), 1);
}

#[test]
fn a_range_finds_its_block() {
    let source = "<!-- c -->\n\none\n\n[x]: http://y\n\ntwo\n";
    let rendered = render(source);
    assert_eq!(block_at(&rendered, 0..3), Some(0), "nothing before: the first");
    assert_eq!(block_at(&rendered, 12..13), Some(0));
    assert_eq!(block_at(&rendered, 17..20), Some(0), "not rendered: the one before");
    assert_eq!(block_at(&rendered, 14..source.len()), Some(0), "across blocks: the first");
    assert_eq!(block_at(&rendered, source.len() - 2..source.len()), Some(1));
    assert_eq!(block_at(&render(""), 0..0), None);
}

#[test]
fn comments_have_no_ids_and_smaller_headings() {
    let html = render_comment("# Hi\n\nx[^1] <a id=\"b\">c</a> [d](#e)\n\n[^1]: y\n\n---\ntitle: x\n---\n");
    assert!(html.contains("<h4>Hi</h4>"), "{html}");
    assert!(!html.contains("id=") && !html.contains("href"), "{html}");
    assert_eq!(render_comment(""), "");
}

#[test]
fn deep_nesting_is_shown_as_source_and_long_text_is_quick() {
    let cases = [
        ">".repeat(10_000) + "x",
        "[".repeat(10_000),
        "![".repeat(10_000) + "x" + &"](y)".repeat(10_000),
        "*".repeat(10_000) + "x" + &"*".repeat(10_000),
        "*a ".repeat(20_000),
        "<b>".repeat(20_000),
        "<div>\n\n".repeat(5_000) + &"</div>\n\n".repeat(5_000),
        (0..400).map(|depth| " ".repeat(depth * 2) + "- x\n").collect::<String>(),
        "<b id=1><p>".repeat(10_000),
        "`".repeat(50_000),
        "<a x=\"".repeat(20_000) + ">",
        "<!--".repeat(20_000),
        "www.a".repeat(20_000),
        "https://(".repeat(20_000),
        "https://a.b/".to_owned() + &")".repeat(50_000),
        "# a\n".repeat(10_000),
        "a[^1] ".repeat(10_000) + "\n\n[^1]: b",
        "|a".repeat(10_000) + "|\n" + &"|-".repeat(10_000) + "|\n" + &"|b\n".repeat(10_000),
        "&amp;".repeat(20_000),
        "\u{1f600}\u{202e}".repeat(10_000),
        "[a]: b\n".repeat(10_000) + &"[a]".repeat(20_000),
        "\t".repeat(20_000) + "x",
        "- ".repeat(5_000) + "x",
        "1. ".repeat(5_000) + "x",
        "~".repeat(30_000),
        "<".repeat(50_000),
        "---\n".repeat(10_000),
        "\0\r\u{c}x".repeat(100),
    ];
    for source in cases {
        let begun = std::time::Instant::now();
        let rendered = render(&source);
        let took = begun.elapsed();
        let start = source.chars().take(20).collect::<String>();
        // Debug builds on a busy machine: this catches the quadratic, not the slow.
        assert!(took.as_secs() < 60, "{start:?} took {took:?}");
        check_runs(&source, &rendered);
        check_safe(&rendered.html(), true);
        check_safe(&render_comment(&source), false);
    }
    let rendered = render(&(">".repeat(100) + " x"));
    assert_eq!(rendered.blocks[0].kind, BlockKind::Plain);
    assert!(rendered.blocks[0].html.contains("nested too deeply"));
}
