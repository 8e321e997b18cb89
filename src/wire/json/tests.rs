//! Strings, fields and elements, compared with serde.

use super::*;

#[test]
fn half_a_surrogate_pair_becomes_a_replacement_character() {
    let check = |json: &str, expected: &str| {
        assert_eq!(text(json).as_deref(), Some(expected), "{json}");
    };
    check(r#""a\ud83e\udd80b""#, "a\u{1f980}b");
    check(r#""a\ud800b""#, "a\u{fffd}b");
    check(r#""\udc00\ud83e\udd80\ud83e""#, "\u{fffd}\u{1f980}\u{fffd}");
    check(r#""\ud800\n\\ud800\u00e9""#, "\u{fffd}\n\\ud800\u{e9}");
    check(r#""\ud800\ud83e\udd80""#, "\u{fffd}\u{1f980}");
}

/// Every string of up to four of these pieces, compared with serde.
#[test]
fn escapes_are_read_as_serde_reads_them() {
    let pieces = [
        "\\n",
        "\\\\",
        "\\\"",
        "\\/",
        "\\b",
        "\\f",
        "\\r",
        "\\t",
        "\\u0000",
        "\\u00E9",
        "\\uD83E\\uDD80",
        "n",
        "u0041",
        "\u{e9}",
        "\u{1f980}",
    ];
    let mut all = vec![String::new()];
    for _ in 0..3 {
        let longer = all
            .iter()
            .flat_map(|start| pieces.iter().map(move |piece| format!("{start}{piece}")));
        all = longer.collect();
        for inner in &all {
            let json = format!("\"{inner}\"");
            let expected: String = serde_json::from_str(&json).expect("JSON");
            assert_eq!(text(&json).as_deref(), Some(&*expected), "{json}");
        }
    }
}

/// Objects of up to three of these fields, with and without white space, compared with serde.
#[test]
fn values_are_found_as_serde_finds_them() {
    #[derive(serde::Deserialize)]
    struct Both<'a> {
        #[serde(borrow, default)]
        a: Option<&'a RawValue>,
        #[serde(borrow, default)]
        b: Option<&'a RawValue>,
    }
    let parts = [
        r#""a":1e5"#,
        r#""a":null"#,
        r#""\u0061":"\"}""#,
        r#""b":{"a":[1,{"b":"]\\"}]}"#,
        r#""b":[]"#,
        r#""c":"\\\\\"long enough to be searched, \n\t\"""#,
        r#""c" : { } "#,
    ];
    let mut all = vec![String::new()];
    for _ in 0..3 {
        let longer = all.iter().flat_map(|start| {
            parts.iter().map(move |part| match &**start {
                "" => (*part).to_owned(),
                start => format!("{start},{part}"),
            })
        });
        all = longer.chain([String::new()]).collect();
        for inner in &all {
            for json in [format!("{{{inner}}}"), format!(" {{ {inner}\n}}\t")] {
                let expected: Option<Both<'_>> = serde_json::from_str(&json).ok();
                let expected = expected.map(|both| [both.a, both.b].map(|raw| Some(raw?.get())));
                assert_eq!(values(&json, ["a", "b"]), expected, "{json}");
            }
        }
    }
    for none in ["[1]", "7", "\"{\"", "null", ""] {
        assert_eq!(values(none, ["a"]), None, "{none}");
    }
}

#[test]
fn array_elements_are_passed_on_one_at_a_time() {
    let list = |json: &str, most: usize| {
        let mut found = Vec::new();
        let is_array = each(json, |element| {
            found.push(element.to_owned());
            if found.len() == most {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        (is_array, found.join(" "))
    };
    assert_eq!(list("[1, [2], {}]", 9), (true, "1 [2] {}".to_owned()));
    assert_eq!(list("[1, [2], {}]", 2), (true, "1 [2]".to_owned()));
    assert_eq!(list("[]", 9), (true, String::new()));
    assert_eq!(list("{}", 9), (false, String::new()));
    assert_eq!(list("null", 9), (false, String::new()));
}

#[test]
fn long_fields_are_dropped_and_long_text_is_truncated() {
    assert_eq!(
        short(r#"{"a": 1, "b": "long long", "c": {"d": 2}}"#, 12),
        r#"{"a":1,"c":{"d": 2}}"#
    );
    let many: String = (100..200).map(|n| format!(r#""{n}":1,"#)).collect();
    let all = format!(r#"{{{many}"error":2}}"#);
    assert_eq!(short(&all, 1000), all);
    assert!(short(&all, 100).len() < 400 + "},".len());
    for none in ["[]", "null", "{", "{}"] {
        assert_eq!(short(none, 10), "{}");
    }
    assert_eq!(beginning("caf\u{e9}", 5), "caf\u{e9}");
    assert_eq!(beginning("caf\u{e9}s", 4), "caf ...");
}
