//! The settings of a chat.

use std::ffi::OsString;
use std::fmt;

use super::super::login::LoginSettings;
use super::super::run::RunSettings;
use crate::chat::event::ModelEntry;
use crate::failure::{Failure, Used};

/// The validated settings of a chat.
pub struct ChatSettings {
    /// The settings of its first conversation.
    pub run: RunSettings,
    /// The credential of that conversation, for its failures.
    pub(crate) used: Option<Used>,
    /// Reads the settings again, for the credentials that are there now.
    pub(crate) reread: Box<Reread>,
    /// The first question, if it is given as arguments.
    pub first: Option<String>,
    /// The models to go through.
    pub models: Vec<ModelEntry>,
    /// The sandbox mode, as it is given to `-s`.
    pub sandbox: &'static str,
    /// Whether tools can use the network.
    pub network: bool,
    /// The working directory as it is shown.
    pub directory: String,
    /// The sign-in on the screen, or why there can be none.
    pub login: Result<LoginSettings, Failure>,
    /// The terminal can move its cursor: `TERM` is set, and not to `dumb`.
    pub has_screen: bool,
    /// Whether colours are used.
    pub colors: bool,
    /// The user's programs.
    pub programs: UserPrograms,
}

/// The pager and the editor of the user.
#[derive(Clone, Debug)]
pub struct UserPrograms {
    /// As a shell runs it.
    pub pager: OsString,
    /// As a shell runs it.
    pub editor: OsString,
    /// Variables with secrets, which these programs do not get.
    pub secrets: Vec<OsString>,
}

/// Reads the settings of a conversation again.
pub(crate) type Reread = dyn Fn() -> Result<(RunSettings, Option<Used>), Failure> + Send;

impl fmt::Debug for ChatSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatSettings")
            .field("run", &self.run)
            .field("first", &self.first)
            .finish_non_exhaustive()
    }
}
