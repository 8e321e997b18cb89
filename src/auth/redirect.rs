//! Parses the result of a browser sign-in: the query of the callback, or the text that the user pastes instead
//! (pure). The state is checked before anything else, so a stray tab neither ends nor completes a sign-in.

use super::form;
use super::refusal::plain;
use crate::secret::Secret;

/// The shortest text accepted as a code, in bytes.
const MIN_CODE_BYTES: usize = 6;

/// The result of an authorization request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectAnswer {
    /// The authorization code.
    Code(Secret),
    /// The issuer's refusal. Either field may be empty.
    No {
        /// Such as `access_denied`.
        code: String,
        /// The issuer's description, on one line.
        words: String,
    },
    /// The state belongs to a different sign-in.
    WrongState,
    /// It has neither a code nor an error.
    Nothing,
}

/// Parses the query of a callback; `state` is the one that was sent.
#[must_use]
pub fn of_query(query: &str, state: &Secret) -> RedirectAnswer {
    let pairs = form::decode(query);
    let value = |name: &str| {
        let found = pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    };
    if value("state") != state.expose() {
        return RedirectAnswer::WrongState;
    }
    if !value("error").is_empty() {
        return RedirectAnswer::No {
            code: plain(value("error")),
            words: plain(value("error_description")),
        };
    }
    match value("code") {
        "" => RedirectAnswer::Nothing,
        code => RedirectAnswer::Code(Secret::new(code.to_owned())),
    }
}

/// Parses pasted text: the URL of the page, its query, `code#state`, or the code alone. Line breaks, quotes and angle
/// brackets from copying are removed.
#[must_use]
pub fn of_paste(text: &str, state: &Secret) -> RedirectAnswer {
    let text: String = text
        .chars()
        .filter(|c| {
            !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\'' | '<' | '>' | '`')
        })
        .collect();
    let absolute = text.contains("://");
    let (front, fragment) = text.split_once('#').unwrap_or((&text, ""));
    let query = match front.split_once('?') {
        Some((_, query)) => Some(query),
        None if absolute => Some(""),
        None if front.contains("code=") || front.contains("error=") => Some(front),
        None => None,
    };
    if let Some(query) = query {
        let answer = of_query(query, state);
        // A query without a state is treated like a code alone: there is nothing to compare.
        let bare = !form::decode(query).iter().any(|(key, _)| key == "state");
        return if answer == RedirectAnswer::WrongState && bare && query.contains("code=") {
            of_query(
                &format!("{query}&{}", form::encode(&[("state", state.expose())])),
                state,
            )
        } else if answer == RedirectAnswer::WrongState && query.is_empty() {
            RedirectAnswer::Nothing
        } else {
            answer
        };
    }
    if !fragment.is_empty() && fragment != state.expose() {
        return RedirectAnswer::WrongState;
    }
    if front.len() < MIN_CODE_BYTES || !front.bytes().all(|b| b.is_ascii_graphic()) {
        return RedirectAnswer::Nothing;
    }
    RedirectAnswer::Code(Secret::new(front.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> Secret {
        Secret::new("st-1".to_owned())
    }

    fn code(text: &str) -> RedirectAnswer {
        RedirectAnswer::Code(Secret::new(text.to_owned()))
    }

    #[test]
    fn the_state_is_checked_first() {
        let check = |query: &str, expected: RedirectAnswer| {
            assert_eq!(of_query(query, &state()), expected, "{query}");
        };
        check("code=ac_1&state=st-1", code("ac_1"));
        check("state=st-1&code=a%2Bb", code("a+b"));
        check("code=ac_1&state=other", RedirectAnswer::WrongState);
        check("code=ac_1", RedirectAnswer::WrongState);
        check(
            "error=access_denied&state=other",
            RedirectAnswer::WrongState,
        );
        check("state=st-1", RedirectAnswer::Nothing);
        check("state=st-1&code=", RedirectAnswer::Nothing);
        check("", RedirectAnswer::WrongState);
        check(
            "error=access_denied&error_description=It+was%0Arefused&state=st-1&code=x",
            RedirectAnswer::No {
                code: "access_denied".to_owned(),
                words: "It was refused".to_owned(),
            },
        );
    }

    #[test]
    fn every_form_of_pasted_text_is_parsed() {
        let check = |text: &str, expected: RedirectAnswer| {
            assert_eq!(of_paste(text, &state()), expected, "{text}");
        };
        let address = "http://localhost:1455/auth/callback?code=ac_123&state=st-1";
        check(address, code("ac_123"));
        check(&format!("  <{address}>\n"), code("ac_123"));
        check(&format!("\"{address}\""), code("ac_123"));
        check(
            "http://localhost:1455/auth/call\nback?code=ac_\r\n123&state=st-1",
            code("ac_123"),
        );
        check(&format!("{address}#top"), code("ac_123"));
        check("?code=ac_123&state=st-1", code("ac_123"));
        check("code=ac_123&state=st-1", code("ac_123"));
        check("code=ac_123", code("ac_123"));
        check("ac_123#st-1", code("ac_123"));
        check("ac_123", code("ac_123"));
        check("ac_123#other", RedirectAnswer::WrongState);
        check("code=ac_123&state=other", RedirectAnswer::WrongState);
        check(
            "http://localhost:1455/auth/callback?code=ac_123&state=x",
            RedirectAnswer::WrongState,
        );
        check(
            "http://localhost:1455/auth/callback?error=access_denied&state=st-1",
            RedirectAnswer::No {
                code: "access_denied".to_owned(),
                words: String::new(),
            },
        );
        check("", RedirectAnswer::Nothing);
        check("yes", RedirectAnswer::Nothing);
        check("https://auth.example/", RedirectAnswer::Nothing);
        check("#st-1", RedirectAnswer::Nothing);
    }
}
