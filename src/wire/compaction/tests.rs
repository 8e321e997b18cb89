//! What stays, for chosen and for random conversations.

use std::collections::HashSet;

use super::*;

fn kept_of(items: &[String], earlier: Option<usize>) -> Vec<String> {
    let kept = kept(items.iter().map(String::as_bytes), earlier);
    let text = |item: &Cow<'_, [u8]>| String::from_utf8(item.to_vec()).expect("UTF-8");
    kept.iter().map(text).collect()
}

fn user(text: &str) -> String {
    let item = input::user_message(text, &[], ImageSupport::Bare);
    String::from_utf8(item).expect("UTF-8")
}

fn model(text: &str) -> String {
    json!({"type": "message", "role": "assistant", "id": "msg_1", "content": [{"type": "output_text", "text": text}]})
        .to_string()
}

fn text_of(item: &str) -> String {
    let item: Value = serde_json::from_str(item).expect("JSON");
    let fields = item.as_object().expect("an object");
    MessageText::of(fields).with_images().into_owned()
}

const REASONING: &str = r#"{"type":"reasoning","id":"rs_1","encrypted_content":"g"}"#;
const CALL: &str =
    r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"t","arguments":"{}"}"#;
const OUTPUT: &str = r#"{"type":"function_call_output","call_id":"c","output":"x"}"#;
const EFFORT: &str = r#"{"type":"configuration_update","reasoning":{"effort":"high"}}"#;

#[test]
fn what_the_user_said_stays_with_the_newest_message_of_the_model() {
    let plain =
        |text: &str| json!({"type": "message", "role": "assistant", "content": text}).to_string();
    let history = [
        user("one"),
        REASONING.to_owned(),
        CALL.to_owned(),
        OUTPUT.to_owned(),
        model("first"),
        EFFORT.to_owned(),
        user("two"),
        EFFORT.replace("high", "low"),
        user("three"),
        REASONING.to_owned(),
        model("second"),
        model(" "),
        r#"{"type":"web_search_call","id":"ws_1"}"#.to_owned(),
    ];
    let stays = [
        user("one"),
        user("two"),
        EFFORT.replace("high", "low"),
        user("three"),
        plain("second"),
    ];
    assert_eq!(kept_of(&history, None), stays);
    // Compacted again, it is the same without what stood for the rest.
    let mut again = stays.to_vec();
    for earlier in [
        r#"{"type":"compaction","encrypted_content":"g"}"#.to_owned(),
        String::from_utf8(summary_message("it was done")).expect("UTF-8"),
    ] {
        again.push(earlier);
        again.extend([CALL.to_owned(), OUTPUT.to_owned()]);
        assert_eq!(kept_of(&again, Some(stays.len())), stays);
        again.truncate(stays.len());
    }
    assert!(kept_of(&[], None).is_empty());
}

#[test]
fn a_long_question_is_cut_in_the_middle() {
    let long = |mark: &str| format!("{mark} begins {} {mark} ends", "é".repeat(60_000));
    let history = [user(&long("one")), user("two"), user(&long("three"))];
    let kept = kept_of(&history, None);
    assert_eq!(kept[1], history[1]);
    for (item, mark) in [(&kept[0], "one"), (&kept[2], "three")] {
        let text = text_of(item);
        assert!(
            text.starts_with(&format!("{mark} begins")) && text.ends_with(&format!("{mark} ends"))
        );
        assert!(
            text.contains(
                "
[... about 100"
            ),
            "{mark}"
        );
        assert!(text.len() <= bytes(MAX_KEPT_TOKENS));
    }
}

#[test]
fn images_count() {
    let message = |text: &str, images: usize| {
        let images = vec!["data:image/png;base64,AAAA".to_owned(); images];
        let item = input::user_message(text, &images, ImageSupport::Detail("auto"));
        String::from_utf8(item).expect("UTF-8")
    };
    let history = [message("one", 25), message("two", 3), message("three", 19)];
    let kept = kept_of(&history, None);
    assert_eq!(
        text_of(&kept[0]),
        "one\n(6 of 25 images omitted) (19 images)"
    );
    assert_eq!(kept[1..], history[1..]);
    let text = "x".repeat(60_000);
    let kept = kept_of(&[message(&text, 12)], None);
    let said = text_of(&kept[0]);
    assert!(
        said.ends_with("x\n(2 of 12 images omitted) (10 images)"),
        "{said}"
    );
    assert!(said.contains(" tokens cut ...]"), "{said}");
}

#[test]
fn of_the_rest_the_newest_stays() {
    let long = |mark: &str| format!("{mark} {}", "x".repeat(40_000));
    let history: Vec<String> = ["one", "two", "three", "four", "five"]
        .map(|mark| user(&long(mark)))
        .to_vec();
    let kept = kept_of(&history, None);
    let begin = |item: &String| {
        text_of(item)
            .chars()
            .take_while(|c| *c != ' ')
            .collect::<String>()
    };
    let begins: Vec<String> = kept.iter().map(begin).collect();
    assert_eq!(begins, ["one", "three", "four", "five"]);
    assert_eq!(kept[2], history[3]);
    assert!(kept[1].contains("tokens cut") && kept[1].len() < history[2].len());
}

#[test]
fn a_transcript_has_every_message_and_call() {
    let output =
        json!({"type": "function_call_output", "call_id": "c", "output": "x".repeat(20_000)});
    let history = [
        user("do it"),
        REASONING.to_owned(),
        model("I will"),
        CALL.to_owned(),
        output.to_string(),
    ];
    let items = || history.iter().map(String::as_bytes);
    let whole = transcript(items(), usize::MAX);
    assert!(
        whole.starts_with("User: do it\n\nModel: I will\n\nCall of t: {}\n\nResult: xxx"),
        "{whole}"
    );
    assert!(
        whole.len() < 9_000 && whole.contains("tokens cut"),
        "{whole}"
    );
    let short = transcript(items(), 500);
    assert!(
        short.len() <= 500 && short.starts_with("User: do it"),
        "{short}"
    );
}

/// A small generator of random numbers (xorshift), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    /// A text of random length, at times longer than what stays.
    fn text(&mut self) -> String {
        let words = ["a", "é", "\"", "\n", "\u{1}", "\u{1f980}"];
        let word = words[usize::try_from(self.below(6)).expect("small")];
        let most = [10, 100, 300, 1_000, 60_000][usize::try_from(self.below(5)).expect("small")];
        let count = usize::try_from(self.below(most)).expect("small");
        format!("{} {}", self.0, word.repeat(count))
    }

    /// A conversation in which every call has its result.
    fn history(&mut self) -> Vec<String> {
        let mut items = Vec::new();
        for n in 0..self.below(12) {
            match self.below(6) {
                0 | 1 => {
                    let images =
                        vec!["data:x".to_owned(); usize::try_from(self.below(30)).expect("small")];
                    let text = self.text();
                    let item = match self.below(3) {
                        0 => json!({"role": "user", "id": "u_1", "content": text})
                            .to_string()
                            .into_bytes(),
                        1 => input::user_message(&text, &[], ImageSupport::Bare),
                        _ => input::user_message(&text, &images, ImageSupport::Bare),
                    };
                    items.push(String::from_utf8(item).expect("UTF-8"));
                }
                2 => items.push(EFFORT.to_owned()),
                3 => items.push(model(&self.text())),
                _ => {
                    items.push(REASONING.replace("rs_1", &format!("rs_{n}")));
                    let calls = 1 + self.below(3);
                    let id = |call: u64| format!("c{n}_{call}");
                    for call in 0..calls {
                        items.push(json!({"type": "function_call", "id": format!("fc_{n}"), "call_id": id(call),
                            "name": "t", "arguments": self.text()}).to_string());
                    }
                    for call in 0..calls {
                        items.push(json!({"type": "function_call_output", "call_id": id(call), "output": self.text()}).to_string());
                    }
                }
            }
        }
        items
    }
}

/// For any conversation: no call without its result and no result without its call, no id whose reasoning is gone, the first and
/// the last question, and nothing is longer than before.
#[test]
fn what_stays_of_a_random_conversation_is_valid_and_not_longer() {
    for seed in 1_u64..150 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (seed << 32 | seed));
        let history = random.history();
        let earlier = (!history.is_empty() && random.below(4) == 0)
            .then(|| usize::try_from(random.below(history.len() as u64)).expect("small"));
        let kept = kept_of(&history, earlier);
        let values: Vec<Value> = kept
            .iter()
            .map(|item| serde_json::from_str(item).expect("JSON"))
            .collect();
        let ids = |name: &str| -> HashSet<String> {
            values
                .iter()
                .filter_map(|item| item[name].as_str())
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(ids("call_id"), HashSet::new(), "seed {seed}");
        assert_eq!(ids("id"), HashSet::new(), "seed {seed}");
        assert!(
            !values.iter().any(|item| item["type"] == "reasoning"),
            "seed {seed}"
        );
        let size = |items: &[String]| items.iter().map(String::len).sum::<usize>();
        assert!(size(&kept) <= size(&history), "seed {seed}");
        let others = history
            .iter()
            .enumerate()
            .filter(|(n, _)| Some(*n) != earlier)
            .map(|(_, item)| item);
        let asked = |item: &&String| matches!(part(item.as_bytes()), HistoryPart::User(..));
        let begin = |item: Option<&String>| {
            item.map(|item| text_of(item).chars().take(10).collect::<String>())
        };
        let asked: Vec<&String> = others.filter(asked).collect();
        let stays: Vec<&String> = kept
            .iter()
            .filter(|item| matches!(part(item.as_bytes()), HistoryPart::User(..)))
            .collect();
        assert_eq!(
            begin(asked.first().copied()),
            begin(stays.first().copied()),
            "seed {seed}"
        );
        assert_eq!(
            begin(asked.last().copied()),
            begin(stays.last().copied()),
            "seed {seed}"
        );
        let tokens = |items: &[&String]| {
            items
                .iter()
                .map(|item| match part(item.as_bytes()) {
                    HistoryPart::User(_, tokens) => tokens,
                    _ => 0,
                })
                .sum::<u64>()
        };
        assert!(tokens(&stays) <= 3 * MAX_KEPT_TOKENS, "seed {seed}");
        // What stays can be compacted again and is the same.
        assert_eq!(kept_of(&kept, None), kept, "seed {seed}");
    }
}
