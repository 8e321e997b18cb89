//! The log, twice: as text for people and, if there is a log file, as a line of JSON for each
//! request and each reply. Tokens, keys and codes are masked in both.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::http::Recorded;
use super::mask;
use super::reply::Reply;
use super::send::Sent;
use super::token::masked;

/// How much of a body is shown in the text, in characters.
const SHOWN: usize = 600;

/// The log of one server.
pub(super) struct Log {
    text: String,
    file: Option<File>,
}

impl Log {
    /// A log that also appends to this file, if there is one.
    pub(super) fn new(path: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        Ok(Self {
            text: String::new(),
            file: path.map(open).transpose()?,
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Logs a sentence.
    pub(super) fn note(&mut self, sentence: &str) {
        let _ = writeln!(self.text, "           {sentence}");
        self.line(&json!({ "note": sentence }));
    }

    pub(super) fn request(&mut self, request: &Recorded) {
        let Recorded { method, .. } = request;
        let path = mask::target(&request.path);
        let body = mask::body(request);
        let shown: String = body.chars().take(SHOWN).collect();
        let dots = if shown.len() < body.len() { "..." } else { "" };
        let _ = writeln!(
            self.text,
            "{} connection {}: {method} {path}, {} bytes {shown}{dots}",
            clock(request.at),
            request.connection,
            request.body.len(),
        );
        if self.file.is_some() {
            let body = serde_json::from_str(&body).unwrap_or_else(|_| Value::from(body.as_ref()));
            let headers: Vec<Value> = request.headers.iter().map(header).collect();
            self.line(&json!({"request": {"at": request.at.as_secs_f64(),
                "connection": request.connection, "method": method, "path": path,
                "headers": headers, "body": body}}));
        }
    }

    pub(super) fn reply(&mut self, at: Duration, to: &Recorded, reply: &Reply, sent: &Sent) {
        let Sent { bytes, of, end, .. } = sent;
        let (connection, status) = (to.connection, reply.status);
        let _ = writeln!(
            self.text,
            "{} connection {connection}: {status}, {bytes} of {of} bytes, {end}",
            clock(at),
        );
        self.line(
            &json!({"reply": {"at": at.as_secs_f64(), "connection": connection,
            "status": status, "bytes": bytes, "of": of, "end": end}}),
        );
    }

    /// A log that cannot be written does not stop the server.
    fn line(&mut self, value: &Value) {
        if let Some(file) = &mut self.file {
            let _ = writeln!(file, "{value}");
        }
    }
}

fn clock(at: Duration) -> String {
    format!("{:>9.3}s", at.as_secs_f64())
}

fn header((name, value): &(String, String)) -> Value {
    match value.split_once(' ') {
        Some((scheme, token)) if name == "authorization" => {
            json!([name, format!("{scheme} {}", masked(token))])
        }
        _ => json!([name, value]),
    }
}
