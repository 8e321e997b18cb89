//! The prompt, composed of arguments, files and standard input, and the conversation that it is sent in.

use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use super::super::stdout::Stdout;
use super::error::Error;
use super::session_start::StartedSession;
use super::settings::RunSettings;
use crate::agent::{Blueprint, Control, Profile, Stop};
use crate::api::Preview;
use crate::failure::RunWarning;
use crate::models::choice::Choice;
use crate::models::clamp::ClampedSettings;
use crate::output::{Notice, Sink};
use crate::stdin::{self, InputText, StdinKind};
use crate::tools::toolbox::Toolbox;
use crate::wire::input::quoted;
use crate::wire::request::{RequestBody, estimate};

/// Whether standard input is part of the prompt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StdinUse {
    /// It is not read.
    Never,
    /// It is read if it has data.
    Offered,
    /// The user requested it.
    Requested,
}

/// Whether standard input is part of the prompt.
pub(super) fn stdin_use(settings: &RunSettings) -> StdinUse {
    if settings.no_stdin {
        StdinUse::Never
    } else if settings.words.want_stdin() {
        StdinUse::Requested
    } else if stdin::source() == StdinKind::Data {
        StdinUse::Offered
    } else {
        StdinUse::Never
    }
}

/// The prompt.
pub(super) struct Prompt {
    pub(super) text: String,
    /// The run stopped waiting for standard input.
    pub(super) given_up: bool,
    /// Number of bytes from standard input.
    stdin: usize,
}

/// Composes the prompt. The wait for standard input ends when `end` becomes readable.
pub(super) fn prompt(
    settings: &RunSettings,
    stdin_use: StdinUse,
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
    if stdin_use == StdinUse::Never {
        return compose(None, false);
    }
    let requested = stdin_use == StdinUse::Requested;
    let mut warn = |warning: RunWarning| drop(sink.take(Notice::Warning(&warning)));
    let terminal = stdin::source() == StdinKind::Terminal;
    match stdin::read(requested, Some(end), || {
        warn(RunWarning::StdinAwaited { terminal })
    })
    .map_err(Error::Stdin)?
    {
        // Only a stop request makes `end` readable.
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

/// The profile of the chosen model.
pub(in crate::command) fn profile(
    settings: &RunSettings,
    choice: &Choice,
    clamped: &ClampedSettings,
) -> Profile {
    Profile {
        search: settings.search,
        format: settings.schema.clone(),
        ..Profile::new(choice, clamped, &settings.instructions)
    }
}

/// The initial state of the conversation.
pub(super) fn blueprint(
    settings: &RunSettings,
    session: &mut StartedSession,
    tools: Arc<Toolbox>,
) -> Blueprint {
    Blueprint {
        thread: session.thread.clone(),
        profile: Profile {
            effort: session.effort.clone(),
            ..profile(settings, &settings.choice, &settings.clamped)
        },
        substitutes: Vec::new(),
        effort: settings
            .clamped
            .effort
            .clone()
            .or_else(|| session.effort.clone()),
        searches: settings.choice.searches,
        items: std::mem::take(&mut session.items),
        compactions: std::mem::take(&mut session.compactions),
        length: session.length,
        tools,
    }
}

/// The parts of the prompt with their estimated tokens, largest first.
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
    let file_bytes: usize = settings.files.iter().map(|file| file.text.len()).sum();
    let argument_bytes = prompt.text.len().saturating_sub(prompt.stdin + file_bytes);
    parts.push(("the arguments".to_owned(), estimate(argument_bytes)));
    parts.sort_by_key(|(_, tokens)| std::cmp::Reverse(*tokens));
    parts
}

/// Prints the request with its exact body; secrets appear as `***`.
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
    let mut out = Stdout::open()?;
    out.print(&text)?;
    out.print(&String::from_utf8_lossy(body.bytes()))?;
    out.print("\n}\n")
}
