//! Rounds chosen by prompt: the answers if the last user message contains a given text. They are
//! written in JSON, in a file or in the prompt itself on a line that begins with `standin: `.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::prompt;
use super::reply::{Framing, Newline, Reply};
use super::stream::{Ends, FinalOutput, Item, Split};

/// Prefix of a line of a prompt that contains rounds.
const DIRECTIVE: &str = "standin: ";

/// How much of the prompt is repeated in the default answer, in characters.
const ECHO: usize = 200;

/// The rounds of a script file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenarios {
    #[serde(default)]
    scenarios: Vec<Scenario>,
    otherwise: Option<Rounds>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// Part of the last user message.
    when: String,
    rounds: Vec<Round>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rounds {
    rounds: Vec<Round>,
}

/// An answer of the model, or a refusal: what `Reply` offers, as JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Round {
    items: Vec<Item>,
    sse: Option<PathBuf>,
    deltas: Option<usize>,
    delta: Option<String>,
    status: Option<u16>,
    body: Option<Box<RawValue>>,
    headers: BTreeMap<String, String>,
    words: Option<Split>,
    ends: Option<Ends>,
    final_output: Option<FinalOutput>,
    newline: Option<Newline>,
    pieces: Option<usize>,
    pause_ms: u64,
    event_pause_ms: u64,
    by_event: bool,
    before_headers_ms: u64,
    cut_at: Option<usize>,
    stall_at: Option<usize>,
    hold_open: bool,
    tail_pause_ms: u64,
    framing: Option<Framing>,
}

impl Scenarios {
    /// Parses the text of a script file.
    pub(crate) fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// The reply to this conversation, and how it was chosen. `data` is the directory of recorded streams.
    pub(super) fn reply(&self, input: &Value, data: &Path) -> Result<(Reply, String), String> {
        self.choose(
            &prompt::last_user_text(input),
            prompt::rounds_done(input),
            data,
        )
    }

    /// The reply after this many rounds, and how it was chosen.
    pub(super) fn choose(
        &self,
        said: &str,
        done: usize,
        data: &Path,
    ) -> Result<(Reply, String), String> {
        let directive = directive(said)?;
        let found = self
            .scenarios
            .iter()
            .find(|scenario| said.contains(&scenario.when));
        let (rounds, source) = match (&directive, found, &self.otherwise) {
            (Some(own), ..) => (&own.rounds, "the directive".to_owned()),
            (_, Some(scenario), _) => (&scenario.rounds, format!("{:?}", scenario.when)),
            (_, _, Some(rounds)) => (&rounds.rounds, "otherwise".to_owned()),
            _ => {
                let heard: String = said.chars().take(ECHO).collect();
                let reply = Reply::text(format!("You said: {heard}"));
                return Ok((reply, "the default".to_owned()));
            }
        };
        let last = rounds.len().checked_sub(1).ok_or("there are no rounds")?;
        let at = done.min(last);
        let choice = format!("round {} of {} by {source}", at + 1, rounds.len());
        Ok((rounds[at].reply(data)?, choice))
    }
}

/// The rounds in a prompt. The JSON may span several lines, and anything may
/// follow it.
fn directive(said: &str) -> Result<Option<Rounds>, String> {
    let starts = said.match_indices(DIRECTIVE).map(|(at, _)| at);
    let mut at_line_start = starts.filter(|&at| at == 0 || said[..at].ends_with('\n'));
    let Some(at) = at_line_start.next() else {
        return Ok(None);
    };
    let json = &said[at + DIRECTIVE.len()..];
    let first = serde_json::Deserializer::from_str(json)
        .into_iter::<Rounds>()
        .next();
    match first {
        Some(Ok(rounds)) => Ok(Some(rounds)),
        Some(Err(error)) => Err(format!("the prompt's directive cannot be read: {error}")),
        None => Err("the prompt's directive is empty".to_owned()),
    }
}

impl Round {
    /// The reply of this round. The error is a sentence: the round contradicts itself, or its file
    /// cannot be read.
    pub(crate) fn reply(&self, data: &Path) -> Result<Reply, String> {
        let reply = self.paced(self.content(data)?);
        let headers = self.headers.iter();
        Ok(headers.fold(reply, |reply, (name, value)| reply.header(name, value)))
    }

    fn content(&self, data: &Path) -> Result<Reply, String> {
        let kinds = [
            !self.items.is_empty(),
            self.sse.is_some(),
            self.deltas.is_some(),
            self.status.is_some(),
        ];
        if kinds.iter().filter(|&&given| given).count() > 1 {
            return Err("a round has only one of items, sse, deltas and status".to_owned());
        }
        if let Some(status) = self.status {
            let body = match &self.body {
                // A string is the body itself, anything else is a JSON body.
                Some(raw) => serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().into()),
                None => String::new(),
            };
            return Ok(Reply::status(status, &[], body));
        }
        if let Some(name) = &self.sse {
            let path = data.join(name);
            let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            return Ok(Reply::sse(bytes));
        }
        let mut reply = match self.deltas {
            Some(count) => Reply::deltas(count, self.delta.as_deref().unwrap_or("word ")),
            None => Reply::items(self.items.clone()),
        };
        if let Some(split) = self.words {
            reply = reply.split(split);
        }
        if let Some(ends) = &self.ends {
            reply = reply.ends(ends.clone());
        }
        if let Some(output) = self.final_output {
            reply = reply.final_output(output);
        }
        Ok(reply)
    }

    fn paced(&self, mut reply: Reply) -> Reply {
        if let Some(newline) = self.newline {
            reply = reply.newline(newline);
        }
        if let Some(bytes) = self.pieces {
            reply = reply.pieces(bytes);
        }
        if let Some(offset) = self.cut_at {
            reply = reply.cut_at(offset);
        }
        if let Some(offset) = self.stall_at {
            reply = reply.stall_at(offset);
        }
        if let Some(framing) = self.framing {
            reply = reply.framing(framing);
        }
        if self.by_event {
            reply = reply.by_event();
        }
        if self.hold_open {
            reply = reply.hold_open();
        }
        reply
            .pause(Duration::from_millis(self.pause_ms))
            .event_pause(Duration::from_millis(self.event_pause_ms))
            .pause_before_headers(Duration::from_millis(self.before_headers_ms))
            .tail_pause(Duration::from_millis(self.tail_pause_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn chosen(scenarios: &str, said: &str) -> String {
        let scenarios = Scenarios::parse(scenarios).expect("a script");
        let input = json!([{"role": "user", "content": said}]);
        match scenarios.reply(&input, Path::new("")) {
            Ok((_, choice)) => choice,
            Err(sentence) => sentence,
        }
    }

    #[test]
    fn a_directive_has_precedence_then_the_first_match_then_the_default() {
        let file = r#"{"scenarios":[{"when":"tea","rounds":[{}]},{"when":"te","rounds":[{},{}]}],
            "otherwise":{"rounds":[{}]}}"#;
        assert_eq!(chosen(file, "make tea"), r#"round 1 of 1 by "tea""#);
        assert_eq!(chosen(file, "a test"), r#"round 1 of 2 by "te""#);
        assert_eq!(chosen(file, "other"), "round 1 of 1 by otherwise");
        let own = "tea\nstandin: {\"rounds\":[{\"items\":[{\"text\":\"a\"}]},\n{},{}]}\nand more";
        assert_eq!(chosen(file, own), "round 1 of 3 by the directive");
        assert_eq!(chosen("{}", "not standin: {}"), "the default");
    }

    #[test]
    fn an_invalid_round_is_refused_with_a_message() {
        let said = |round: &str| chosen("{}", &format!("standin: {{\"rounds\":[{round}]}}"));
        assert!(said(r#"{"itmes":[]}"#).contains("unknown field `itmes`"));
        assert!(said(r#"{"sse":"a","deltas":1}"#).contains("only one of"));
        assert!(said("").contains("no rounds"));
        assert!(
            said(r#"{"items":[{"text":"a","call":{"name":"b","arguments":{}}}]}"#)
                .contains("exactly one of")
        );
    }
}
