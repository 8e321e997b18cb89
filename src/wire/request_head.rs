//! The part of a request before the conversation: model, instructions, tools and reasoning settings, in the three
//! shapes that models require.

use super::input::{ImageSupport, message, quoted};

/// A function tool as offered to the model.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// The name.
    pub name: &'a str,
    /// The description, for the model.
    pub description: &'a str,
    /// The JSON Schema of the arguments, as JSON text.
    pub parameters: &'a str,
}

/// The shape of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The public API's: tools are a top-level field, and so are the instructions if the server requires that.
    Classic,
    /// Tools and instructions are items at the beginning of the input. Parallel calls are possible.
    Additional,
    /// Responses Lite, of the subscription backend: the same items, with a separate header. No parallel calls, and no
    /// tools run by the service.
    Lite,
}

impl Shape {
    /// All shapes, in the order in which they are tried when the service rejects one.
    pub const ALL: [Self; 3] = [Self::Additional, Self::Lite, Self::Classic];

    /// The shape's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Additional => "additional",
            Self::Lite => "lite",
        }
    }

    /// The shape with this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }

    /// The other shapes, in the order in which they are tried.
    #[must_use]
    pub fn others(self) -> Vec<Self> {
        let mut others = Self::ALL.to_vec();
        others.retain(|shape| *shape != self);
        others
    }

    /// Whether the shape can carry the service's own tools, such as web search.
    #[must_use]
    pub fn carries_hosted_tools(self) -> bool {
        self != Self::Lite
    }

    /// Whether tools are an item of the input.
    fn puts_tools_in_input(self) -> bool {
        self != Self::Classic
    }
}

/// How the service searches the web.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebSearch {
    /// Fetches pages live.
    Live,
    /// Searches only the service's cache.
    Cached,
}

impl WebSearch {
    /// The tool definition.
    fn json(self) -> String {
        let live = self == Self::Live;
        format!(r#"{{"type":"web_search","external_web_access":{live}}}"#)
    }
}

/// The part of a request that is the same throughout a run.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The request shape.
    pub shape: Shape,
    /// The model id.
    pub model: &'a str,
    /// The instructions; never empty, since the subscription backend rejects that.
    pub instructions: &'a str,
    /// The tools offered, possibly none.
    pub tools: &'a [Function<'a>],
    /// Whether the instructions are a developer message at the head of the input, which OpenAI's services cache; other
    /// servers only support the `instructions` field. Shapes with tools in the input always use a developer message.
    pub developer: bool,
    /// Web search by the service, if enabled. The shape must carry hosted tools.
    pub search: Option<WebSearch>,
    /// Whether the model may make parallel calls, if the shape allows them.
    pub parallel: bool,
    /// Whether the model reasons before it answers and returns its reasoning encrypted.
    pub reasons: bool,
    /// Reasoning effort; the model's default if `None`.
    pub effort: Option<&'a str>,
    /// Reasoning summary mode; no summary if `None`.
    pub summary: Option<&'a str>,
    /// Verbosity; the model's default if `None`.
    pub verbosity: Option<&'a str>,
    /// The JSON of `text.format`, the format of the answer's messages.
    pub format: Option<&'a str>,
    /// Token limit of an answer, for servers that require one.
    pub max_output: Option<u64>,
    /// How the model accepts images. Lite has no `detail`.
    pub images: ImageSupport,
    /// The prompt cache key: the same for every request of a conversation.
    pub cache_key: &'a str,
}

impl RequestHead<'_> {
    pub(super) fn takes(&self) -> ImageSupport {
        match (self.shape, self.images) {
            (Shape::Lite, ImageSupport::Detail(_)) => ImageSupport::Bare,
            (_, images) => images,
        }
    }

    /// Everything before the first item of the conversation.
    pub(super) fn opening(&self) -> Opening {
        let mut text = format!(r#"{{"model":{}"#, quoted(self.model));
        let search = self
            .search
            .filter(|_| self.shape.carries_hosted_tools())
            .map(WebSearch::json);
        let tools: Vec<String> = self
            .tools
            .iter()
            .map(Function::json)
            .chain(search)
            .collect();
        let tools = tools.join(",");
        let developer = self.developer || self.shape.puts_tools_in_input();
        if !developer {
            text.push_str(&format!(r#","instructions":{}"#, quoted(self.instructions)));
        }
        if !self.shape.puts_tools_in_input() && !tools.is_empty() {
            text.push_str(&format!(r#","tools":[{tools}]"#));
        }
        if !tools.is_empty() {
            text.push_str(r#","tool_choice":"auto""#);
        }
        // Lite rejects requests that do not disable parallel calls, even without tools (openai/codex#30224).
        if !tools.is_empty() || self.shape == Shape::Lite {
            let parallel = self.parallel && self.shape != Shape::Lite;
            text.push_str(&format!(r#","parallel_tool_calls":{parallel}"#));
        }
        let context = (self.shape == Shape::Lite).then_some("all_turns");
        let reasoning = [
            ("effort", self.effort),
            ("summary", self.summary),
            ("context", context),
        ];
        text.push_str(&object("reasoning", &reasoning));
        let verbosity = self
            .verbosity
            .map(|word| format!(r#""verbosity":{}"#, quoted(word)));
        let format = self.format.map(|json| format!(r#""format":{json}"#));
        let fields: Vec<String> = verbosity.into_iter().chain(format).collect();
        if !fields.is_empty() {
            text.push_str(&format!(r#","text":{{{}}}"#, fields.join(",")));
        }
        if let Some(most) = self.max_output {
            text.push_str(&format!(r#","max_output_tokens":{most}"#));
        }
        text.push_str(r#","store":false,"stream":true"#);
        if self.reasons {
            // The service stores nothing, so its reasoning is sent back with each request, encrypted.
            text.push_str(r#","include":["reasoning.encrypted_content"]"#);
        }
        text.push_str(&format!(
            r#","prompt_cache_key":{}"#,
            quoted(self.cache_key)
        ));
        text.push_str(r#","input":["#);
        let mut items = Vec::new();
        if self.shape.puts_tools_in_input() && !tools.is_empty() {
            items.push(format!(
                r#"{{"type":"additional_tools","role":"developer","tools":[{tools}]}}"#
            ));
        }
        if developer {
            let words = self.instructions;
            items.push(message("developer", words, &[], ImageSupport::Refused));
        }
        text.push_str(&items.join(","));
        Opening {
            json: text,
            holds_items: !items.is_empty(),
        }
    }
}

/// The beginning of a request, up to the conversation's first item.
pub(super) struct Opening {
    /// The JSON text, with `input` still open.
    pub(super) json: String,
    /// Whether `input` already has items.
    pub(super) holds_items: bool,
}

/// An object field with the values that are present; empty if there are none.
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
