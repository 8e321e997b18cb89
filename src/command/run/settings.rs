//! The settings of a run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::SignInSource;
use super::model_switch::ModelSwitch;
use super::substitute_model::SubstituteModel;
use crate::agent::Policy;
use crate::api::Endpoints;
use crate::auth::FoundCredential;
use crate::format::OutputSchema;
use crate::models::choice::Choice;
use crate::models::clamp::ClampedSettings;
use crate::output::paint::Paint;
use crate::output::spinner::Frames;
use crate::output::text::Level;
use crate::prompt::{self, PromptWords};
use crate::tools::server::servers::ServerToStart;
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;
use crate::wire::request::WebSearch;

/// The validated settings of a run.
#[derive(Debug)]
pub struct RunSettings {
    /// Where the messages come from.
    pub input: RunInput,
    /// The choice of another model between turns, if there can be several.
    pub model_switch: Option<ModelSwitch>,
    /// The arguments of the prompt.
    pub words: PromptWords,
    /// Do not read standard input.
    pub no_stdin: bool,
    /// Attached text files.
    pub files: Vec<prompt::PromptFile>,
    /// Attached images, as data URLs.
    pub images: Vec<String>,
    /// Web search by the service.
    pub search: Option<WebSearch>,
    /// The model.
    pub choice: Choice,
    /// Its settings, clamped to what it accepts.
    pub clamped: ClampedSettings,
    /// The models to ask instead, in order.
    pub substitutes: Vec<SubstituteModel>,
    /// The instructions (system prompt).
    pub instructions: String,
    /// How tools are started.
    pub tools: ToolSetup,
    /// The tools to offer.
    pub offered: Vec<Tool>,
    /// The MCP servers to start.
    pub servers: Vec<ServerToStart>,
    /// The home directory of codex-run, if there is one.
    pub home: Option<PathBuf>,
    /// How the conversation is stored.
    pub session: SessionChoice,
    /// The format of standard output.
    pub form: Form,
    /// The schema that the last message must match.
    pub schema: Option<OutputSchema>,
    /// The file for the last message.
    pub last_message: Option<PathBuf>,
    /// Budget, retries and buffering.
    pub policy: Policy,
    /// A failed tool call makes the run fail, even if the model has answered.
    pub fail_on_tool_error: bool,
    /// The idle timeout for connections.
    pub idle_timeout: Duration,
    /// The deadline of the run (`--timeout`).
    pub deadline: Option<Instant>,
    /// Print the request and send nothing.
    pub dry_run: bool,
    /// The verbosity of diagnostics.
    pub level: Level,
    /// The colours of diagnostics.
    pub paint: Paint,
    /// The spinner on standard error, if any.
    pub spinner: Option<Frames>,
    /// The credentials that were found, in order of precedence.
    pub found: Vec<FoundCredential>,
    /// The credentials file and issuer of a sign-in.
    pub sign_in_source: Option<SignInSource>,
    /// Notes for standard error only.
    pub notes: Vec<String>,
    /// Warnings to report before the first request.
    pub warnings: Vec<String>,
    /// The addresses of the two backends.
    pub endpoints: Endpoints,
}

/// Where the messages of a run come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunInput {
    /// One message, composed of arguments, files and standard input.
    #[default]
    Prompt,
    /// Any number of messages, as JSON lines on standard input.
    Lines,
}

/// How the conversation is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChoice {
    /// It is not stored.
    Ephemeral,
    /// As a new conversation.
    New,
    /// Resume the conversation with this id.
    Resume(String),
    /// Resume the newest conversation of this directory.
    Last,
    /// Continue a copy of the conversation with this id.
    Fork(String),
    /// The same, and the copy is not stored.
    EphemeralFork(String),
}

/// The format of standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Text,
    /// JSON lines.
    Lines {
        /// Include text deltas as they arrive.
        deltas: bool,
    },
}
