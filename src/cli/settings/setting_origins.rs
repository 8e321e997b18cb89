//! The origin of each value of a run, one line each, for `--dry-run -v`.

use super::endpoints::address;
use super::model::{ChosenModel, ModelOrigin};
use crate::auth::FoundCredential;
use crate::cli::flags::{Args, FlagOrigin, flags_of};
use crate::models::clamp::ClampedSettings;

/// One line for each value.
pub(super) fn lines(
    args: &Args,
    chosen: &ChosenModel,
    found: &[FoundCredential],
    clamped: &ClampedSettings,
    kept_effort: bool,
) -> Vec<String> {
    let choice = &chosen.choice;
    let model = &choice.model;
    let mut lines = vec![format!("model {}: from {}", model.id, chosen.origin)];
    lines.push(match found.first() {
        Some(found) => format!("credential: from {}", found.source),
        None => "credential: from none".to_owned(),
    });
    let address = address(choice.backend, &chosen.endpoints);
    lines.push(format!(
        "address {}: {}",
        address.as_str(),
        chosen.address_origin
    ));
    lines.push(format!(
        "shape {}: {}",
        choice.shape.name(),
        chosen.shape_origin
    ));
    let (effort, verbosity) = (args.effort.is_some(), args.verbosity.is_some());
    let sent = [
        ("effort", &clamped.effort, effort, kept_effort),
        ("verbosity", &clamped.verbosity, verbosity, false),
        ("summary", &clamped.summary, args.summary.is_some(), false),
    ];
    for (name, sent, given, kept) in sent {
        let origin = match (kept, given) {
            (true, _) => ModelOrigin::Conversation.to_string(),
            (_, true) => args.named(name),
            _ => "the list of models".to_owned(),
        };
        let line = sent
            .as_ref()
            .map(|sent| format!("{name} {sent}: from {origin}"));
        lines.extend(line);
    }
    for flag in flags_of("run") {
        if sent.iter().any(|(name, ..)| *name == flag.long) || flag.long == "model" {
            continue;
        }
        let given = args.given.iter().filter(|given| given.long == flag.long);
        for given in given {
            let value = given.value.to_string_lossy();
            let value = if value.is_empty() { "yes" } else { &*value };
            let from = match &given.origin {
                FlagOrigin::Flag => "the command line",
                FlagOrigin::Config(place) => place,
            };
            lines.push(format!("{} {value}: from {from}", flag.long));
        }
        let is_open = args.given.iter().all(|given| given.long != flag.long);
        if let (true, Some(value)) = (is_open, flag.default) {
            lines.push(format!("{} {value}: the default", flag.long));
        }
    }
    lines
}
