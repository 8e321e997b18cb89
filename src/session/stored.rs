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
    /// The model that was asked last.
    pub model: String,
    /// Its items, each as the bytes that go to the service.
    pub items: Vec<Vec<u8>>,
    /// The model that was asked when each item was added.
    pub models: Vec<String>,
    /// How many runs have added to it.
    pub turns: usize,
    /// What the user said first.
    pub first: String,
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
    role: Option<String>,
    call_id: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

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
                self.turns += 1;
                if let Some(model) = &line.model {
                    self.model.clone_from(model);
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
                self.items.push(raw.to_vec());
                self.models.push(self.model.clone());
            }
        }
        Ok(())
    }

    /// Makes the conversation one that can be gone on with: what stands at its end without what belongs behind it is
    /// left out or answered. Gives the items that have to be added.
    #[must_use]
    pub fn settle(&mut self) -> Vec<Vec<u8>> {
        let kinds: Vec<(String, String)> = self.items.iter().map(|item| kind(item)).collect();
        // Reasoning stands directly before what came of it.
        while let Some(item) = self.items.last()
            && kind(item).0 == "reasoning"
        {
            self.items.pop();
            self.models.pop();
        }
        // One that an earlier run has left so stands before what the user said then.
        let mut n = 0;
        while n + 1 < self.items.len() {
            let (this, next) = (kind(&self.items[n]).0, role(&self.items[n + 1]));
            if this == "reasoning" && next == "user" {
                self.items.remove(n);
                self.models.remove(n);
                n = n.saturating_sub(1);
            } else {
                n += 1;
            }
        }
        let answered: HashSet<&str> = kinds
            .iter()
            .filter(|(kind, _)| kind.ends_with("_output"))
            .map(|(_, call_id)| &**call_id)
            .collect();
        let open = kinds
            .iter()
            .filter(|(kind, call_id)| kind == "function_call" && !answered.contains(&**call_id));
        let aborted = Output {
            text: "aborted".to_owned(),
            image: None,
        };
        let outputs: Vec<Vec<u8>> = open
            .map(|(_, call_id)| call_output(call_id, &aborted, Pictures::Bare))
            .collect();
        self.items.extend(outputs.iter().cloned());
        self.models.resize(self.items.len(), self.model.clone());
        outputs
    }
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
    }
}
