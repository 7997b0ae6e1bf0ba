//! The documentation of riddles and agents as pages, without a network.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::page::POLICY;
use crate::error::{ApiError, Kind};

/// A page of the documentation.
struct Page {
    path: &'static str,
    title: &'static str,
    html: String,
}

/// The pages by the files that links name.
const FILES: [(&str, &str); 2] = [("riddles.md", "/docs"), ("riddle_agents.md", "/docs/agents")];

static PAGES: LazyLock<[Page; 2]> = LazyLock::new(|| {
    [
        Page {
            path: FILES[0].1,
            title: "Riddles",
            html: rendered(include_str!("../../docs/riddles.md")),
        },
        Page {
            path: FILES[1].1,
            title: "Agents of riddles",
            html: rendered(include_str!("../../docs/riddle_agents.md")),
        },
    ]
});

/// `GET /docs`.
pub(super) async fn riddles() -> Response {
    page(&PAGES[0])
}

/// `GET /docs/{name}`.
pub(super) async fn named(Path(name): Path<String>) -> Response {
    let path = format!("/docs/{name}");
    match PAGES.iter().find(|page| page.path == path) {
        Some(found) => page(found),
        None => {
            ApiError::new(Kind::NotFound, format!("There is no page `{path}`.")).into_response()
        }
    }
}

fn page(page: &Page) -> Response {
    let Page { title, html, .. } = page;
    let links = PAGES.iter().map(|other| {
        let now = if other.path == page.path { " aria-current=\"page\"" } else { "" };
        format!("<a href=\"{}\"{now}>{}</a>", other.path, other.title)
    });
    let links: String = links.collect::<Vec<_>>().join(" ");
    let text = include_str!("docs.html")
        .replace("{{title}}", title)
        .replace("{{links}}", &links)
        .replace("{{text}}", html);
    ([(axum::http::header::CONTENT_SECURITY_POLICY, POLICY)], Html(text)).into_response()
}

/// Markdown as HTML. Links to other pages lead to them; those to other files are text alone,
/// because the files are not here.
fn rendered(markdown: &str) -> String {
    let mut is_dropped = false;
    let events =
        Parser::new_ext(markdown, Options::ENABLE_TABLES).filter_map(|event| match event {
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let (file, anchor) = dest_url.split_once('#').unwrap_or((&dest_url, ""));
                let known = FILES.iter().find(|(name, _)| *name == file).map(|(_, path)| *path);
                let is_elsewhere = dest_url.contains("://") || file.is_empty();
                is_dropped = known.is_none() && !is_elsewhere;
                let to = match known {
                    Some(path) if anchor.is_empty() => CowStr::from(path),
                    Some(path) => CowStr::from(format!("{path}#{anchor}")),
                    None => dest_url,
                };
                let link = Tag::Link { link_type, dest_url: to, title, id };
                (!is_dropped).then_some(Event::Start(link))
            }
            Event::End(TagEnd::Link) if is_dropped => {
                is_dropped = false;
                None
            }
            other => Some(other),
        });
    let mut events: Vec<_> = events.collect();
    for place in 0..events.len() {
        let words: String = events[place + 1..]
            .iter()
            .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(&**text),
                _ => None,
            })
            .collect();
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[place] {
            *id = Some(anchor(&words).into());
        }
    }
    let mut text = String::new();
    html::push_html(&mut text, events.into_iter());
    text
}

/// The anchor of a heading, as links name it.
fn anchor(heading: &str) -> String {
    let plain = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    plain.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found_by_links() {
        let html = rendered("## Over `HTTP`, twice\n");
        assert_eq!(html, "<h2 id=\"over-http-twice\">Over <code>HTTP</code>, twice</h2>\n");
    }

    #[test]
    fn links_lead_to_pages_that_are_here() {
        let text = "[a](riddle_agents.md#try) [b](guide.md) [c](https://example.org) | `<b>`";
        let html = rendered(text);
        assert_eq!(
            html.trim(),
            "<p><a href=\"/docs/agents#try\">a</a> b <a href=\"https://example.org\">c</a> | \
             <code>&lt;b&gt;</code></p>"
        );
    }
}
