//! Each refusal by the change to a valid request that causes it.

use super::*;
use crate::standin::check;
use crate::standin::id::Ids;
use crate::standin::models::List;

/// A valid body in the Lite shape.
fn lite_body() -> Value {
    json!({
        "model": "gpt-6.1-sol",
        "input": [
            {"type": "additional_tools", "role": "developer", "tools": [
                {"type": "namespace", "name": "functions", "tools": [
                    {"type": "function", "name": "read"},
                    {"type": "custom", "name": "apply_patch"},
                ]},
                {"type": "tool_search", "execution": "client"},
            ]},
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "input_text", "text": "What is it?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ]},
        ],
        "parallel_tool_calls": false,
        "reasoning": {"effort": "max", "context": "all_turns"},
        "store": false,
        "stream": true,
        "text": {"verbosity": "low"},
    })
}

/// The same in the classic shape.
fn classic_body() -> Value {
    json!({
        "model": "gpt-5.5",
        "instructions": "Be brief.",
        "input": [{"role": "user", "content": [
            {"type": "input_text", "text": "What is it?"},
            {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "high"},
        ]}],
        "tools": [{"type": "function", "name": "read"}, {"type": "web_search"}],
        "parallel_tool_calls": true,
        "reasoning": {"effort": "xhigh", "summary": "auto"},
        "store": false,
        "stream": true,
        "text": {"verbosity": "high"},
    })
}

/// The body with these fields replaced. An input replaces the user's message.
fn changed(mut body: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().expect("an object") {
        if name == "input" {
            let items = body["input"].as_array_mut().expect("a list");
            items.pop();
            items.extend(value.as_array().expect("a list").iter().cloned());
        } else {
            body[name] = value.clone();
        }
    }
    body
}

/// The refusal of the body, with its status; nothing if it is accepted.
fn said(backend: Backend, lite: bool, body: &Value) -> String {
    let mut request = Recorded::get("/responses");
    request.body = body.to_string().into_bytes();
    if lite {
        request.headers.push((LITE.to_owned(), "true".to_owned()));
    }
    match check::body(backend, &request, &List::new(None), &Ids::default()) {
        Ok(_) => String::new(),
        Err(refusal) => format!("{} {}", refusal.status, refusal.body),
    }
}

#[track_caller]
fn expect(said: &str, parts: &[&str], what: &Value) {
    for part in parts {
        assert!(said.contains(part), "{what}\n{said}\nlacks {part}");
    }
    assert_eq!(said.is_empty(), parts.is_empty(), "{what}\n{said}");
}

/// On the subscription's backend, with the header.
#[track_caller]
fn to_lite(changes: Value, parts: &[&str]) {
    let body = changed(lite_body(), &changes);
    expect(&said(Backend::Subscription, true, &body), parts, &changes);
}

/// On either backend, without the header.
#[track_caller]
fn to_classic(changes: Value, parts: &[&str]) {
    let body = changed(classic_body(), &changes);
    for backend in [Backend::Subscription, Backend::Api] {
        expect(&said(backend, false, &body), parts, &changes);
    }
}

#[test]
fn valid_requests_are_accepted() {
    to_lite(json!({}), &[]);
    to_lite(json!({"model": "gpt-5.6-luna"}), &[]);
    to_classic(json!({}), &[]);
    to_classic(json!({"reasoning": null, "text": null}), &[]);
    let strange = json!({"model": "gpt-x", "reasoning": {"effort": "ultra"}});
    to_classic(strange, &[]);
}

#[test]
fn a_lite_request_must_have_the_lite_shape() {
    let unsupported = "400 {\"error\":{\"code\":\"unsupported_value\"";
    for kind in ["web_search", "image_generation", "shell"] {
        let only = "Responses-Lite only supports function tools, custom tools, and client-executed \
                    tool search.\"";
        let tools = json!([{"type": kind}]);
        to_lite(json!({ "tools": tools }), &[unsupported, only]);
        let list =
            |tools| json!([{"type": "additional_tools", "role": "developer", "tools": tools}]);
        to_lite(
            json!({ "input": list(tools.clone()) }),
            &[unsupported, only],
        );
        let inside = json!([{"type": "namespace", "name": "n", "tools": tools}]);
        to_lite(json!({ "input": list(inside) }), &[unsupported, only]);
    }
    let tools = json!([{"type": "function", "name": "read"}]);
    to_lite(
        json!({ "tools": tools }),
        &["Lite requires `tools` to be in `input`."],
    );
    to_lite(
        json!({"instructions": "Be brief."}),
        &["Lite requires `instructions` to be in `input`."],
    );
    for value in [json!(true), json!(null)] {
        to_lite(
            json!({ "parallel_tool_calls": value }),
            &["Lite requires `parallel_tool_calls` to be false."],
        );
    }
    for reasoning in [json!(null), json!({}), json!({"context": "auto"})] {
        to_lite(
            json!({ "reasoning": reasoning }),
            &[
                unsupported,
                "Lite requires `reasoning.context` to be `all_turns`.",
            ],
        );
    }
    for list in [
        json!({"role": "user", "tools": []}),
        json!({"role": "developer"}),
    ] {
        let mut item = list;
        item["type"] = json!("additional_tools");
        to_lite(
            json!({ "input": [item] }),
            &["400", "has the role 'developer' and a list of tools"],
        );
    }
}

#[test]
fn images_in_a_lite_request_are_inline_and_without_detail() {
    let message = |image: &Value| json!([{"role": "user", "content": [image]}]);
    let output = |image: &Value| {
        json!([{"type": "function_call", "call_id": "1"},
            {"type": "function_call_output", "call_id": "1", "output": [image]}])
    };
    let url = "data:image/png;base64,AAAA";
    let detailed = json!({"type": "input_image", "image_url": url, "detail": "auto"});
    let remote = json!({"type": "input_image", "image_url": "https://example.com/a.png"});
    let plain = json!({"type": "input_image", "image_url": url});
    for input in [message, output] {
        to_lite(json!({ "input": input(&plain) }), &[]);
        to_lite(
            json!({ "input": input(&detailed) }),
            &["400", "does not support `detail`"],
        );
        to_lite(
            json!({ "input": input(&remote) }),
            &["400", "does not support remote image URLs"],
        );
    }
}

#[test]
fn a_lite_model_refuses_the_classic_shape() {
    let check = |model: &str, reasoning: Value, parts: &[&str]| {
        let changes = json!({"model": model, "reasoning": reasoning});
        let body = changed(classic_body(), &changes);
        expect(&said(Backend::Subscription, false, &body), parts, &changes);
        expect(&said(Backend::Api, false, &body), &[], &changes);
    };
    for model in ["gpt-5.6-luna", "gpt-6-luna"] {
        let words = format!("\"message\":\"Model not found {model}\"");
        check(model, json!(null), &["404", &words]);
    }
    for model in ["gpt-6.1-sol", "gpt-5.6-terra", "codex-auto-review"] {
        check(
            model,
            json!(null),
            &["400", "`reasoning.context` to be `all_turns`"],
        );
    }
    check(
        "gpt-6.1-sol",
        json!({"context": "all_turns"}),
        &[
            "400",
            "only supported when using X-OpenAI-Internal-Codex-Responses-Lite",
        ],
    );
}

#[test]
fn a_classic_model_refuses_the_lite_shape() {
    let words = "This model is not supported when using X-OpenAI-Internal-Codex-Responses-Lite.";
    for model in ["gpt-5.5", "gpt-x"] {
        let changes = json!({"model": model, "reasoning": {"context": "all_turns"}});
        let body = changed(lite_body(), &changes);
        for lite in [true, false] {
            expect(
                &said(Backend::Subscription, lite, &body),
                &["400", words],
                &changes,
            );
        }
        let body = changed(classic_body(), &json!({ "model": model }));
        expect(
            &said(Backend::Subscription, true, &body),
            &["400", words],
            &changes,
        );
    }
    let body = lite_body();
    for lite in [true, false] {
        expect(&said(Backend::Api, lite, &body), &[], &body);
    }
}

#[test]
fn a_lite_model_accepts_tools_in_the_input_without_the_header() {
    let body = |changes: Value| changed(lite_body(), &changes);
    let check = |changes: Value, parts: &[&str]| {
        let body = body(changes.clone());
        expect(&said(Backend::Subscription, false, &body), parts, &changes);
    };
    let open = json!({"parallel_tool_calls": true, "reasoning": {"effort": "low"}});
    check(open, &[]);
    check(
        json!({"text": {"verbosity": "low"}, "reasoning": null}),
        &[],
    );
    let list = |tools: Value| json!([{"type": "additional_tools", "role": "developer", "tools": tools}, {"role": "user", "content": "hi"}]);
    let search =
        json!({"input": list(json!([{"type": "web_search"}])), "parallel_tool_calls": true});
    check(search.clone(), &[]);
    // With the header it is refused.
    to_lite(search, &["400", "only supports function tools"]);
    let wrong = json!({"input": [{"type": "additional_tools", "role": "user", "tools": []}]});
    check(wrong, &["400", "has the role 'developer'"]);
    for field in ["tools", "instructions"] {
        let value = if field == "tools" {
            json!([])
        } else {
            json!("x")
        };
        check(
            json!({field: value, "reasoning": {"context": "all_turns"}}),
            &["400", "only supported when using"],
        );
    }
}

#[test]
fn the_effort_may_change_within_a_conversation_if_the_list_says_so() {
    let change =
        |effort: &str| json!([{"type": "configuration_update", "reasoning": {"effort": effort}}]);
    to_lite(json!({ "input": change("high") }), &[]);
    to_lite(
        json!({ "input": change("ultra") }),
        &["400", "'ultra' is not supported"],
    );
    to_classic(
        json!({ "input": change("high") }),
        &["400", "Invalid value: 'configuration_update'."],
    );
}

#[test]
fn an_effort_must_be_accepted_by_the_model() {
    let check = |model: &str, effort: &str, values: &str| {
        let changes = json!({"model": model, "reasoning": {"effort": effort}});
        let body = changed(classic_body(), &changes);
        let words = format!(
            "Unsupported value: '{effort}' is not supported with the '{model}' model. Supported \
             values are: {values}."
        );
        let parts = [
            &*words,
            "400",
            "\"reasoning.effort\"",
            "\"unsupported_value\"",
        ];
        expect(&said(Backend::Api, false, &body), &parts, &changes);
    };
    let to_xhigh = "'low', 'medium', 'high', and 'xhigh'";
    check("gpt-5.5", "max", to_xhigh);
    check("gpt-5.5", "minimal", to_xhigh);
    check("gpt-5.1-codex-mini", "low", "'medium' and 'high'");
    check(
        "gpt-6.1-sol",
        "ultra",
        "'low', 'medium', 'high', 'xhigh', and 'max'",
    );
    let changes = json!({"reasoning": {"effort": "max"}});
    to_classic(changes, &["is not supported with the 'gpt-5.5' model"]);
    let ultra = json!({"reasoning": {"effort": "ultra", "context": "all_turns"}});
    to_lite(ultra, &["is not supported with the 'gpt-6.1-sol' model"]);
}

#[test]
fn verbosity_and_summary_must_be_valid_words() {
    to_classic(
        json!({"text": {"verbosity": "terse"}}),
        &[
            "400",
            "Invalid value: 'terse'. Supported values are: 'low', 'medium', and 'high'.",
        ],
    );
    to_classic(
        json!({"reasoning": {"summary": "none"}}),
        &[
            "400",
            "'auto', 'concise', and 'detailed'",
            "\"reasoning.summary\"",
        ],
    );
}

#[test]
fn a_text_only_model_refuses_images() {
    let model = "gpt-5.3-codex-spark";
    to_classic(
        json!({ "model": model }),
        &[
            "400",
            "The 'gpt-5.3-codex-spark' model does not support image inputs.",
        ],
    );
    let words = json!([{"role": "user", "content": "hello"}]);
    to_classic(json!({"model": model, "input": words}), &[]);
}

#[test]
fn an_input_must_fit_the_context_window() {
    let message = |bytes: usize| json!([{"role": "user", "content": "x".repeat(bytes)}]);
    let fits = 4 * 127_000;
    let spark = |bytes| json!({"model": "gpt-5.3-codex-spark", "input": message(bytes)});
    to_classic(spark(fits), &[]);
    let words = [
        "400",
        "\"context_length_exceeded\"",
        "Your input exceeds the context window of this model.",
    ];
    to_classic(spark(4 * 128_000), &words);
    to_classic(
        json!({"model": "gpt-x", "input": message(4 * 1_000_000)}),
        &[],
    );
    to_lite(json!({ "input": message(4 * 300_000) }), &[]);
    to_lite(json!({ "input": message(4 * 872_000) }), &words);

    // An image of 2 MB is not half a million tokens.
    let url = format!("data:image/png;base64,{}", "A".repeat(2_000_000));
    let image = json!([{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]);
    to_classic(json!({ "input": image }), &[]);
}
