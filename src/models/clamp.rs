//! Clamps the requested settings to what the model supports (pure). Adjustments are kept as values and reported in
//! one note.

use std::fmt;

use super::Model;

/// The effort levels in ascending order, also for flags and files.
pub const EFFORTS: &[&str] = &["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// The requested settings.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestedSettings<'a> {
    /// The reasoning effort.
    pub effort: Option<&'a str>,
    /// The reasoning summary.
    pub summary: Option<&'a str>,
    /// The verbosity.
    pub verbosity: Option<&'a str>,
    /// The number of images.
    pub images: usize,
    /// Whether to send the model's listed defaults for settings that were not requested.
    pub defaults: bool,
}

/// The settings to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClampedSettings {
    /// The reasoning effort.
    pub effort: Option<String>,
    /// The reasoning summary.
    pub summary: Option<String>,
    /// The verbosity.
    pub verbosity: Option<String>,
    /// The adjustments; `None` if there were none.
    pub adjusted: Option<Adjusted>,
}

impl ClampedSettings {
    /// Returns a note about the adjustments, for the user.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        self.adjusted.as_ref().map(ToString::to_string)
    }
}

/// The adjustments of a request to its model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// The model.
    pub model: String,
    /// The changes, at least one.
    pub changes: Vec<Adjustment>,
    /// The effort levels that the model supports, if known.
    pub efforts: Vec<String>,
}

/// A single adjustment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// The effort is replaced.
    EffortReplaced {
        /// The requested effort.
        asked: String,
        /// The effort that is sent.
        sent: String,
    },
    /// The effort is omitted.
    EffortOmitted(String),
    /// The summary is omitted.
    SummaryOmitted,
    /// The verbosity is omitted.
    VerbosityOmitted(String),
    /// The images are omitted; their number.
    ImagesOmitted(usize),
}

impl Adjustment {
    fn is_effort(&self) -> bool {
        matches!(self, Self::EffortReplaced { .. } | Self::EffortOmitted(_))
    }
}

impl fmt::Display for Adjusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes: Vec<String> = self.changes.iter().map(ToString::to_string).collect();
        write!(
            f,
            "{} does not support all requested settings: {}",
            self.model,
            changes.join(", ")
        )?;
        if self.changes.iter().any(Adjustment::is_effort) && !self.efforts.is_empty() {
            write!(f, " (it supports effort {})", self.efforts.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EffortReplaced { asked, sent } => {
                write!(f, "effort {asked} is replaced by {sent}")
            }
            Self::EffortOmitted(effort) => write!(f, "effort {effort} is omitted"),
            Self::SummaryOmitted => f.write_str("the summary is omitted"),
            Self::VerbosityOmitted(verbosity) => write!(f, "verbosity {verbosity} is omitted"),
            Self::ImagesOmitted(1) => f.write_str("the image is omitted"),
            Self::ImagesOmitted(several) => write!(f, "the {several} images are omitted"),
        }
    }
}

/// Clamps the requested settings to what the model supports.
#[must_use]
pub fn clamp(asked: &RequestedSettings<'_>, model: &Model) -> ClampedSettings {
    let mut changes = Vec::new();
    let effort = asked.effort.and_then(|effort| {
        let taken = nearest(effort, model);
        match taken {
            None => changes.push(Adjustment::EffortOmitted(effort.to_owned())),
            Some(taken) if taken != effort => changes.push(Adjustment::EffortReplaced {
                asked: effort.to_owned(),
                sent: taken.to_owned(),
            }),
            Some(_) => {}
        }
        taken.map(str::to_owned)
    });
    let own = |word: &Option<String>| word.clone().filter(|_| asked.defaults);
    let effort = effort.or_else(|| {
        let own = own(&model.effort).filter(|_| asked.effort.is_none())?;
        nearest(&own, model).map(str::to_owned)
    });
    let summary = asked.summary.filter(|summary| *summary != "none");
    let summary = summary.filter(|_| {
        let takes = !model.plain && !model.no_summary;
        if !takes {
            changes.push(Adjustment::SummaryOmitted);
        }
        takes
    });
    let verbosity = asked.verbosity.filter(|verbosity| {
        let takes = !model.no_verbosity;
        if !takes {
            changes.push(Adjustment::VerbosityOmitted((*verbosity).to_owned()));
        }
        takes
    });
    let verbosity = verbosity.map(str::to_owned);
    let verbosity = verbosity.or_else(|| own(&model.verbosity).filter(|_| !model.no_verbosity));
    if model.text_only && asked.images > 0 {
        changes.push(Adjustment::ImagesOmitted(asked.images));
    }
    let efforts = model.efforts.clone().filter(|_| !model.plain);
    let adjusted = (!changes.is_empty()).then(|| Adjusted {
        model: model.id.clone(),
        changes,
        efforts: efforts.unwrap_or_default(),
    });
    ClampedSettings {
        effort,
        summary: summary.map(str::to_owned),
        verbosity,
        adjusted,
    }
}

/// Returns the nearest supported level, the lower of two; the level itself if the supported ones are unknown; `None`
/// if the model supports none.
fn nearest<'a>(effort: &'a str, model: &'a Model) -> Option<&'a str> {
    if model.plain {
        return None;
    }
    let Some(efforts) = &model.efforts else {
        return Some(effort);
    };
    let place = |name: &str| EFFORTS.iter().position(|known| *known == name);
    let wanted = place(effort)?;
    let ranked = efforts.iter().filter_map(|name| Some((place(name)?, name)));
    let taken = ranked.min_by_key(|(at, _)| (at.abs_diff(wanted), *at));
    // Unknown levels cannot be compared.
    taken.map_or(Some(effort), |(_, name)| Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Backend, catalogue, find_or_unknown};

    fn model(id: &str) -> Model {
        let models = catalogue::of(Backend::Subscription);
        find_or_unknown(&models, id)
    }

    #[test]
    fn an_effort_becomes_the_nearest_supported_one() {
        let check = |id: &str, effort: &str, expected: &str| {
            let asked = RequestedSettings {
                effort: Some(effort),
                ..RequestedSettings::default()
            };
            let clamped = clamp(&asked, &model(id));
            assert_eq!(clamped.effort.as_deref(), Some(expected), "{id} {effort}");
            assert_eq!(
                clamped.note().is_some(),
                effort != expected,
                "{id} {effort}"
            );
        };
        check("gpt-5.5", "max", "xhigh");
        check("gpt-5.5", "none", "low");
        check("gpt-5.5", "high", "high");
        check("gpt-5.1", "xhigh", "high");
        check("gpt-5.1-codex-mini", "low", "medium");
        check("gpt-6.1-sol", "max", "max");
        check("nobody-knows", "max", "max");
    }

    #[test]
    fn listed_defaults_are_sent_for_settings_not_requested() {
        let check =
            |id: &str, defaults, effort: Option<&str>, sent: (Option<&str>, Option<&str>)| {
                let asked = RequestedSettings {
                    effort,
                    defaults,
                    ..RequestedSettings::default()
                };
                let clamped = clamp(&asked, &model(id));
                let found = (clamped.effort.as_deref(), clamped.verbosity.as_deref());
                assert_eq!(found, sent, "{id} {effort:?}");
                assert_eq!(clamped.note(), None, "{id}");
            };
        check("gpt-5.5", true, None, (Some("medium"), Some("low")));
        check(
            "gpt-6.1-sol",
            true,
            Some("high"),
            (Some("high"), Some("low")),
        );
        check(
            "gpt-daybreak-red-latest",
            true,
            None,
            (Some("medium"), Some("high")),
        );
        check("gpt-5.5", false, None, (None, None));
        check("nobody-knows", true, None, (None, None));
    }

    #[test]
    fn one_note_lists_all_adjustments() {
        let plain = Model {
            plain: true,
            text_only: true,
            no_verbosity: true,
            ..Model::unknown("small")
        };
        let asked = RequestedSettings {
            effort: Some("low"),
            summary: Some("auto"),
            verbosity: Some("high"),
            images: 2,
            defaults: true,
        };
        let clamped = clamp(&asked, &plain);
        assert_eq!(
            (&clamped.effort, &clamped.summary, &clamped.verbosity),
            (&None, &None, &None)
        );
        assert_eq!(
            clamped.note().as_deref(),
            Some(
                "small does not support all requested settings: effort low is omitted, the summary is omitted, \
                 verbosity high is omitted, the 2 images are omitted"
            )
        );
        let none = RequestedSettings {
            summary: Some("none"),
            ..RequestedSettings::default()
        };
        assert_eq!(clamp(&none, &plain), ClampedSettings::default());
        let max = RequestedSettings {
            effort: Some("max"),
            ..RequestedSettings::default()
        };
        assert_eq!(
            clamp(&max, &model("gpt-5.5")).note().as_deref(),
            Some(
                "gpt-5.5 does not support all requested settings: effort max is replaced by xhigh (it supports effort low, medium, \
                 high, xhigh)"
            )
        );
    }
}
