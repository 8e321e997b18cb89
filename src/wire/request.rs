//! The JSON body of a request. It is one run of bytes with `input` as its last field: the head is written
//! once, each item is appended as the bytes it came in, and the closing `]}` is cut off and put back.

use super::item::quoted;

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

/// What stays the same in every request of a run.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The model's id.
    pub model: &'a str,
    /// Who the model is to be; never empty, since the subscription backend refuses that.
    pub instructions: &'a str,
    /// The tools offered, maybe none.
    pub tools: &'a [Function<'a>],
    /// How much the model is to think; its own default if not given.
    pub effort: Option<&'a str>,
    /// The same for every request of a conversation: the service caches by it.
    pub cache_key: &'a str,
}

const CLOSE: &[u8] = b"]}";

/// A request's body, complete at every moment.
#[derive(Clone, Debug)]
pub struct Body {
    bytes: Vec<u8>,
    empty: bool,
}

impl Body {
    /// The body without an item.
    #[must_use]
    pub fn new(head: &Head<'_>) -> Self {
        let mut text = format!(r#"{{"model":{}"#, quoted(head.model));
        text.push_str(&format!(r#","instructions":{}"#, quoted(head.instructions)));
        if !head.tools.is_empty() {
            let tools: Vec<String> = head.tools.iter().map(Function::json).collect();
            text.push_str(&format!(r#","tools":[{}]"#, tools.join(",")));
            text.push_str(r#","tool_choice":"auto","parallel_tool_calls":true"#);
        }
        if let Some(effort) = head.effort {
            text.push_str(&format!(r#","reasoning":{{"effort":{}}}"#, quoted(effort)));
        }
        // Nothing is stored at the service, so its reasoning travels with us, encrypted.
        text.push_str(r#","store":false,"stream":true,"include":["reasoning.encrypted_content"]"#);
        text.push_str(&format!(
            r#","prompt_cache_key":{}"#,
            quoted(head.cache_key)
        ));
        text.push_str(r#","input":["#);
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(CLOSE);
        Self { bytes, empty: true }
    }

    /// Adds an item, as the bytes that it is.
    pub fn push(&mut self, item: &[u8]) {
        self.bytes.truncate(self.bytes.len() - CLOSE.len());
        if !self.empty {
            self.bytes.push(b',');
        }
        self.empty = false;
        self.bytes.extend_from_slice(item);
        self.bytes.extend_from_slice(CLOSE);
    }

    /// The body as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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
mod tests {
    use super::*;

    #[test]
    fn the_body_is_complete_after_every_item() {
        let tool = Function {
            name: "t",
            description: "d",
            parameters: r#"{"type":"object"}"#,
        };
        let head = Head {
            model: "m",
            instructions: "i",
            tools: &[tool],
            effort: Some("low"),
            cache_key: "k",
        };
        let mut body = Body::new(&head);
        for n in 0..3 {
            let json: serde_json::Value = serde_json::from_slice(body.bytes()).expect("JSON");
            assert_eq!(json["input"].as_array().map(Vec::len), Some(n));
            assert_eq!(json["tools"][0]["parameters"]["type"], "object");
            assert_eq!(
                (&json["store"], &json["stream"]),
                (&false.into(), &true.into())
            );
            body.push(br#"{ "as": "it came" }"#);
        }
        assert!(body.bytes().ends_with(
            br#""input":[{ "as": "it came" },{ "as": "it came" },{ "as": "it came" }]}"#
        ));
    }

    #[test]
    fn without_tools_nothing_speaks_of_tools() {
        let head = Head {
            model: "m",
            instructions: "i",
            tools: &[],
            effort: None,
            cache_key: "k",
        };
        let body = String::from_utf8(Body::new(&head).bytes().to_vec()).expect("UTF-8");
        assert!(
            !body.contains("tool") && !body.contains(r#""reasoning":"#),
            "{body}"
        );
    }
}
