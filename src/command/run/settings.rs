//! What a run is told.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::Keeper;
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
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;
use crate::wire::request::WebSearch;

/// Everything that a run is told, checked.
#[derive(Debug)]
pub struct RunSettings {
    /// The arguments of the prompt.
    pub words: PromptWords,
    /// Never look at standard input.
    pub no_stdin: bool,
    /// Files of text that go along with them.
    pub files: Vec<prompt::PromptFile>,
    /// Pictures that go along, as data URLs.
    pub pictures: Vec<String>,
    /// The service may search the web.
    pub search: Option<WebSearch>,
    /// The model to ask.
    pub choice: Choice,
    /// How it is to think and write.
    pub fitted: ClampedSettings,
    /// The model that is asked instead where the service does not have that one, and how that is to think and write.
    pub instead: Option<(Choice, ClampedSettings)>,
    /// Who it is to be.
    pub instructions: String,
    /// How tools are started.
    pub tools: ToolSetup,
    /// The tools to offer.
    pub offered: Vec<Tool>,
    /// Our own directory, if there is a place for one.
    pub home: Option<PathBuf>,
    /// What is done about storing the conversation.
    pub keep: Keep,
    /// How the answer is told.
    pub form: Form,
    /// What the last message must match.
    pub schema: Option<OutputSchema>,
    /// The file that gets the last message.
    pub last_message: Option<PathBuf>,
    /// What the run may do.
    pub policy: Policy,
    /// A call that failed makes the run fail, although the model has answered.
    pub fail_on_tool_error: bool,
    /// How long a connection may stay silent.
    pub silence: Duration,
    /// When the run's time is over.
    pub deadline: Option<Instant>,
    /// Print the request, send nothing.
    pub dry_run: bool,
    /// How much is told beside the answer.
    pub level: Level,
    /// The colours of what is told.
    pub paint: Paint,
    /// What turns on standard error while the run waits.
    pub spinner: Option<Frames>,
    /// The credentials that were found, in the order in which they count.
    pub found: Vec<FoundCredential>,
    /// Where a sign-in is kept.
    pub keeper: Option<Keeper>,
    /// What is to be told beside the answer only.
    pub notes: Vec<String>,
    /// What is to be told before anything is asked.
    pub warnings: Vec<String>,
    /// Where the two backends are.
    pub endpoints: Endpoints,
}

/// What is done about storing the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing is stored.
    Nothing,
    /// A new one is begun.
    New,
    /// This one is gone on with.
    Resume(String),
    /// The newest of this directory is gone on with.
    Last,
    /// A copy of this one is gone on with.
    Fork(String),
}

/// How the answer is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As text.
    Text,
    /// As JSON lines; with the text as it arrives, too.
    Lines {
        /// Text is told as it arrives, too.
        deltas: bool,
    },
}
