//! The behaviour of a stand-in MCP server: words separated by commas, some with a value, such as
//! `version:2024-11-05,pages:2`. `honest` means nothing and may be the only word.

use std::str::FromStr;
use std::time::Duration;

/// The words, for people.
pub(crate) const HELP: &str = "\
  honest          tools that do what their names say, and nothing odd
  name:NAME       name in serverInfo
  version:V       the only protocol version of initialize, instead of all from 2024-11-05 to 2025-11-25
  modern[:CODE]   2026-07-28 only: refuse initialize with this code (-32601), require _meta in requests
  tools:N         N additional tools
  schema:BYTES    length of the description of a parameter of each additional tool
  pages:N         N tools a page
  endless-pages   every page has a next one, always with the same cursor
  odd-names       names that are long, empty, equal, or not of the usual characters; schemas that are none
  escapes         control characters in serverInfo, names, descriptions and results
  late:MS         wait before the first message is read
  meets:N         wait before that until N such servers have started with the same TMPDIR
  asks            ask the client ping, roots/list and sampling before the answer to initialize
  changes         other tools in each list, and a notification about it after each call
  notify:N        N notifications before each answer
  flood           notifications without end, from the start
  noise           lines that are not JSON-RPC before each answer
  garbage         such lines instead of every answer
  twice           each answer twice
  wrong-id        an answer with another id before each answer
  silent[:METHOD] no answer, to this method or to all
  long-line[:BYTES]
                  one line of this length (1 GiB) instead of the answer to initialize
  exits[:METHOD]  last words on standard error and exit code 7 instead of an answer to initialize or METHOD
  chatter[:N]     N times (1) odd lines on standard error at the start
  forks:SECONDS   leave processes behind that are called `sleep SECONDS`
  stays           ignore the end of standard input
  stubborn        and ignore SIGTERM too
Behind a URL:
  sse             answers as event streams
  session[:ID]    give out session ids (or this one) and require them
  expires:N       forget a session after N calls
  polls           close the stream of a call early, to be continued by a GET
  kind:TYPE       content type of answers
  status:CODE     refuse every message with this status
  bulk            1 GiB of events before the answer to a call
";

/// Length of a long line, in bytes.
pub(super) const LONG_LINE: u64 = 1 << 30;

/// What is odd about a server.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a separate word")]
pub(super) struct Behaviour {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    /// The code with which `initialize` is refused.
    pub(super) modern: Option<i64>,
    pub(super) tools: usize,
    pub(super) schema: usize,
    pub(super) pages: Option<usize>,
    pub(super) endless_pages: bool,
    pub(super) odd_names: bool,
    pub(super) escapes: bool,
    pub(super) late: Option<Duration>,
    pub(super) meets: Option<usize>,
    pub(super) asks: bool,
    pub(super) changes: bool,
    pub(super) notify: usize,
    pub(super) flood: bool,
    pub(super) noise: bool,
    pub(super) garbage: bool,
    pub(super) twice: bool,
    pub(super) wrong_id: bool,
    /// The method that is not answered; an empty one stands for all.
    pub(super) silent: Option<String>,
    pub(super) long_line: Option<u64>,
    pub(super) exits: Option<String>,
    pub(super) chatter: usize,
    pub(super) forks: Option<u64>,
    pub(super) stays: bool,
    pub(super) stubborn: bool,
    pub(super) sse: bool,
    /// The session id; an empty one stands for a new one each time.
    pub(super) session: Option<String>,
    pub(super) expires: Option<usize>,
    pub(super) polls: bool,
    pub(super) kind: Option<String>,
    pub(super) status: Option<u16>,
    pub(super) bulk: bool,
}

impl Behaviour {
    /// The error is a sentence.
    pub(super) fn parse(words: &str) -> Result<Self, String> {
        let mut behaviour = Self::default();
        for word in words.split(',') {
            let (name, value) = match word.split_once(':') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            behaviour.set(name, value)?;
        }
        Ok(behaviour)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let text = value.map(str::to_owned);
        match name {
            "honest" => {}
            "name" => self.name = text,
            "version" => self.version = text,
            "modern" => self.modern = Some(number(value, Some(-32601))?),
            "tools" => self.tools = number(value, None)?,
            "schema" => self.schema = number(value, None)?,
            "pages" => self.pages = Some(number(value, None)?),
            "endless-pages" => self.endless_pages = true,
            "odd-names" => self.odd_names = true,
            "escapes" => self.escapes = true,
            "late" => self.late = Some(Duration::from_millis(number(value, None)?)),
            "meets" => self.meets = Some(number(value, None)?),
            "asks" => self.asks = true,
            "changes" => self.changes = true,
            "notify" => self.notify = number(value, None)?,
            "flood" => self.flood = true,
            "noise" => self.noise = true,
            "garbage" => self.garbage = true,
            "twice" => self.twice = true,
            "wrong-id" => self.wrong_id = true,
            "silent" => self.silent = Some(text.unwrap_or_default()),
            "long-line" => self.long_line = Some(number(value, Some(LONG_LINE))?),
            "exits" => self.exits = Some(text.unwrap_or_else(|| "initialize".to_owned())),
            "chatter" => self.chatter = number(value, Some(1))?,
            "forks" => self.forks = Some(number(value, None)?),
            "stays" => self.stays = true,
            "stubborn" => self.stubborn = true,
            "sse" => self.sse = true,
            "session" => self.session = Some(text.unwrap_or_default()),
            "expires" => self.expires = Some(number(value, None)?),
            "polls" => self.polls = true,
            "kind" => self.kind = text,
            "status" => self.status = Some(number(value, None)?),
            "bulk" => self.bulk = true,
            other => return Err(format!("{other:?} is not a behaviour of an MCP server")),
        }
        Ok(())
    }
}

fn number<T: FromStr>(value: Option<&str>, without: Option<T>) -> Result<T, String> {
    match value {
        Some(value) => value
            .parse()
            .map_err(|_| format!("{value:?} is not a valid number")),
        None => without.ok_or_else(|| "a number is missing".to_owned()),
    }
}
