//! A request: the head, followed by the conversation as the last field of the same JSON object.

pub use super::conversation::{RequestBody, estimate};
pub use super::request_head::{Function, RequestHead, Shape, WebSearch};

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::wire::input::ImageSupport;

    /// A request head with defaults for tests.
    pub(crate) const HEAD: RequestHead<'static> = RequestHead {
        shape: Shape::Classic,
        model: "m",
        instructions: "i",
        tools: &[],
        developer: false,
        search: None,
        parallel: true,
        reasons: true,
        effort: None,
        summary: None,
        verbosity: None,
        format: None,
        max_output: None,
        images: ImageSupport::Detail("auto"),
        cache_key: "k",
    };

    const TOOLS: &[Function<'static>] = &[Function {
        name: "t",
        description: "d",
        parameters: r#"{"type":"object"}"#,
    }];

    pub(crate) fn json(body: &RequestBody) -> Value {
        serde_json::from_slice(body.bytes()).expect("JSON")
    }

    #[test]
    fn the_body_is_complete_after_every_item() {
        for shape in [Shape::Classic, Shape::Lite] {
            let effort = Some("low");
            let head = RequestHead {
                shape,
                tools: TOOLS,
                effort,
                ..HEAD
            };
            let mut body = RequestBody::new(&head);
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
        let classic = json(&RequestBody::new(&RequestHead {
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
        let lite = json(&RequestBody::new(&RequestHead {
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
    fn without_tools_no_tool_field_is_sent() {
        for shape in [Shape::Classic, Shape::Lite] {
            let body = String::from_utf8(
                RequestBody::new(&RequestHead { shape, ..HEAD })
                    .bytes()
                    .to_vec(),
            );
            let body = body
                .expect("UTF-8")
                .replace("\"parallel_tool_calls\":false", "");
            assert!(!body.contains("tool"), "{shape:?}");
        }
    }
}
