//! What stands before the conversation in a request: the model, who it is to be, its tools and how it is to think, in the
//! three shapes that models want.

use super::input::{Pictures, message, quoted};

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
    /// That of the public API: the tools are a field of their own, and so are the instructions where the server wants them
    /// there.
    Classic,
    /// Tools and instructions are items at the beginning of the input, and several calls may come at once.
    Additional,
    /// Responses Lite, of the subscription backend: the same items behind a header of its own. Calls come one after the
    /// other, and the service runs no tool itself.
    Lite,
}

impl Shape {
    /// Every shape, in the order in which they are tried where the service refuses the one before.
    pub const ALL: [Self; 3] = [Self::Additional, Self::Lite, Self::Classic];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Additional => "additional",
            Self::Lite => "lite",
        }
    }

    /// The shape of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }

    /// The others, in the order in which they are tried.
    #[must_use]
    pub fn others(self) -> Vec<Self> {
        let mut others = Self::ALL.to_vec();
        others.retain(|shape| *shape != self);
        others
    }

    /// Whether the service's own tools, such as its web search, have a place in it.
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
    /// It fetches pages as they are now.
    Live,
    /// It looks only into what it has stored.
    Cached,
}

impl WebSearch {
    /// The tool that stands for it.
    fn json(self) -> String {
        let live = self == Self::Live;
        format!(r#"{{"type":"web_search","external_web_access":{live}}}"#)
    }
}

/// What stays the same in every request of a run.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// The shape of it.
    pub shape: Shape,
    /// The model's id.
    pub model: &'a str,
    /// Who the model is to be; never empty, since the subscription backend refuses that.
    pub instructions: &'a str,
    /// The tools offered, maybe none.
    pub tools: &'a [Function<'a>],
    /// The instructions are a developer message at the head of the input, which OpenAI's services cache; other servers
    /// know a field of that name only. In the shapes that put the tools there, they always are.
    pub developer: bool,
    /// The service may search the web. The shape must carry hosted tools.
    pub search: Option<WebSearch>,
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
    /// The JSON of `text.format`, which the answer's messages are to have.
    pub format: Option<&'a str>,
    /// The most tokens of an answer, where the server has to be told.
    pub max_output: Option<u64>,
    /// How it takes pictures. Lite takes no word about them.
    pub pictures: Pictures,
    /// The same for every request of a conversation: the service caches by it.
    pub cache_key: &'a str,
}

impl RequestHead<'_> {
    pub(super) fn takes(&self) -> Pictures {
        match (self.shape, self.pictures) {
            (Shape::Lite, Pictures::Detail(_)) => Pictures::Bare,
            (_, pictures) => pictures,
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
        // Lite refuses requests that do not rule them out, also without tools (openai/codex#30224).
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
            // Nothing is stored at the service, so its reasoning travels with us, encrypted.
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
            items.push(message("developer", words, &[], Pictures::Refused));
        }
        text.push_str(&items.join(","));
        Opening {
            json: text,
            holds_items: !items.is_empty(),
        }
    }
}

/// The beginning of a request, up to where the conversation's first item stands.
pub(super) struct Opening {
    /// The JSON, in which `input` is still open.
    pub(super) json: String,
    /// There are items in `input` already.
    pub(super) holds_items: bool,
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
