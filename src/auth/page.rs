//! The pages that the browser shows after the redirect (pure). They are plain and load no resources; text from
//! outside is escaped.

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The icon and its colour.
    icon: (&'static str, &'static str),
    title: &'static str,
    text: String,
}

/// Icons with their colours, which contrast with both light and dark backgrounds.
const GOOD: (&str, &str) = ("\u{2713}", "#1a8f4c");
const BAD: (&str, &str) = ("\u{2715}", "#d0443e");
const ODD: (&str, &str) = ("?", "#b7791f");

/// The last sentence of a page that needs no further action.
const CLOSE: &str = "You can close this window.";

impl Page {
    /// The sign-in is complete and stored.
    #[must_use]
    pub fn signed_in() -> Self {
        Self {
            status: 200,
            icon: GOOD,
            title: "Signed in",
            text: format!("codex-run can now use your subscription. {CLOSE}"),
        }
    }

    /// The sign-in failed, for this reason.
    #[must_use]
    pub fn failed(why: &str) -> Self {
        Self {
            status: 200,
            icon: BAD,
            title: "Not signed in",
            text: format!("Reason: {why}. {CLOSE} See the terminal for the next step."),
        }
    }

    /// The redirect belongs to a different sign-in.
    #[must_use]
    pub fn stray() -> Self {
        Self {
            status: 400,
            icon: ODD,
            title: "Not this sign-in",
            text: format!(
                "This page belongs to a different sign-in than the one codex-run is waiting for. Nothing was changed, \
                 and codex-run is still waiting. {CLOSE} To sign in, open the address shown in the terminal."
            ),
        }
    }

    /// The sign-in was cancelled.
    #[must_use]
    pub fn cancelled() -> Self {
        Self {
            status: 200,
            icon: BAD,
            title: "Cancelled",
            text: format!("The sign-in was cancelled. {CLOSE}"),
        }
    }

    /// The request is not allowed for its sender.
    #[must_use]
    pub fn refused() -> Self {
        Self {
            status: 403,
            icon: BAD,
            title: "Not allowed",
            text:
                "Only a program on this machine can cancel the sign-in. codex-run is still waiting."
                    .to_owned(),
        }
    }

    /// No page has this path.
    #[must_use]
    pub fn none() -> Self {
        Self {
            status: 404,
            icon: ODD,
            title: "Nothing here",
            text: "codex-run is waiting for the sign-in at a different address.".to_owned(),
        }
    }

    /// Renders the page as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        let (title, text) = (escape(self.title), escape(&self.text));
        let (icon, colour) = self.icon;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} - codex-run</title>\n<style>\n\
             :root {{ color-scheme: light dark; }}\n\
             body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 20vh auto 0; \
             padding: 0 1.5rem; text-align: center; overflow-wrap: anywhere; }}\n\
             div {{ width: 3.5rem; margin: 0 auto 1rem; border-radius: 50%; font-size: 2rem; line-height: 3.5rem; \
             color: #fff; background: {colour}; }}\n\
             h1 {{ font-size: 1.75rem; margin: 0 0 .5rem; }}\n\
             </style>\n</head>\n<body>\n<div aria-hidden=\"true\">{icon}</div>\n<h1>{title}</h1>\n<p>{text}</p>\n\
             </body>\n</html>\n"
        )
    }
}

/// Escapes text for HTML content and attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_is_escaped() {
        let html = Page::failed("<script>alert('&\"')</script>").html();
        assert!(
            html.contains(
                "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;. You can close"
            )
        );
        assert!(!html.contains("<script"));
    }

    #[test]
    fn a_page_loads_nothing() {
        for page in [
            Page::signed_in(),
            Page::stray(),
            Page::cancelled(),
            Page::none(),
            Page::refused(),
        ] {
            let html = page.html();
            assert!(!html.contains("://") && !html.contains("src=") && !html.contains("href="));
        }
    }
}
