//! When a conversation is compacted (pure).

use crate::models::Model;

/// When a conversation is compacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CompactMode {
    /// When it nears the model's limit.
    #[default]
    Auto,
    /// Never.
    Off,
    /// When it has more than this many tokens.
    At(u64),
}

/// The share of the context window from which on a conversation is compacted, in percent, if the model has no limit of its own.
const WINDOW_PERCENT: u64 = 90;

impl CompactMode {
    /// Whether a conversation may be compacted.
    #[must_use]
    pub fn is_on(self) -> bool {
        self != Self::Off
    }

    /// The number of tokens above which a conversation with this model is compacted; `None` if that is unknown or never.
    #[must_use]
    pub fn limit(self, model: &Model) -> Option<u64> {
        match self {
            Self::Off => None,
            Self::At(tokens) => Some(tokens),
            Self::Auto => {
                let window = model.context.or(model.most_context);
                let share = window.map(|tokens| tokens.saturating_mul(WINDOW_PERCENT) / 100);
                model.compact_at.or(share)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_that_of_the_user_the_model_or_the_window() {
        let check = |mode: CompactMode, own: Option<u64>, window: Option<u64>, expected| {
            let model = Model {
                compact_at: own,
                context: window,
                ..Model::default()
            };
            assert_eq!(mode.limit(&model), expected, "{mode:?} {own:?} {window:?}");
        };
        check(CompactMode::Auto, None, None, None);
        check(CompactMode::Auto, None, Some(272_000), Some(244_800));
        check(
            CompactMode::Auto,
            Some(200_000),
            Some(272_000),
            Some(200_000),
        );
        check(CompactMode::At(7), Some(200_000), None, Some(7));
        check(CompactMode::Off, Some(200_000), Some(272_000), None);
    }
}
