//! Writes the events of an answer, in the order and with the fields of the real service. Item
//! events have ids and indices; every event has its sequence number.

use std::fmt::Write as _;

use super::id;
use super::json::Json;
use super::stream::{Context, Ends, FinalOutput, Split, tokens};

/// Padding that hides the length of a delta.
const NOISE: &str = "q7XbT2mKz9LwRf4VnYc8HsJd3PgA6eUoMi5ZtBkQx1NhCvGyEj0DrWlSaFpOuI\
                     q7XbT2mKz9LwRf4VnYc8HsJd3PgA6eUoMi5ZtBkQx1NhCvGyEj0DrWlSaFpOuI";

/// A stream being written.
pub(super) struct Events<'a> {
    context: &'a Context<'a>,
    id: String,
    out: String,
    sequence: usize,
    /// The completed items.
    items: Vec<Json>,
    output_bytes: usize,
    reasoning_bytes: usize,
}

impl<'a> Events<'a> {
    /// A stream with its first two events.
    pub(super) fn begin(context: &'a Context<'a>) -> Self {
        let mut events = Self {
            context,
            id: context.ids.make("resp"),
            out: String::new(),
            sequence: 0,
            items: Vec::new(),
            output_bytes: 0,
            reasoning_bytes: 0,
        };
        let response = events.response("in_progress", Json::null(), Json::null(), &[]);
        events.event("response.created", &[("response", response.clone())]);
        events.event("response.in_progress", &[("response", response)]);
        events
    }

    /// A message whose text comes in these pieces. Each delta is padded to `width` bytes.
    pub(super) fn message<'t>(
        &mut self,
        pieces: impl Iterator<Item = &'t str>,
        phase: Option<&str>,
        status: &str,
        width: usize,
    ) {
        let id = self.context.ids.make("msg");
        let item = |status: &str, content: &[Json]| {
            let mut fields = vec![
                ("id", Json::from(&id)),
                ("type", "message".into()),
                ("status", status.into()),
                ("role", "assistant".into()),
                ("content", Json::array(content)),
            ];
            fields.extend(phase.map(|phase| ("phase", phase.into())));
            Json::object(&fields)
        };
        let part = |text: &str| {
            Json::object(&[
                ("type", "output_text".into()),
                ("annotations", Json::array(&[])),
                ("logprobs", Json::array(&[])),
                ("text", text.into()),
            ])
        };
        let at = [
            ("item_id", Json::from(&id)),
            ("output_index", self.items.len().into()),
            ("content_index", 0_usize.into()),
        ];
        self.added(item("in_progress", &[]));
        self.event_at("response.content_part.added", &at, &[("part", part(""))]);
        let logprobs = [("logprobs", Json::array(&[]))];
        let text = self.deltas("response.output_text.delta", &at, &logprobs, pieces, width);
        self.output_bytes += text.len();
        let last = [("text", Json::from(&text)), ("logprobs", Json::array(&[]))];
        self.event_at("response.output_text.done", &at, &last);
        self.event_at("response.content_part.done", &at, &[("part", part(&text))]);
        self.done(item(status, &[part(&text)]));
    }

    /// A reasoning item. An empty summary means that none was requested.
    pub(super) fn reasoning(&mut self, summary: &str, split: Split) {
        let number = self.context.ids.number();
        let id = format!("rs_standin_{number}");
        let part =
            |text: &str| Json::object(&[("type", "summary_text".into()), ("text", text.into())]);
        let at = [
            ("item_id", Json::from(&id)),
            ("output_index", self.items.len().into()),
            ("summary_index", 0_usize.into()),
        ];
        self.added(Json::object(&[
            ("id", Json::from(&id)),
            ("type", "reasoning".into()),
            ("summary", Json::array(&[])),
        ]));
        let mut parts = Vec::new();
        if !summary.is_empty() {
            let name = |end: &str| format!("response.reasoning_summary_{end}");
            self.event_at(&name("part.added"), &at, &[("part", part(""))]);
            self.deltas(&name("text.delta"), &at, &[], split.pieces(summary), 0);
            self.event_at(&name("text.done"), &at, &[("text", summary.into())]);
            self.event_at(&name("part.done"), &at, &[("part", part(summary))]);
            parts.push(part(summary));
        }
        self.output_bytes += summary.len();
        self.reasoning_bytes += summary.len();
        let sealed = if self.context.encrypted {
            Json::from(&id::sealed(number))
        } else {
            Json::null()
        };
        self.done(Json::object(&[
            ("id", Json::from(&id)),
            ("type", "reasoning".into()),
            ("summary", Json::array(&parts)),
            ("encrypted_content", sealed),
        ]));
    }

    /// What stands for a compacted conversation.
    pub(super) fn compaction(&mut self) {
        let number = self.context.ids.number();
        let item = |sealed: &str| {
            Json::object(&[
                ("id", Json::from(&format!("cmp_standin_{number}"))),
                ("type", "compaction".into()),
                ("encrypted_content", sealed.into()),
            ])
        };
        self.added(item(""));
        let sealed = id::sealed(number);
        self.output_bytes += sealed.len();
        self.done(item(&sealed));
    }

    /// A function call.
    pub(super) fn call(&mut self, name: &str, arguments: &str, status: &str) {
        let id = self.context.ids.make("fc");
        let call_id = self.context.ids.make("call");
        let item = |status: &str, arguments: &str| {
            Json::object(&[
                ("id", Json::from(&id)),
                ("type", "function_call".into()),
                ("status", status.into()),
                ("arguments", arguments.into()),
                ("call_id", Json::from(&call_id)),
                ("name", name.into()),
            ])
        };
        let at = [
            ("item_id", Json::from(&id)),
            ("output_index", self.items.len().into()),
        ];
        self.added(item("in_progress", ""));
        let kind = "response.function_call_arguments.delta";
        self.deltas(kind, &at, &[], groups(arguments, 8), 0);
        let last = [("arguments", arguments.into()), ("name", name.into())];
        self.event_at("response.function_call_arguments.done", &at, &last);
        self.output_bytes += name.len() + arguments.len();
        self.done(item(status, arguments));
    }

    /// Writes the last event; returns the bytes of all.
    pub(super) fn end(mut self, ends: &Ends, output: FinalOutput) -> Vec<u8> {
        let items = match output {
            FinalOutput::Full => std::mem::take(&mut self.items),
            FinalOutput::Empty => Vec::new(),
        };
        let failure = |code: &str, message: &str| {
            Json::object(&[("code", code.into()), ("message", message.into())])
        };
        let (kind, response) = match ends {
            Ends::None => return self.out.into_bytes(),
            Ends::Error { code, message } => {
                let fields = [
                    ("code", Json::from(code)),
                    ("message", Json::from(message)),
                    ("param", Json::null()),
                ];
                self.event("error", &fields);
                return self.out.into_bytes();
            }
            Ends::Completed => (
                "response.completed",
                self.response("completed", Json::null(), Json::null(), &items),
            ),
            Ends::Incomplete(reason) => {
                let details = Json::object(&[("reason", Json::from(reason))]);
                let response = self.response("incomplete", Json::null(), details, &items);
                ("response.incomplete", response)
            }
            Ends::Failed { code, message } => {
                let error = failure(code, message);
                let response = self.response("failed", error, Json::null(), &items);
                ("response.failed", response)
            }
        };
        self.event(kind, &[("response", response)]);
        self.out.into_bytes()
    }

    fn added(&mut self, item: Json) {
        let at = ("output_index", self.items.len().into());
        self.event("response.output_item.added", &[at, ("item", item)]);
    }

    fn done(&mut self, item: Json) {
        let at = ("output_index", self.items.len().into());
        self.items.push(item.clone());
        self.event("response.output_item.done", &[at, ("item", item)]);
    }

    fn event_at(&mut self, kind: &str, at: &[(&str, Json)], more: &[(&str, Json)]) {
        self.event(kind, &[at, more].concat());
    }

    fn event(&mut self, kind: &str, fields: &[(&str, Json)]) {
        let own = [
            ("type", Json::from(kind)),
            ("sequence_number", self.sequence.into()),
        ];
        let data = Json::object(&[&own, fields].concat());
        self.sequence += 1;
        let _ = write!(self.out, "event: {kind}\ndata: {}\n\n", data.as_str());
    }

    /// Writes one delta event for each piece; returns the whole text. There may be hundreds of
    /// thousands, so their common part is built once.
    fn deltas<'t>(
        &mut self,
        kind: &str,
        at: &[(&str, Json)],
        more: &[(&str, Json)],
        pieces: impl Iterator<Item = &'t str>,
        width: usize,
    ) -> String {
        let head = format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":");
        let inner = |fields: &[(&str, Json)]| {
            let object = Json::object(fields);
            let text = object.as_str();
            text[1..text.len() - 1].to_owned()
        };
        let middle = format!(",{},\"delta\":", inner(at));
        let after = match more {
            [] => ",\"obfuscation\":\"".to_owned(),
            more => format!(",{},\"obfuscation\":\"", inner(more)),
        };
        let mut text = String::new();
        for piece in pieces {
            text.push_str(piece);
            let start = self.out.len();
            let delta = Json::from(piece);
            let _ = write!(self.out, "{head}{}{middle}", self.sequence);
            self.out.push_str(delta.as_str());
            self.out.push_str(&after);
            let length = self.out.len() - start + "\"}\n\n".len();
            let usual = 16 - piece.len() % 16;
            let noise = width.saturating_sub(length).max(usual);
            let from = self.sequence % 32;
            self.out
                .push_str(&NOISE[from..NOISE.len().min(from + noise)]);
            self.out.push_str("\"}\n\n");
            self.sequence += 1;
        }
        text
    }

    fn response(&self, status: &str, error: Json, incomplete: Json, output: &[Json]) -> Json {
        let usage = if status == "in_progress" {
            Json::null()
        } else {
            self.usage()
        };
        Json::object(&[
            ("id", Json::from(&self.id)),
            ("object", "response".into()),
            ("created_at", self.context.created_at.into()),
            ("status", status.into()),
            ("background", false.into()),
            ("error", error),
            ("incomplete_details", incomplete),
            ("instructions", Json::null()),
            ("max_output_tokens", Json::null()),
            ("model", Json::from(&self.context.model)),
            ("output", Json::array(output)),
            ("parallel_tool_calls", self.context.parallel.into()),
            ("previous_response_id", Json::null()),
            ("service_tier", Json::from(&self.context.tier)),
            ("store", false.into()),
            ("tool_choice", "auto".into()),
            ("tools", Json::array(&[])),
            ("truncation", "disabled".into()),
            ("usage", usage),
            ("user", Json::null()),
            ("metadata", Json::object(&[])),
        ])
    }

    fn usage(&self) -> Json {
        let input = self.context.input_tokens;
        let output = tokens(self.output_bytes);
        let cached = [
            ("cached_tokens", self.context.cached_tokens.into()),
            ("cache_write_tokens", 0_usize.into()),
        ];
        let reasoning = tokens(self.reasoning_bytes);
        Json::object(&[
            ("input_tokens", input.into()),
            ("input_tokens_details", Json::object(&cached)),
            ("output_tokens", output.into()),
            (
                "output_tokens_details",
                Json::object(&[("reasoning_tokens", reasoning.into())]),
            ),
            ("total_tokens", (input + output).into()),
        ])
    }
}

/// The text in groups of this many characters.
fn groups(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest
            .char_indices()
            .nth(size)
            .map_or(rest.len(), |(at, _)| at);
        let (group, after) = rest.split_at(end);
        rest = after;
        (!group.is_empty()).then_some(group)
    })
}
