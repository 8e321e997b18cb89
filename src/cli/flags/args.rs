//! The parsed command line, not validated: every flag that was given, and its origin.

use std::ffi::OsString;
use std::path::PathBuf;

/// The parsed command line, not validated.
#[allow(clippy::struct_excessive_bools)] // one for each flag without a value
#[derive(Debug, Default)]
pub(crate) struct Args {
    /// The command is `run` or `exec`.
    pub(crate) is_run: bool,
    /// The command is `chat`.
    pub(crate) is_chat: bool,
    pub(crate) words: Vec<OsString>,
    /// Every flag that was given, with its origin.
    pub(crate) given: Vec<GivenFlag>,
    pub(crate) model: Option<OsString>,
    /// The models of a chat.
    pub(crate) models: Option<OsString>,
    pub(crate) effort: Option<OsString>,
    pub(crate) verbosity: Option<OsString>,
    pub(crate) summary: Option<OsString>,
    pub(crate) image: Vec<OsString>,
    pub(crate) file: Vec<OsString>,
    pub(crate) no_agents_md: bool,
    /// Settings of the official client.
    pub(crate) config: Vec<OsString>,
    /// Ignored flags of the official client.
    pub(crate) ignored: Vec<&'static str>,
    /// Notes about them, to be printed.
    pub(crate) notes: Vec<String>,
    /// The web search mode, if search is allowed.
    pub(crate) search: Option<OsString>,
    /// The official SDK is the caller: it would mistake a last line for the cause of a stop that it requested itself.
    pub(crate) of_sdk: bool,
    /// The first word follows --.
    pub(crate) ended_flags: bool,
    /// Overrides the address of the API.
    pub(crate) base_url: Option<String>,
    pub(crate) deltas: bool,
    pub(crate) output_schema: Option<OsString>,
    pub(crate) output_last_message: Option<OsString>,
    pub(crate) resume: Option<OsString>,
    pub(crate) last: bool,
    pub(crate) fork: Option<OsString>,
    pub(crate) ephemeral: bool,
    /// A stored conversation is continued, and nothing is stored.
    pub(crate) is_copy: bool,
    pub(crate) instructions: Option<OsString>,
    pub(crate) append_instructions: Vec<OsString>,
    pub(crate) directory: Option<OsString>,
    pub(crate) add_dir: Vec<OsString>,
    pub(crate) sandbox: Option<OsString>,
    pub(crate) network: bool,
    pub(crate) no_tmp: bool,
    pub(crate) env: Vec<OsString>,
    pub(crate) tools: Option<OsString>,
    pub(crate) no_tools: bool,
    pub(crate) tool: Vec<OsString>,
    pub(crate) fail_on: Option<OsString>,
    pub(crate) mcp: Vec<OsString>,
    pub(crate) mcp_tools: Vec<OsString>,
    pub(crate) no_mcp: bool,
    pub(crate) max_turns: Option<OsString>,
    pub(crate) max_tokens: Option<OsString>,
    pub(crate) max_tool_calls: Option<OsString>,
    pub(crate) max_cost: Option<OsString>,
    pub(crate) compact: Option<OsString>,
    pub(crate) fallback_model: Option<OsString>,
    pub(crate) config_file: Option<OsString>,
    pub(crate) input: Option<OsString>,
    pub(crate) timeout: Option<OsString>,
    pub(crate) turn_timeout: Option<OsString>,
    pub(crate) tool_timeout: Option<OsString>,
    pub(crate) idle_timeout: Option<OsString>,
    pub(crate) retries: Option<OsString>,
    pub(crate) wait_for_reset: Option<OsString>,
    pub(crate) buffer: bool,
    pub(crate) no_stdin: bool,
    pub(crate) dry_run: bool,
    pub(crate) api_key_file: Option<OsString>,
    pub(crate) auth_file: Option<OsString>,
    /// The credentials files that the configuration names, whether used or not.
    pub(crate) credential_files: Vec<PathBuf>,
    pub(crate) no_browser: bool,
    pub(crate) device_auth: bool,
    pub(crate) with_api_key: bool,
    pub(crate) with_access_token: bool,
    pub(crate) local: bool,
    pub(crate) all: bool,
    pub(crate) json: bool,
    pub(crate) limits: bool,
    pub(crate) check: bool,
    pub(crate) here: bool,
    pub(crate) limit: Option<OsString>,
    pub(crate) color: Option<OsString>,
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

/// A flag that was given.
#[derive(Clone, Debug)]
pub(crate) struct GivenFlag {
    pub(crate) long: &'static str,
    /// Its value; empty for a flag without one.
    pub(crate) value: OsString,
    pub(crate) origin: FlagOrigin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FlagOrigin {
    /// The command line.
    Flag,
    /// A place in `config.json`, as `FILE:LINE:COLUMN`.
    Config(String),
}

impl FlagOrigin {
    /// The flag of this long name in a message.
    pub(crate) fn named(&self, long: &str) -> String {
        match self {
            Self::Flag => format!("--{long}"),
            Self::Config(place) => format!("{long:?} in {place}"),
        }
    }
}

impl Args {
    /// The flag in a message, named so that the reader finds what to correct.
    pub(crate) fn named(&self, long: &str) -> String {
        self.origin(long).named(long)
    }

    /// The origin of the flag's effective value.
    pub(crate) fn origin(&self, long: &str) -> FlagOrigin {
        let given = self.given.iter().rev().find(|given| given.long == long);
        given.map_or(FlagOrigin::Flag, |given| given.origin.clone())
    }
}
