//! The pages that the browser shows when it comes back (pure). They are plain and load nothing from anywhere;
//! whatever they repeat is escaped.

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// Said at a glance, in a colour.
    mark: (&'static str, &'static str),
    title: &'static str,
    text: String,
}

/// Marks with their colours, dark enough for white paper and light enough for black.
const GOOD: (&str, &str) = ("\u{2713}", "#1a8f4c");
const BAD: (&str, &str) = ("\u{2715}", "#d0443e");
const ODD: (&str, &str) = ("?", "#b7791f");

/// What closes a page on which nothing is left to do.
const CLOSE: &str = "You can close this window.";

impl Page {
    /// The sign-in is complete and stored.
    #[must_use]
    pub fn signed_in() -> Self {
        Self {
            status: 200,
            mark: GOOD,
            title: "Signed in",
            text: format!("codex-run can use your subscription now. {CLOSE}"),
        }
    }

    /// It failed, for this reason.
    #[must_use]
    pub fn failed(why: &str) -> Self {
        Self {
            status: 200,
            mark: BAD,
            title: "Not signed in",
            text: format!("Reason: {why}. {CLOSE} The terminal says what to do next."),
        }
    }

    /// It belongs to no sign-in that is waited for.
    #[must_use]
    pub fn stray() -> Self {
        Self {
            status: 400,
            mark: ODD,
            title: "Not this sign-in",
            text: format!(
                "This page belongs to another sign-in than the one that codex-run waits for, so nothing was done, \
                 and it waits on. {CLOSE} To sign in, open the address that the terminal shows."
            ),
        }
    }

    /// The sign-in was called off.
    #[must_use]
    pub fn cancelled() -> Self {
        Self {
            status: 200,
            mark: BAD,
            title: "Cancelled",
            text: format!("The sign-in was cancelled. {CLOSE}"),
        }
    }

    /// What was asked for may not be asked by whoever did.
    #[must_use]
    pub fn refused() -> Self {
        Self {
            status: 403,
            mark: BAD,
            title: "Not allowed",
            text:
                "Only a program on this machine can ask codex-run to end its sign-in. It waits on."
                    .to_owned(),
        }
    }

    /// There is no such page.
    #[must_use]
    pub fn none() -> Self {
        Self {
            status: 404,
            mark: ODD,
            title: "Nothing here",
            text: "codex-run waits for a sign-in at another address.".to_owned(),
        }
    }

    /// The page as HTML.
    #[must_use]
    pub fn html(&self) -> String {
        let (title, text) = (escape(self.title), escape(&self.text));
        let (mark, colour) = self.mark;
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
             </style>\n</head>\n<body>\n<div aria-hidden=\"true\">{mark}</div>\n<h1>{title}</h1>\n<p>{text}</p>\n\
             </body>\n</html>\n"
        )
    }
}

/// Text as it may stand between tags and in attributes.
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
    fn what_is_repeated_is_escaped() {
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
