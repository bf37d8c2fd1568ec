//! The page from which a GitHub App is created: its permissions and events with their purpose, and a form that posts the
//! manifest.

use serde_json::Value;

use super::markup::Markup;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;\
vertical-align:top}code{font-size:.95em}button{font:inherit;font-weight:600;padding:.6rem 1.2rem}";

/// A permission or an event in the App's manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestItem<'a> {
    /// As GitHub names it.
    pub name: &'a str,
    /// `read` or `write`. `None` for an event.
    pub level: Option<&'a str>,
    /// What the App needs it for.
    pub why: &'a str,
}

/// `action` is the URL that the form is posted to. GitHub asks for confirmation before it creates the App.
#[must_use]
pub fn page(action: &str, manifest: &Value, items: &[ManifestItem<'_>]) -> String {
    let mut page = Markup::default();
    head(&mut page, "Create the GitHub App");
    page.raw("<p>countersign needs a GitHub App of your own, with these permissions and events:</p>\n<table>\n");
    for ManifestItem { name, level, why } in items {
        page.raw("<tr><th><code>").text(name).raw("</code></th><td>").text(level.unwrap_or("event"));
        page.raw("</td><td>").text(why).raw("</td></tr>\n");
    }
    page.raw(
        "</table>\n<p>GitHub asks you to confirm the name before it creates the App. Then it sends you back here.</p>\n",
    );
    page.raw("<form method=\"post\" action=\"").text(action);
    page.raw("\">\n<input type=\"hidden\" name=\"manifest\" value=\"").text(&manifest.to_string());
    page.raw("\">\n<button>Create the App on GitHub</button>\n</form>\n</body>\n</html>\n");
    page.into_string()
}

/// What the browser shows after GitHub has sent it back.
#[must_use]
pub fn note(title: &'static str, text: &'static str) -> String {
    let mut page = Markup::default();
    head(&mut page, title);
    page.raw("<p>").raw(text).raw("</p>\n</body>\n</html>\n");
    page.into_string()
}

fn head(page: &mut Markup, title: &'static str) {
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ").hash_of(STYLE);
    page.raw("; base-uri 'none'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>").raw(title);
    page.raw("</title>\n<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n<h1>").raw(title).raw("</h1>\n");
}

#[cfg(test)]
mod tests {
    use super::{ManifestItem, page};
    use serde_json::json;

    #[test]
    fn the_page_shows_permissions_and_posts_the_manifest() {
        let manifest = json!({"name": "it's \"mine\" <b>"});
        let items = [ManifestItem { name: "checks", level: Some("write"), why: "shows <the> decision" }];
        let page = page("https://github.com/settings/apps/new?state=a&b", &manifest, &items);
        assert!(page.contains("<code>checks</code></th><td>write</td><td>shows &lt;the&gt; decision</td>"), "{page}");
        assert!(page.contains("action=\"https://github.com/settings/apps/new?state=a&amp;b\""), "{page}");
        let value = "value=\"{&quot;name&quot;:&quot;it&#39;s \\&quot;mine\\&quot; &lt;b&gt;&quot;}\"";
        assert!(page.contains(value), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }
}
