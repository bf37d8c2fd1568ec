//! The matrix as an HTML page: one file, no network, and a content security policy that allows only its own style and
//! script.

use super::super::markup::Markup;
use super::{Matrix, Row, Strictness};
use crate::policy::RepositoryPattern;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

const LEVELS: [Strictness; 4] = [Strictness::Nobody, Strictness::One, Strictness::Several, Strictness::Denied];

impl Strictness {
    /// The CSS class of a cell, and the value of its checkbox in the legend.
    const fn class(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::One => "one",
            Self::Several => "several",
            Self::Denied => "denied",
        }
    }

    /// The text in the legend.
    const fn label(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::One => "one person",
            Self::Several => "several people",
            Self::Denied => "denied",
        }
    }
}

pub(super) fn html(matrix: &Matrix<'_>) -> String {
    let mut page = Markup::with_capacity(matrix.rows.len() * 320 + 16_384);
    head(&mut page);
    header(&mut page, matrix);
    page.raw("<main tabindex=\"0\" aria-label=\"the matrix, which scrolls\">\n");
    if matrix.rows.is_empty() {
        page.raw("<p>There are no services, or no environments: every request is denied.</p>\n");
    } else {
        table(&mut page, matrix);
    }
    page.raw("<p class=\"none\" hidden>Nothing found.</p>\n</main>\n");
    groups(&mut page, matrix);
    page.raw("<script>").raw(SCRIPT).raw("</script>\n</body>\n</html>\n");
    page.into_string()
}

fn head(page: &mut Markup) {
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ").hash_of(STYLE);
    page.raw("; script-src ").hash_of(SCRIPT);
    page.raw("; base-uri 'none'; form-action 'none'\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<meta name=\"referrer\" content=\"no-referrer\">\n<title>Who approves what</title>\n");
    page.raw("<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
}

fn header(page: &mut Markup, matrix: &Matrix<'_>) {
    let plural = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    page.raw("<header>\n<h1>Who approves what</h1>\n<p>");
    page.text(&plural(matrix.services.len(), "service")).raw(" in ");
    page.text(&plural(matrix.environments.len(), "environment")).raw(", by the policy ");
    page.text(matrix.policy_digest.as_str()).raw("</p>\n");
    // The script shows the form, which has no use without it.
    page.raw("<form hidden>\n<label>Find <input type=\"search\" autocomplete=\"off\" spellcheck=\"false\" ");
    page.raw("placeholder=\"service, environment, approver\" aria-keyshortcuts=\"/\"></label>\n");
    page.raw("<fieldset><legend>Show</legend>");
    for level in LEVELS {
        page.raw("<label><input type=\"checkbox\" checked value=\"").raw(level.class()).raw("\"><b class=\"");
        page.raw(level.class()).raw("\">").raw(level.label()).raw("</b></label>");
    }
    page.raw("</fieldset>\n<output aria-live=\"polite\"></output>\n</form>\n</header>\n");
}

fn table(page: &mut Markup, matrix: &Matrix<'_>) {
    page.raw("<table>\n<caption>Who must approve each service in each environment</caption>\n");
    page.raw("<thead><tr><th scope=\"col\">Service</th>");
    for environment in &matrix.environments {
        page.raw("<th scope=\"col\">").text(environment).raw("</th>");
    }
    page.raw("</tr></thead>\n<tbody>\n");
    for rows in matrix.rows.chunks(matrix.environments.len().max(1)) {
        page.raw("<tr>");
        if let Some(first) = rows.first() {
            page.raw("<th scope=\"row\">").text(first.service);
            home(page, rows);
            page.raw("</th>");
        }
        for row in rows {
            cell(page, row);
        }
        page.raw("</tr>\n");
    }
    page.raw("</tbody>\n</table>\n");
}

/// The repository and the description of the service, which are the same in each of its rules.
fn home(page: &mut Markup, rows: &[Row<'_>]) {
    let Some(row) = rows.iter().find(|row| row.source.is_some()) else { return };
    let names: Vec<&str> = row.repository.iter().map(RepositoryPattern::as_str).collect();
    for text in [names.join(", ").as_str(), row.description.unwrap_or_default()] {
        if !text.is_empty() {
            page.raw("<small>").text(text).raw("</small>");
        }
    }
}

fn cell(page: &mut Markup, row: &Row<'_>) {
    page.raw("<td class=\"").raw(row.strictness.class()).raw("\"><b>");
    match (row.strictness, row.fewest_people) {
        (Strictness::Several, Some(count)) => page.display(count).raw(" people"),
        (level, _) => page.raw(match level {
            Strictness::One => "1 person",
            Strictness::Nobody | Strictness::Several | Strictness::Denied => level.label(),
        }),
    };
    page.raw("</b>");
    match (&row.denied, &row.require) {
        (Some(why), _) => page.raw("<p>").text(why).raw("</p>"),
        (None, Some(require)) if row.needs_approval() => page.raw("<p>").text(require).raw("</p>"),
        (None, _) => page,
    };
    let rest = row.rest();
    if !rest.is_empty() {
        page.raw("<small>").text(&rest).raw("</small>");
    }
    if let Some(source) = row.source {
        page.raw("<small>").display(source).raw("</small>");
    }
    page.raw("</td>");
}

fn groups(page: &mut Markup, matrix: &Matrix<'_>) {
    if matrix.groups.is_empty() {
        return;
    }
    page.raw("<details>\n<summary>Who is in the groups</summary>\n<dl>\n");
    for (name, members) in &matrix.groups {
        page.raw("<dt>").text(name).raw("</dt><dd>").text(members).raw("</dd>\n");
    }
    page.raw("</dl>\n</details>\n");
}
