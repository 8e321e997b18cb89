//! Where each value of a run comes from, for `--dry-run -v`: one line for each, as far as there is something to say.

use super::choosing::Choosing;
use super::resuming;
use crate::cli::environment::Environment;
use crate::cli::flags::{Args, Origin, flags_of};
use crate::models::Backend;
use crate::models::fit::Fitted;

/// The lines.
pub(super) fn lines(
    args: &Args,
    environment: &Environment,
    chosen: &Choosing,
    fitted: &Fitted,
    kept_effort: bool,
) -> Vec<String> {
    let choice = &chosen.choice;
    let model = &choice.model;
    let mut lines = vec![format!("model {}: from {}", model.id, chosen.origin)];
    lines.push(match chosen.found.first() {
        Some(found) => format!("credential: from {}", found.source),
        None => "credential: from none".to_owned(),
    });
    lines.push(address(chosen, environment));
    lines.push(format!(
        "shape {}: {}",
        choice.shape.name(),
        chosen.shape_origin
    ));
    let (effort, verbosity) = (args.effort.is_some(), args.verbosity.is_some());
    let sent = [
        ("effort", &fitted.effort, effort, kept_effort),
        ("verbosity", &fitted.verbosity, verbosity, false),
        ("summary", &fitted.summary, args.summary.is_some(), false),
    ];
    for (name, sent, given, kept) in sent {
        let origin = match (kept, given) {
            (true, _) => resuming::ORIGIN.to_owned(),
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
                Origin::Flag => "the command line",
                Origin::Config(place) => place,
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

/// Where requests go.
fn address(chosen: &Choosing, environment: &Environment) -> String {
    let (variable, address) = match chosen.choice.backend {
        Backend::Subscription => ("CODEX_RUN_BASE_URL", &chosen.endpoints.subscription),
        Backend::Api | Backend::Other => ("OPENAI_BASE_URL", &chosen.endpoints.api),
    };
    let named = environment
        .get(variable)
        .is_some_and(|value| value.to_string_lossy().trim_end_matches('/') == address.as_str());
    let origin = match (named, chosen.choice.backend) {
        (true, _) => format!("from {variable}"),
        (false, Backend::Other) => "from models.json".to_owned(),
        (false, _) => "the default".to_owned(),
    };
    format!("address {}: {origin}", address.as_str())
}
