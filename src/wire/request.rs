//! The JSON body of a request, in the two shapes that models want. It is one run of bytes with `input` as its last field:
//! the head is written once, each item is appended as the bytes it came in, and the closing `]}` is cut off and put back.

use serde_json::Value;

use super::input::{self, Output, Pictures, message, quoted};

/// A tool as the model is told of it.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it does, for the model.
    pub description: &'a str,
    /// The JSON Schema of its arguments, as JSON.
    pub parameters: &'a str,
}

/// The shape of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// That of the public API: instructions and tools are fields of their own.
    Classic,
    /// Responses Lite, of the subscription backend: both are items at the beginning of the input, and calls come one
    /// after the other.
    Lite,
}

impl Shape {
    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Lite => "lite",
        }
    }

    /// The shape of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Classic, Self::Lite]
            .into_iter()
            .find(|shape| shape.name() == name)
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Classic => Self::Lite,
            Self::Lite => Self::Classic,
        }
    }
}

/// What stays the same in every request of a run.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The shape of it.
    pub shape: Shape,
    /// The model's id.
    pub model: &'a str,
    /// Who the model is to be; never empty, since the subscription backend refuses that.
    pub instructions: &'a str,
    /// The tools offered, maybe none.
    pub tools: &'a [Function<'a>],
    /// The model may make several calls at once, where the shape has room for them.
    pub parallel: bool,
    /// The model thinks before it answers, and what it thinks can be carried along.
    pub reasons: bool,
    /// How much the model is to think; its own default if not given.
    pub effort: Option<&'a str>,
    /// How it is to sum up what it thinks; not at all if not given.
    pub summary: Option<&'a str>,
    /// How many words it is to make; its own default if not given.
    pub verbosity: Option<&'a str>,
    /// The most tokens of an answer, where the server has to be told.
    pub max_output: Option<u64>,
    /// How it takes pictures. Lite takes no word about them.
    pub pictures: Pictures,
    /// The same for every request of a conversation: the service caches by it.
    pub cache_key: &'a str,
}

impl Head<'_> {
    fn takes(&self) -> Pictures {
        match (self.shape, self.pictures) {
            (Shape::Lite, Pictures::Detail(_)) => Pictures::Bare,
            (_, pictures) => pictures,
        }
    }

    /// Everything before the first item of the conversation.
    fn json(&self) -> String {
        let mut text = format!(r#"{{"model":{}"#, quoted(self.model));
        let tools: Vec<String> = self.tools.iter().map(Function::json).collect();
        let tools = tools.join(",");
        if self.shape == Shape::Classic {
            text.push_str(&format!(r#","instructions":{}"#, quoted(self.instructions)));
            if !tools.is_empty() {
                text.push_str(&format!(r#","tools":[{tools}]"#));
            }
        }
        if !tools.is_empty() {
            let parallel = self.parallel && self.shape == Shape::Classic;
            text.push_str(&format!(
                r#","tool_choice":"auto","parallel_tool_calls":{parallel}"#
            ));
        }
        let context = (self.shape == Shape::Lite).then_some("all_turns");
        let reasoning = [
            ("effort", self.effort),
            ("summary", self.summary),
            ("context", context),
        ];
        text.push_str(&object("reasoning", &reasoning));
        text.push_str(&object("text", &[("verbosity", self.verbosity)]));
        if let Some(most) = self.max_output {
            text.push_str(&format!(r#","max_output_tokens":{most}"#));
        }
        text.push_str(r#","store":false,"stream":true"#);
        if self.reasons {
            // Nothing is stored at the service, so its reasoning travels with us, encrypted.
            text.push_str(r#","include":["reasoning.encrypted_content"]"#);
        }
        text.push_str(&format!(
            r#","prompt_cache_key":{}"#,
            quoted(self.cache_key)
        ));
        text.push_str(r#","input":["#);
        if self.shape == Shape::Lite {
            if !tools.is_empty() {
                text.push_str(&format!(
                    r#"{{"type":"additional_tools","role":"developer","tools":[{tools}]}},"#
                ));
            }
            text.push_str(&message(
                "developer",
                self.instructions,
                &[],
                Pictures::Refused,
            ));
        }
        text
    }
}

/// A field that is an object of those of these words that are given; nothing without one.
fn object(name: &str, fields: &[(&str, Option<&str>)]) -> String {
    let given = fields
        .iter()
        .filter_map(|(field, word)| Some((field, (*word)?)));
    let given: Vec<String> = given
        .map(|(field, word)| format!(r#""{field}":{}"#, quoted(word)))
        .collect();
    match given.len() {
        0 => String::new(),
        _ => format!(r#","{name}":{{{}}}"#, given.join(",")),
    }
}

const CLOSE: &[u8] = b"]}";

/// A request's body, complete at every moment.
#[derive(Clone, Debug)]
pub struct Body {
    bytes: Vec<u8>,
    shape: Shape,
    takes: Pictures,
    /// Where the items of the conversation begin.
    begin: usize,
    /// Nothing stands before the next item.
    empty: bool,
    /// About how many tokens it has, and how many of them were there before the first item of the conversation.
    tokens: u64,
    of_head: u64,
}

/// About how many tokens this many bytes of text are: it is four for English and for code. Where it is less, the model's
/// own count is higher, and its service says so.
#[must_use]
pub fn estimate(bytes: usize) -> u64 {
    bytes as u64 / 4
}

/// About how many tokens a picture is.
const PICTURE: u64 = 1000;

impl Body {
    /// The body without an item of the conversation.
    #[must_use]
    pub fn new(head: &Head<'_>) -> Self {
        let mut bytes = head.json().into_bytes();
        let begin = bytes.len();
        let tokens = estimate(begin);
        bytes.extend_from_slice(CLOSE);
        Self {
            bytes,
            shape: head.shape,
            takes: head.takes(),
            begin,
            empty: head.shape == Shape::Classic,
            tokens,
            of_head: tokens,
        }
    }

    /// Adds an item, as the bytes that it is.
    pub fn push(&mut self, item: &[u8]) {
        self.tokens += estimate(item.len());
        self.bytes.truncate(self.bytes.len() - CLOSE.len());
        if !self.empty {
            self.bytes.push(b',');
        }
        self.empty = false;
        self.bytes.extend_from_slice(item);
        self.bytes.extend_from_slice(CLOSE);
    }

    /// Adds what the user says, with pictures as data URLs.
    pub fn push_message(&mut self, text: &str, pictures: &[String]) {
        let before = self.tokens;
        self.push(&input::user_message(text, pictures, self.takes));
        // Escapes are no text, and pictures are not read as one.
        self.tokens = before + estimate(text.len()) + PICTURE * pictures.len() as u64;
    }

    /// Adds what a tool answered.
    pub fn push_output(&mut self, call_id: &str, output: &Output) {
        let before = self.tokens;
        self.push(&input::call_output(call_id, output, self.takes));
        self.tokens =
            before + estimate(output.text.len()) + output.image.iter().count() as u64 * PICTURE;
    }

    /// The same conversation behind the head of this other body, which is empty.
    #[must_use]
    pub fn behind(&self, mut other: Self) -> Self {
        let tokens = other.tokens + self.tokens.saturating_sub(self.of_head);
        let mut items = &self.bytes[self.begin..self.bytes.len() - CLOSE.len()];
        if let Some(rest) = items.strip_prefix(b",") {
            items = rest;
        }
        if items.is_empty() {
            return other;
        }
        if other.takes == self.takes || !holds(items, b"input_image") {
            other.push(items);
            other.tokens = tokens;
            return other;
        }
        let list = [b"[", items, b"]"].concat();
        let list: Vec<Value> = serde_json::from_slice(&list).unwrap_or_default();
        for mut item in list {
            for place in ["content", "output"] {
                let parts = item.get_mut(place).and_then(Value::as_array_mut);
                for part in parts.into_iter().flatten() {
                    other.takes.relook(part);
                }
            }
            other.push(item.to_string().as_bytes());
        }
        other.tokens = tokens;
        other
    }

    /// About how many tokens it has.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The shape that it has.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The body as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(bytes, word).is_some()
}

impl Pictures {
    /// Puts the word that this model takes into the part of an item that is a picture.
    fn relook(self, part: &mut Value) {
        if part["type"] != "input_image" {
            return;
        }
        if let Some(fields) = part.as_object_mut() {
            fields.remove("detail");
            if let Self::Detail(detail) = self {
                fields.insert("detail".to_owned(), detail.into());
            }
        }
    }
}

impl Function<'_> {
    fn json(&self) -> String {
        format!(
            r#"{{"type":"function","name":{},"description":{},"strict":false,"parameters":{}}}"#,
            quoted(self.name),
            quoted(self.description),
            self.parameters
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A head about which a test has nothing to say.
    pub(crate) const HEAD: Head<'static> = Head {
        shape: Shape::Classic,
        model: "m",
        instructions: "i",
        tools: &[],
        parallel: true,
        reasons: true,
        effort: None,
        summary: None,
        verbosity: None,
        max_output: None,
        pictures: Pictures::Detail("auto"),
        cache_key: "k",
    };

    const TOOLS: &[Function<'static>] = &[Function {
        name: "t",
        description: "d",
        parameters: r#"{"type":"object"}"#,
    }];

    fn json(body: &Body) -> Value {
        serde_json::from_slice(body.bytes()).expect("JSON")
    }

    #[test]
    fn the_body_is_complete_after_every_item() {
        for shape in [Shape::Classic, Shape::Lite] {
            let effort = Some("low");
            let head = Head {
                shape,
                tools: TOOLS,
                effort,
                ..HEAD
            };
            let mut body = Body::new(&head);
            let own = if shape == Shape::Lite { 2 } else { 0 };
            for n in 0..3 {
                let json = json(&body);
                assert_eq!(json["input"].as_array().map(Vec::len), Some(n + own));
                assert_eq!(json["reasoning"]["effort"], "low");
                assert_eq!(
                    (&json["store"], &json["stream"]),
                    (&false.into(), &true.into())
                );
                body.push(br#"{ "as": "it came" }"#);
            }
            assert!(
                body.bytes()
                    .ends_with(br#"{ "as": "it came" },{ "as": "it came" },{ "as": "it came" }]}"#)
            );
        }
    }

    #[test]
    fn lite_has_instructions_and_tools_in_its_input() {
        let classic = json(&Body::new(&Head {
            tools: TOOLS,
            ..HEAD
        }));
        assert_eq!(classic["tools"][0]["name"], "t");
        assert_eq!(
            (&classic["instructions"], &classic["parallel_tool_calls"]),
            (&"i".into(), &true.into())
        );
        assert!(classic.get("reasoning").is_none());
        let shape = Shape::Lite;
        let lite = json(&Body::new(&Head {
            shape,
            tools: TOOLS,
            ..HEAD
        }));
        assert!(lite.get("tools").is_none() && lite.get("instructions").is_none());
        assert_eq!(lite["parallel_tool_calls"], false);
        assert_eq!(lite["reasoning"]["context"], "all_turns");
        assert_eq!(lite["input"][0]["type"], "additional_tools");
        assert_eq!(lite["input"][0]["tools"], classic["tools"]);
        assert_eq!(lite["input"][1]["role"], "developer");
        assert_eq!(lite["input"][1]["content"][0]["text"], "i");
    }

    #[test]
    fn without_tools_nothing_speaks_of_tools() {
        for shape in [Shape::Classic, Shape::Lite] {
            let body = String::from_utf8(Body::new(&Head { shape, ..HEAD }).bytes().to_vec());
            assert!(!body.expect("UTF-8").contains("tool"), "{shape:?}");
        }
    }

    #[test]
    fn a_conversation_goes_behind_the_other_head_and_back() {
        let lite = Head {
            shape: Shape::Lite,
            ..HEAD
        };
        let mut body = Body::new(&HEAD);
        let to_lite = |body: &Body| body.behind(Body::new(&lite));
        let back = |body: &Body| body.behind(Body::new(&HEAD));
        assert_eq!(to_lite(&body).bytes(), Body::new(&lite).bytes());
        body.push(br#"{ "as": "it came" }"#);
        let there = to_lite(&body);
        assert!(there.bytes().ends_with(br#",{ "as": "it came" }]}"#));
        assert_eq!(back(&there).bytes(), body.bytes());
        assert_eq!(back(&there).tokens(), body.tokens());
        body.push_message("look", &["data:x".to_owned()]);
        let there = to_lite(&body);
        let part = &json(&there)["input"][2]["content"][1];
        assert!(
            part["image_url"] == "data:x" && part.get("detail").is_none(),
            "{part}"
        );
        assert_eq!(json(&back(&there)), json(&body));
    }
}
