//! What is asked: the prompt from arguments, files and standard input, and the request that carries it.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::super::stdout::Stdout;
use super::error::Error;
use super::session_start::StartedSession;
use super::settings::RunSettings;
use crate::agent::{Blueprint, Control, Profile, Stop, Substitute};
use crate::api::Preview;
use crate::failure::RunWarning;
use crate::models::choice::Choice;
use crate::models::clamp::ClampedSettings;
use crate::output::{Notice, Sink};
use crate::stdin::{self, InputText, StdinKind};
use crate::tools::toolbox::Toolbox;
use crate::wire::input::quoted;
use crate::wire::request::{RequestBody, estimate};

/// How standard input is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Not at all.
    Never,
    /// It may have something to add.
    Offered,
    /// The user asked for it.
    Asked,
}

/// How standard input is to be looked at.
pub(super) fn look(settings: &RunSettings) -> Look {
    if settings.no_stdin {
        Look::Never
    } else if settings.words.want_stdin() {
        Look::Asked
    } else if stdin::source() == StdinKind::Data {
        Look::Offered
    } else {
        Look::Never
    }
}

/// The prompt.
pub(super) struct Prompt {
    pub(super) text: String,
    /// Standard input was given up.
    pub(super) given_up: bool,
    /// How many bytes came from standard input.
    stdin: usize,
}

/// Puts the prompt together. `end` ends the waiting for standard input.
pub(super) fn prompt(
    settings: &RunSettings,
    look: Look,
    control: &Control,
    end: BorrowedFd<'_>,
    sink: &mut dyn Sink,
) -> Result<Prompt, Error> {
    let compose = |input: Option<&[u8]>, given_up| {
        let text = settings.words.compose(&settings.files, input);
        Ok(Prompt {
            text: text.map_err(Error::Prompt)?,
            given_up,
            stdin: input.map_or(0, <[u8]>::len),
        })
    };
    if look == Look::Never {
        return compose(None, false);
    }
    let asked = look == Look::Asked;
    let mut warn = |warning: RunWarning| drop(sink.take(Notice::Warning(&warning)));
    let terminal = stdin::source() == StdinKind::Terminal;
    match stdin::read(asked, Some(end), || {
        warn(RunWarning::StdinAwaited { terminal })
    })
    .map_err(Error::Stdin)?
    {
        // Nothing but a stop request ends it.
        InputText::Ended => {
            let stop = control.stopped().map_or(Stop::Panicked, Stop::Ordered);
            Err(Error::Stop(stop))
        }
        InputText::Whole(bytes) => compose(Some(&bytes), false),
        InputText::GivenUp => {
            warn(RunWarning::StdinGivenUp);
            compose(None, true)
        }
    }
}

/// How the model that was chosen is asked.
fn profile(settings: &RunSettings, choice: &Choice, fitted: &ClampedSettings) -> Profile {
    Profile {
        search: settings.search,
        format: settings.schema.clone(),
        ..Profile::new(choice, fitted, &settings.instructions)
    }
}

/// What the conversation begins with.
pub(super) fn blueprint(
    settings: &RunSettings,
    kept: &mut StartedSession,
    tools: Arc<Toolbox>,
) -> Blueprint {
    let substitute = settings.instead.as_ref();
    Blueprint {
        thread: kept.thread.clone(),
        profile: Profile {
            effort: kept.effort.clone(),
            ..profile(settings, &settings.choice, &settings.fitted)
        },
        substitute: substitute.map(|(choice, fitted)| Substitute {
            profile: profile(settings, choice, fitted),
            note: fitted.note(),
        }),
        searches: settings.choice.searches,
        items: std::mem::take(&mut kept.items),
        tools,
    }
}

/// The parts of what is asked, about how many tokens each has, the longest first.
pub(super) fn parts(settings: &RunSettings, prompt: &Prompt) -> Vec<(String, u64)> {
    let files = settings.files.iter();
    let mut parts: Vec<(String, u64)> = files
        .map(|file| (file.path.clone(), estimate(file.text.len())))
        .collect();
    parts.push(("standard input".to_owned(), estimate(prompt.stdin)));
    parts.push((
        "the instructions".to_owned(),
        estimate(settings.instructions.len()),
    ));
    let of_files: usize = settings.files.iter().map(|file| file.text.len()).sum();
    let words = prompt.text.len().saturating_sub(prompt.stdin + of_files);
    parts.push(("the arguments".to_owned(), estimate(words)));
    parts.sort_by_key(|(_, tokens)| std::cmp::Reverse(*tokens));
    parts
}

/// Prints the request, its body to the byte, with `***` for what is secret.
pub(super) fn show(preview: &Preview, body: &RequestBody, user_agent: &str) -> io::Result<()> {
    let mut text = format!(
        "{{\n  \"method\": \"POST\",\n  \"url\": {},\n  \"headers\": {{\n",
        quoted(&preview.url)
    );
    for (name, value) in &preview.headers {
        text.push_str(&format!("    {}: {},\n", quoted(name), quoted(value)));
    }
    text.push_str(&format!(
        "    \"user-agent\": {}\n  }},\n  \"body\": ",
        quoted(user_agent)
    ));
    text.push_str(&String::from_utf8_lossy(body.bytes()));
    text.push_str("\n}\n");
    Stdout::open()?.print(&text)
}
