//! Texts that somebody else wrote: what they hold in base64, whether they are a web page, and a text as it may be shown.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The bytes that base64 stands for, in either alphabet and with or without padding.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [STANDARD, URL_SAFE].iter().find_map(|alphabet| {
        GeneralPurpose::new(alphabet, config)
            .decode(text.trim())
            .ok()
    })
}

pub(super) fn looks_like_a_page(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(200)])
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<!--")
}

/// The text on one line, without control characters. Where it is longer than this many bytes it is cut behind
/// something that no secret holds, so that no part of one stays when secrets are taken out afterwards.
fn plain(text: &str, most: usize) -> String {
    let mut plain = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
        if plain.len() > most {
            let end = (0..=most).rev().find(|at| plain.is_char_boundary(*at));
            plain.truncate(end.unwrap_or_default());
            plain.truncate(plain.trim_end_matches(|c: char| c.is_ascii_graphic()).len());
            plain.truncate(plain.trim_end().len());
            plain.push_str(if plain.is_empty() { "..." } else { " ..." });
            break;
        }
    }
    plain
}

/// The text as it may be shown; nothing where nothing of it is left.
pub(super) fn shown(text: &str, most: usize) -> Option<String> {
    Some(plain(text, most)).filter(|text| !text.is_empty())
}
