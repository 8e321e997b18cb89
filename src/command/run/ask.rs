//! What is asked: the prompt from arguments, files and standard input, and the request that carries it.

use std::io;
use std::os::fd::BorrowedFd;

use super::super::stdout::Stdout;
use super::error::Error;
use super::keeping::Kept;
use super::settings::Settings;
use crate::agent::{Instead, Other};
use crate::api::Client;
use crate::format::Format;
use crate::models::choice::Choice;
use crate::models::fit::Fitted;
use crate::output::{Notice, Sink};
use crate::session::Journal;
use crate::stdin::{self, Input, Source};
use crate::tools::offer::Offer;
use crate::wire::input::{effort_change, quoted};
use crate::wire::request::{Body, Function, Head, Shape, estimate};

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
pub(super) fn look(settings: &Settings) -> Look {
    if settings.no_stdin {
        Look::Never
    } else if settings.words.want_stdin() {
        Look::Asked
    } else if stdin::source() == Source::Data {
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
    settings: &Settings,
    look: Look,
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
    let mut say = |words: &str| drop(sink.take(Notice::Warning(words)));
    let waiting = match stdin::source() {
        Source::Terminal => {
            "waiting for the prompt on standard input; end it with Ctrl-D on a line of its own"
        }
        _ => "waiting for the end of standard input",
    };
    match stdin::read(asked, Some(end), || say(waiting)).map_err(Error::Stdin)? {
        // Only an order ends it, and that is told instead.
        Input::Ended => Err(Error::End(crate::agent::End::Panicked)),
        Input::Whole(bytes) => compose(Some(&bytes), false),
        Input::GivenUp => {
            say(
                "standard input gave nothing within 3 s, so the run goes on without it; --no-stdin saves the wait",
            );
            compose(None, true)
        }
    }
}

/// Bodies without an item for this model, in the shapes in which it may be asked.
fn heads(
    settings: &Settings,
    choice: &Choice,
    fitted: &Fitted,
    effort: Option<&str>,
    kept: &Kept,
) -> Vec<Body> {
    let functions: Vec<Function<'_>> = settings.tools.offered.iter().map(Offer::function).collect();
    let head = |shape: Shape| Head {
        shape,
        model: &choice.model.id,
        instructions: &settings.instructions,
        tools: &functions,
        developer: choice.backend.is_of_openai(),
        search: settings.search,
        parallel: !choice.model.one_call,
        reasons: !choice.model.plain,
        effort,
        summary: fitted.summary.as_deref(),
        verbosity: fitted.verbosity.as_deref(),
        max_output: choice.max_output,
        pictures: choice.model.pictures(),
        cache_key: kept.thread.as_str(),
        format: settings.schema.as_ref().map(Format::json),
    };
    let shapes = [choice.shape].into_iter().chain(choice.others.clone());
    shapes.map(|shape| Body::new(&head(shape))).collect()
}

/// What is asked where the service does not have the model that nobody has named.
pub(super) fn instead(settings: &Settings, kept: &Kept) -> Option<Instead> {
    let (choice, fitted) = settings.instead.as_ref()?;
    let effort = fitted.effort.as_deref();
    let mut others = heads(settings, choice, fitted, effort, kept);
    Some(Instead {
        body: others.remove(0),
        others,
        other: Other {
            model: choice.model.id.clone(),
            effort: fitted.effort.clone(),
            note: fitted.note(),
            window: choice.model.window(),
            price: choice.model.price,
        },
    })
}

/// The first request; and those without an item in the other shapes that may be tried.
pub(super) fn bodies(settings: &Settings, prompt: &Prompt, kept: &mut Kept) -> (Body, Vec<Body>) {
    let effort = kept.effort.head.as_deref();
    let mut others = heads(settings, &settings.choice, &settings.fitted, effort, kept);
    let mut body = others.remove(0);
    for item in &kept.items {
        body.push_stored(item);
    }
    if let Some(effort) = &kept.effort.change {
        let item = effort_change(effort);
        body.push(&item);
        if let Some(writer) = &mut kept.writer {
            writer.item(&item);
        }
    }
    let item = body.push_message(&prompt.text, &settings.pictures);
    if let Some(writer) = &mut kept.writer {
        writer.item(&item);
    }
    (body, others)
}

/// The parts of what is asked, about how many tokens each has, the longest first.
pub(super) fn parts(settings: &Settings, prompt: &Prompt) -> Vec<(String, u64)> {
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
pub(super) fn show(client: &Client, body: &Body, user_agent: &str) -> io::Result<()> {
    let mut text = format!(
        "{{\n  \"method\": \"POST\",\n  \"url\": {},\n  \"headers\": {{\n",
        quoted(&client.url())
    );
    if client.is_signed() {
        text.push_str("    \"authorization\": \"Bearer ***\",\n");
    }
    text.push_str("    \"content-type\": \"application/json\",\n");
    for (name, value) in client.headers(body.shape()) {
        let value = if name == "chatgpt-account-id" {
            "***"
        } else {
            &value
        };
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
