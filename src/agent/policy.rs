//! The budget, retries, time limit, buffering and compaction of a conversation.

use std::time::Duration;

use super::budget::Budget;
use super::compact_mode::CompactMode;

/// The budget, retries, time limit, buffering and compaction of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Limits on all turns together.
    pub budget: Budget,
    /// Maximum number of retries of a failed request.
    pub retries: usize,
    /// Longest wait for the end of a usage limit; `None` fails immediately.
    pub wait_for_reset: Option<Duration>,
    /// How long a turn may take; `None` if there is no limit.
    pub turn_timeout: Option<Duration>,
    /// Report the text of an answer only once the answer is complete. A finished message does not make it complete: if the
    /// answer breaks off after a message and before a call, it is requested again.
    pub buffer: bool,
    /// When the conversation is compacted.
    pub compact: CompactMode,
}

/// No budget, five retries, no wait for the end of a usage limit, no time limit, answers reported as they arrive, and compaction
/// near the model's limit.
impl Default for Policy {
    fn default() -> Self {
        Self {
            budget: Budget::default(),
            retries: 5,
            wait_for_reset: None,
            turn_timeout: None,
            buffer: false,
            compact: CompactMode::Auto,
        }
    }
}
