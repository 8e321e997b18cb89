//! What the threads of a chat ask the engine for.

/// What the engine is asked to do.
#[derive(Debug)]
pub(super) enum EngineCommand {
    /// Ask this.
    Ask(String),
    /// Compact the conversation.
    Compact,
    /// Use this model and effort from now on.
    SetModel {
        model: String,
        effort: Option<String>,
    },
    /// Open the stored conversation with this id.
    Resume(String),
    /// Continue a copy of the stored conversation with this id, or else of the current one.
    Fork(Option<String>),
    /// Begin a new conversation.
    New,
    /// Use the credential that was stored in the meantime.
    SignedIn,
    /// Close the conversation and end.
    Close,
}
