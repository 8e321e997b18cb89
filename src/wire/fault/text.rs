//! Text from outside: base64 decoding, web page detection, and cleaning for display.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use crate::text::{floor, one_line};

/// Decodes base64, in either alphabet and with or without padding.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [STANDARD, URL_SAFE].iter().find_map(|alphabet| {
        GeneralPurpose::new(alphabet, config)
            .decode(text.trim())
            .ok()
    })
}

pub(super) fn is_web_page(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(200)])
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<!--")
}

/// The text on one line, with control characters made visible. A text longer than `most` bytes is truncated after a character
/// that no secret contains, so that no part of a secret is left when secrets are redacted later.
fn plain(text: &str, most: usize) -> String {
    let mut plain = one_line(text);
    if plain.len() > most {
        plain.truncate(floor(&plain, most));
        plain.truncate(plain.trim_end_matches(|c: char| c.is_ascii_graphic()).len());
        plain.truncate(plain.trim_end().len());
        plain.push_str(if plain.is_empty() { "..." } else { " ..." });
    }
    plain
}

/// The text for display; `None` if nothing is left.
pub(super) fn shown(text: &str, most: usize) -> Option<String> {
    Some(plain(text, most)).filter(|text| !text.is_empty())
}
