//! What happens to the screen, and what the screen asks for. Both are values: `ChatState::step` takes a `ChatEvent` and returns
//! `Effect`s, and `command/chat` carries them out.

use super::key::Input;
use crate::result::CallResult;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum ChatEvent {
    /// The user typed or pasted.
    Input(Input),
    /// The terminal has this size now.
    Resized(Size),
    /// The running turn reported something.
    Turn(TurnEvent),
    /// The turn ended.
    TurnEnded(TurnEnd),
    /// The conversation is a different one now: at the start, and after `/resume`, `/fork` and `/new`.
    Opened(OpenedConversation),
    /// The stored conversations, as requested by `Effect::ListSessions`, last used first.
    Sessions(Vec<SessionEntry>),
    /// The model or its effort was changed, as requested by `Effect::SetModel`.
    ModelChanged {
        entry: ModelEntry,
        effort: Option<String>,
        /// How the request was clamped, if it was.
        note: Option<String>,
        /// The service has not listed the model, or has no list.
        unlisted: bool,
    },
    /// The steps of a sign-in on the screen.
    SignIn(SignInEvent),
    /// The text as it was saved in the editor, after `Effect::EditQuestion`.
    Edited(String),
    /// A message for the user, such as why an effect failed.
    Notice(NoticeLevel, String),
    /// The time, in seconds since the start. Sent once a second while a turn runs, and never while nothing happens.
    Clock(u64),
}

/// The size of the terminal, in cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// What a running turn reports.
#[derive(Clone, Debug)]
pub enum TurnEvent {
    /// The turn began, with this message of the user.
    Started { text: String, images: usize },
    /// A queued steering message was sent with the next request.
    Steered { text: String },
    /// More text of the current message of the model.
    Text(String),
    /// The current message has ended.
    MessageEnd,
    /// The model's summary of its reasoning.
    Summary(String),
    /// The service searched the web for this.
    Searched(String),
    /// A tool call started.
    ToolStarted(ToolCall),
    /// The running tool call with this id has printed something: the last part of its output so far.
    ToolPrinted { id: String, tail: String },
    /// The tool call with this id ended.
    ToolEnded {
        id: String,
        result: Box<CallResult>,
        took_ms: u64,
    },
    /// The run waits: for a retry, for the sign-in, for the reset of a usage limit. Ends with the next event.
    Waiting(String),
    /// A note, a warning, or an error.
    Notice(NoticeLevel, String),
    /// Tokens in the model's context after the last request, and the cost of the conversation in US dollars.
    Usage { context: u64, cost: Option<f64> },
    /// The windows of the plan's usage limits.
    Limits(Vec<UsageWindow>),
}

/// A tool call that started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// What the call is about.
    pub subject: ToolSubject,
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolSubject {
    /// Runs this command.
    Command(String),
    /// Changes a file: the lines that it removes and those that it adds.
    Change {
        path: String,
        removed: String,
        added: String,
    },
    /// Anything else: its arguments as one line.
    Other(String),
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TurnEnd {
    /// The answer is complete.
    Completed,
    /// The user interrupted it; what was said is kept.
    Interrupted,
    /// It failed.
    Failed {
        /// What happened and why.
        what: String,
        /// What to do.
        hint: Option<String>,
        /// Set if the credential is missing or was refused: the message becomes the first of the queue.
        credential: Option<CredentialRemedy>,
    },
}

/// What helps if the credential is missing or was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialRemedy {
    /// A sign-in, here or elsewhere.
    SignIn,
    /// Another key or token in its place, as the hint of the failure says: it would come before a sign-in.
    Replace,
}

/// How important a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeLevel {
    Note,
    Warning,
    Error,
}

/// A window of the plan's usage limits.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageWindow {
    pub name: String,
    pub used_percent: f64,
    /// When it resets, as text in local time.
    pub resets: Option<String>,
}

/// The conversation that is open.
#[derive(Clone, Debug, Default)]
pub struct OpenedConversation {
    /// Its id, if it is stored.
    pub id: Option<String>,
    /// What was said in it so far.
    pub said: Vec<Said>,
}

/// A message of a stored conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    User(String),
    Model(String),
    /// A tool call, and its output as the model saw it.
    Tool {
        call: ToolCall,
        output: String,
    },
}

/// A stored conversation in the list of `/resume`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEntry {
    pub id: String,
    /// When it was last used, as text in local time.
    pub used: String,
    pub model: String,
    /// The beginning of its first message.
    pub first: String,
}

/// A step of a sign-in on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInEvent {
    /// Open this address and enter this code.
    Code { address: String, code: String },
    /// It succeeded.
    Done { account: String },
    /// It failed or was cancelled.
    Failed(String),
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Begin a turn with this message.
    Ask(String),
    /// Compact the conversation.
    Compact,
    /// Queue this message for the running turn.
    Steer(String),
    /// Stop the running turn. A second one ends the grace period of its tools.
    Interrupt,
    /// Use this model and effort from the next turn on.
    SetModel {
        model: String,
        effort: Option<String>,
    },
    /// List the stored conversations.
    ListSessions,
    /// Open the stored conversation with this id.
    Resume(String),
    /// Continue a copy of the stored conversation with this id, or else of the current one.
    Fork(Option<String>),
    /// Begin a new conversation.
    New,
    /// Sign in with a device code.
    SignIn,
    /// Cancel the sign-in.
    CancelSignIn,
    /// Put this text on the clipboard of the terminal (OSC 52).
    Copy(String),
    /// Show this transcript in `$PAGER`.
    Page(String),
    /// Edit this question in `$EDITOR`.
    EditQuestion(String),
    /// Add this to the input history.
    Remember(String),
    /// Suspend the process, as Ctrl+Z does elsewhere.
    Suspend,
    /// Leave.
    Quit,
}

/// A model that the credential can use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelEntry {
    pub id: String,
    /// The effort levels that it accepts, lowest first.
    pub efforts: Vec<String>,
    /// Its default effort, or the one given with `--models id:effort`.
    pub effort: Option<String>,
    /// Its context window, in tokens.
    pub window: Option<u64>,
}

/// What the screen shows all the time, besides what the events bring.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The models to cycle through.
    pub models: Vec<ModelEntry>,
    /// The model in use.
    pub model: ModelEntry,
    /// The effort that was chosen for it, if any.
    pub effort: Option<String>,
    /// The sandbox mode: `read-only`, `workspace-write` or `danger-full-access`.
    pub sandbox: String,
    /// Whether tools can use the network.
    pub network: bool,
    /// The working directory, with `~` for the home directory.
    pub directory: String,
    /// Earlier questions of this directory, oldest first.
    pub history: Vec<String>,
    /// No credential was found: the screen shows how to sign in.
    pub signed_out: bool,
    /// Whether colours are used.
    pub colors: bool,
}
