//! Reads HTTP/1.1 requests from a connection: the head, then a body by length or in chunks. It
//! does not interpret them.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use super::wire::Wire;

/// Longest line of a request's head or of a chunk, in bytes, including the line end.
const LONGEST_LINE: u64 = 64 * 1024;

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    /// When it had arrived completely, counted from the server's start.
    pub(crate) at: Duration,
    /// The number of its connection, in the order they were accepted: 0, 1, 2.
    pub(crate) connection: usize,
    pub(crate) method: String,
    /// The target as sent: the path, and the query if there is one.
    pub(crate) path: String,
    /// The headers in order of arrival, with names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body without its framing.
    pub(crate) body: Vec<u8>,
}

impl Recorded {
    /// The first header of this name, given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A request without headers and body, for tests of single parts.
    #[cfg(test)]
    pub(super) fn get(path: &str) -> Self {
        Self {
            at: Duration::ZERO,
            connection: 0,
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The path without the query.
    pub(crate) fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is not JSON: this is for tests.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            let body = String::from_utf8_lossy(&self.body);
            panic!("the request's body is not JSON: {error}\n{body}")
        })
    }
}

/// A request, and whether its connection may be reused.
pub(super) struct Parsed {
    pub(super) request: Recorded,
    pub(super) reusable: bool,
}

/// Reads the next request. `None` means that the client closed the connection between two of them.
///
/// # Errors
///
/// `InvalidData` for anything but HTTP/1, with a sentence for the client; other kinds come from the
/// socket.
pub(super) fn read(wire: &mut Wire<'_>) -> io::Result<Option<Parsed>> {
    let Some(first) = first_line(wire)? else {
        return Ok(None);
    };
    let mut words = first.split(' ');
    let (Some(method), Some(path), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(invalid("the request line is not three words"));
    };
    if !version.starts_with("HTTP/1.") {
        return Err(invalid("only HTTP/1 is spoken here"));
    }
    let mut request = Recorded {
        at: Duration::ZERO,
        connection: 0,
        method: method.to_owned(),
        path: path.to_owned(),
        headers: headers(wire)?,
        body: Vec::new(),
    };
    let says = |name: &str, word: &str| {
        let value = request.header(name).unwrap_or_default();
        value
            .split(',')
            .any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let chunked = says("transfer-encoding", "chunked");
    let reusable = version != "HTTP/1.0" && !says("connection", "close");
    let length = match request.header("content-length") {
        Some(text) => Some(
            text.parse::<usize>()
                .map_err(|_| invalid("content-length is not a number"))?,
        ),
        None => None,
    };
    if (chunked || length.is_some_and(|length| length > 0)) && says("expect", "100-continue") {
        wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body = if chunked {
        chunks(wire)?
    } else {
        exactly(wire, length.unwrap_or(0))?
    };
    Ok(Some(Parsed { request, reusable }))
}

/// The request line, before which RFC 9112 section 2.2 allows empty ones.
fn first_line(wire: &mut Wire<'_>) -> io::Result<Option<String>> {
    loop {
        match line(wire)? {
            Some(text) if text.is_empty() => {}
            other => return Ok(other),
        }
    }
}

fn headers(wire: &mut Wire<'_>) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let text = line(wire)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if text.is_empty() {
            return Ok(headers);
        }
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| invalid("a header has no colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// A line without its end, or `None` if the connection ends before it begins.
fn line(wire: &mut Wire<'_>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let reader = wire.reader();
    reader.take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if bytes.pop() != Some(b'\n') {
        return Err(invalid("a line of the head is cut short or too long"));
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| invalid("the head is not UTF-8"))
}

fn exactly(wire: &mut Wire<'_>, length: usize) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    if wire.reader().take(limit).read_to_end(&mut body)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}

fn chunks(wire: &mut Wire<'_>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let head = line(wire)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let digits = head.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(digits, 16)
            .map_err(|_| invalid("a chunk's length is not a number"))?;
        if length == 0 {
            headers(wire)?; // the trailer, which ends like a head
            return Ok(body);
        }
        body.extend(exactly(wire, length)?);
        line(wire)?;
    }
}

fn invalid(sentence: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, sentence)
}
