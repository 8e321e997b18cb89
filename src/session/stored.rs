//! What a stored conversation says (pure).

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::VERSION;
use crate::wire::input::{Output, Pictures, call_output};

/// A conversation as it was stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// When it began, in Unix seconds.
    pub created_at: u64,
    /// The directory that its last run worked in.
    pub cwd: String,
    /// The model that was asked last, as `-m` takes it: one of a server of the user's own has that server's name before it.
    pub model: String,
    /// The name of that server, where it is one.
    pub provider: Option<String>,
    /// How much that model was to think.
    pub effort: Effort,
    /// Its items, each as the bytes that go to the service.
    pub items: Vec<Vec<u8>>,
    /// The model that was asked when each item was added.
    pub models: Vec<String>,
    /// How many runs have added to it.
    pub turns: usize,
    /// What the user said first.
    pub first: String,
}

/// The result of a call that was stopped before it had one.
pub const ABORTED: &str = "aborted";

/// How much a model was to think, since it was the conversation's model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// What its requests named.
    pub head: Option<String>,
    /// What the last item said that changed it.
    pub changed: Option<String>,
    /// How many items the conversation had when this model took over. Changes among them are not its own.
    pub since: usize,
}

impl Effort {
    /// What holds.
    #[must_use]
    pub fn current(&self) -> Option<&str> {
        self.changed.as_deref().or(self.head.as_deref())
    }
}

/// A line that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: String,
    version: u32,
    id: Option<String>,
    created_at: u64,
    cwd: Option<String>,
    model: Option<String>,
    provider: Option<String>,
    effort: Option<String>,
    role: Option<String>,
    call_id: Option<String>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// What a change of the effort says.
#[derive(Deserialize)]
struct Change {
    effort: String,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

/// The type of an item that changes how much the model is to think.
const CHANGE: &str = "configuration_update";

/// The most of the first words that is kept, in bytes.
const FIRST: usize = 200;

impl Stored {
    /// Reads a file; and how many of its bytes are whole lines. What is torn at the end is no mistake.
    ///
    /// # Errors
    /// When a line before the end is damaged, or the file is none of ours.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), Damage> {
        let mut stored = Self::default();
        let mut whole = 0;
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for (n, line) in lines.iter().enumerate() {
            let last = n + 1 == lines.len();
            let damage = |what| Damage { line: n + 1, what };
            if !line.ends_with(b"\n") {
                break;
            }
            let text = std::str::from_utf8(line).ok();
            let read = text.and_then(|text| serde_json::from_str::<Line<'_>>(text).ok());
            match read {
                Some(read) => stored
                    .take(n, &read, line.trim_ascii_end())
                    .map_err(damage)?,
                // The line end of a torn line may have come before what was to stand in it.
                None if last && n > 0 => break,
                None => return Err(damage("it is no JSON object of a conversation")),
            }
            whole += line.len();
        }
        if stored.id.is_empty() {
            let what = "the first line does not say which conversation it is";
            return Err(Damage { line: 1, what });
        }
        Ok((stored, whole))
    }

    fn take(&mut self, n: usize, line: &Line<'_>, raw: &[u8]) -> Result<(), &'static str> {
        match &*line.kind {
            "session" if n == 0 => {
                if line.version > VERSION {
                    return Err("it was written by a newer version of codex-run");
                }
                self.id = line.id.clone().unwrap_or_default();
                self.created_at = line.created_at;
                self.cwd = line.cwd.clone().unwrap_or_default();
            }
            _ if n == 0 => return Err("the first line does not say which conversation it is"),
            "turn" => {
                // Without a directory it says that a run has changed to another model.
                self.turns += usize::from(line.cwd.is_some());
                if let Some(model) = &line.model {
                    self.begin(line, model);
                }
                if let Some(cwd) = &line.cwd {
                    self.cwd.clone_from(cwd);
                }
            }
            "" if line.role.is_none() => return Err("it has no type"),
            _ => {
                if self.first.is_empty() && line.role.as_deref() == Some("user") {
                    self.first = first_words(line.content);
                }
                if line.kind == CHANGE {
                    let change = line.reasoning.map(RawValue::get);
                    let change = change.and_then(|raw| serde_json::from_str::<Change>(raw).ok());
                    self.effort.changed = change.map(|change| change.effort);
                }
                self.items.push(raw.to_vec());
                self.models.push(self.model.clone());
            }
        }
        Ok(())
    }

    /// Notes that a run with this model begins.
    fn begin(&mut self, line: &Line<'_>, model: &str) {
        let spelled = match &line.provider {
            Some(provider) => format!("{provider}/{model}"),
            None => model.to_owned(),
        };
        if self.model != spelled {
            self.effort = Effort {
                since: self.items.len(),
                ..Effort::default()
            };
        }
        self.model = spelled;
        self.provider.clone_from(&line.provider);
        self.effort.head.clone_from(&line.effort);
    }

    /// Makes the conversation one that can be gone on with: what stands at its end without what belongs behind it is
    /// left out or answered. Gives the items that have to be added.
    #[must_use]
    pub fn settle(&mut self) -> Vec<Vec<u8>> {
        let kinds: Vec<(String, String)> = self.items.iter().map(|item| kind(item)).collect();
        let answered: HashSet<&str> = kinds
            .iter()
            .filter(|(kind, _)| kind.ends_with("_output"))
            .map(|(_, call_id)| &**call_id)
            .collect();
        let is_open = |(_, call_id): &&(String, String)| !answered.contains(&**call_id);
        let open = kinds.iter().filter(is_open);
        let open = open.filter(|(kind, _)| kind == "function_call");
        let aborted = Output {
            text: ABORTED.to_owned(),
            image: None,
        };
        let outputs: Vec<Vec<u8>> = open
            .map(|(_, call_id)| call_output(call_id, &aborted, Pictures::Bare))
            .collect();
        // From the end, so that what was left out before changes no place that is still to be looked at. The service has
        // served calls of other kinds itself, and takes none back without its output.
        for n in (0..kinds.len()).rev() {
            let (kind_of, call_id) = &kinds[n];
            let is_call = !call_id.is_empty() && kind_of != "function_call";
            let is_call = is_call && !kind_of.ends_with("_output");
            // Reasoning stands directly before what came of it. One that a run has left without that stands at the end,
            // or before what the user said then.
            let is_last = self.items.get(n + 1).is_none_or(|next| begins_turn(next));
            if is_call && !answered.contains(&**call_id) || kind_of == "reasoning" && is_last {
                self.items.remove(n);
                self.models.remove(n);
                self.effort.since -= usize::from(n < self.effort.since);
            }
        }
        self.items.extend(outputs.iter().cloned());
        self.models.resize(self.items.len(), self.model.clone());
        outputs
    }
}

/// Whether a run puts this item before what the user says, or it is that.
fn begins_turn(item: &[u8]) -> bool {
    is_change(item) || role(item) == "user"
}

/// Whether this item changes how much the model is to think.
#[must_use]
pub fn is_change(item: &[u8]) -> bool {
    kind(item).0 == CHANGE
}

fn kind(item: &[u8]) -> (String, String) {
    let line = serde_json::from_slice::<Line<'_>>(item).unwrap_or_default();
    (line.kind, line.call_id.unwrap_or_default())
}

fn role(item: &[u8]) -> String {
    let line = serde_json::from_slice::<Line<'_>>(item).unwrap_or_default();
    line.role.unwrap_or_default()
}

/// The beginning of what a message says.
fn first_words(content: Option<&RawValue>) -> String {
    let parts = content.and_then(|raw| serde_json::from_str::<Vec<Part>>(raw.get()).ok());
    let text = parts.unwrap_or_default().into_iter().next();
    let text = text.map(|part| part.text).unwrap_or_default();
    let mut end = text.len().min(FIRST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#"{"type":"session","version":1,"id":"i","created_at":5,"cwd":"/w"}"#;
    const TURN: &str = r#"{"type":"turn","at":6,"model":"m","cwd":"/x"}"#;
    const USER: &str =
        r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}"#;
    const THOUGHT: &str = r#"{"type":"reasoning","id":"rs_1","encrypted_content":"g"}"#;
    const CALL: &str = r#"{"type":"function_call","call_id":"c","name":"t","arguments":"{}"}"#;

    fn file(lines: &[&str]) -> String {
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn every_cut_gives_the_items_that_were_finished() {
        let all = file(&[HEAD, TURN, USER, THOUGHT, CALL]);
        let mut whole_lines = 0;
        for cut in 0..=all.len() {
            let bytes = &all.as_bytes()[..cut];
            whole_lines += usize::from(cut > 0 && bytes[cut - 1] == b'\n');
            match Stored::read(bytes) {
                Err(damage) => assert!(whole_lines == 0 && damage.line == 1, "{cut}: {damage}"),
                Ok((stored, whole)) => {
                    assert_eq!(stored.items.len(), whole_lines.saturating_sub(2), "{cut}");
                    assert!(whole <= cut && all[..whole].ends_with('\n'), "{cut}");
                }
            }
        }
    }

    #[test]
    fn what_is_said_of_a_conversation_is_read() {
        let (stored, _) = Stored::read(file(&[HEAD, TURN, USER]).as_bytes()).expect("a session");
        assert_eq!(
            (&*stored.id, stored.created_at, &*stored.cwd),
            ("i", 5, "/x")
        );
        assert_eq!(
            (&*stored.model, stored.turns, &*stored.first),
            ("m", 1, "hi")
        );
    }

    #[test]
    fn how_much_the_model_was_to_think_is_read() {
        let turn = |model: &str, effort: &str| {
            format!(r#"{{"type":"turn","at":6,"model":"{model}","cwd":"/x","effort":"{effort}"}}"#)
        };
        let change = r#"{"type":"configuration_update","reasoning":{"effort":"high"}}"#;
        let check = |lines: &[&str], current: Option<&str>, head: Option<&str>, since| {
            let all = [&[HEAD][..], lines].concat();
            let (stored, _) = Stored::read(file(&all).as_bytes()).expect("a session");
            let effort = &stored.effort;
            assert_eq!(
                (effort.current(), effort.head.as_deref(), effort.since),
                (current, head, since),
                "{lines:?}"
            );
        };
        let (low, other) = (turn("m", "low"), turn("other", "medium"));
        check(&[TURN, USER], None, None, 0);
        check(&[&low, USER], Some("low"), Some("low"), 0);
        check(
            &[&low, USER, &low, change, USER],
            Some("high"),
            Some("low"),
            0,
        );
        check(
            &[&low, USER, change, &other, USER],
            Some("medium"),
            Some("medium"),
            2,
        );
        check(
            &[&low, change, USER, &other, USER, &low, USER],
            Some("low"),
            Some("low"),
            3,
        );
    }

    #[test]
    fn the_model_is_spelled_with_the_server_that_it_is_of() {
        let turn = r#"{"type":"turn","model":"small","provider":"box"}"#;
        let (stored, _) = Stored::read(file(&[HEAD, turn, USER]).as_bytes()).expect("a session");
        assert_eq!(
            (&*stored.model, stored.provider.as_deref()),
            ("box/small", Some("box"))
        );
        assert_eq!(stored.models, ["box/small"]);
    }

    #[test]
    fn damage_in_the_middle_is_told() {
        let check = |lines: &[&str], line| {
            let damage = Stored::read(file(lines).as_bytes()).map(drop);
            assert_eq!(damage.map_err(|damage| damage.line), Err(line), "{lines:?}");
        };
        check(&[HEAD, "{", USER], 2);
        check(&[HEAD, "[]", USER], 2);
        check(&[USER], 1);
        check(&[HEAD, "{}", USER], 2);
        check(&[&HEAD.replace("\"version\":1", "\"version\":9")], 1);
        assert!(Stored::read(file(&[HEAD, TURN, "{"]).as_bytes()).is_ok());
    }

    #[test]
    fn what_has_no_end_is_left_out_or_answered() {
        let settled = |lines: &[&str]| {
            let (mut stored, _) = Stored::read(file(lines).as_bytes()).expect("a session");
            let added = stored.settle();
            (stored.items.len(), added.len())
        };
        assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT]), (1, 0));
        assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT, THOUGHT, USER]), (2, 0));
        assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT, CALL]), (4, 1));
        let output = r#"{"type":"function_call_output","call_id":"c","output":"x"}"#;
        assert_eq!(settled(&[HEAD, TURN, USER, CALL, output]), (3, 0));
        let change = r#"{"type":"configuration_update","reasoning":{"effort":"high"}}"#;
        assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT, change, USER]), (3, 0));
        // Another call of which no output was shown is left out, and the reasoning that led to it alone.
        let custom = r#"{"type":"custom_tool_call","call_id":"d","name":"t","input":""}"#;
        assert_eq!(settled(&[HEAD, TURN, USER, THOUGHT, custom, USER]), (2, 0));
        let output = r#"{"type":"custom_tool_call_output","call_id":"d","output":"x"}"#;
        let all = [HEAD, TURN, USER, THOUGHT, custom, output];
        assert_eq!(settled(&all), (4, 0));
    }
}
