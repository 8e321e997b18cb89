//! `codex run`: a prompt in, an answer out.

mod ask;
mod compare;
mod error;
mod keeping;
mod last_message;
mod out;
mod settings;
mod workshop;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{self, Receiver, Sender};

use super::authority;
use super::beside::{Beside, Lister, Mark};
use super::screen::Screen;
use super::watch::Watch;
use crate::agent::{self, End, Learned, Order, Run};
use crate::api::models::PATIENCE;
use crate::api::{self, Client};
use crate::auth::bounds::Bounds;
use crate::auth::critical::Critical;
use crate::auth::sign_in::Hook;
use crate::auth::{self, Authority, Chosen, Credential};
use crate::format::Format;
use crate::http::{self, Http};
use crate::id::AccountId;
use crate::models::Backend;
use crate::models::choice::Choice;
use crate::output::lines::Beginning;
use crate::output::paint::Paint;
use crate::secret::Secret;
use crate::session::Journal;
use crate::stdin;
use crate::tools::sandbox::confine;
use crate::tools::sandbox::reach::Reach;
use crate::wire::answer::Trouble;
use crate::wire::fault::{Cause, Fault};
use ask::{Look, bodies, instead, look, parts, prompt, show};
use compare::compare;
pub use error::Error;
use keeping::{check, keep};
use last_message::LastMessage;
use out::Out;
pub use settings::{Form, Keep, Settings};
use workshop::Workshop;

/// What the system offers to a run.
#[derive(Clone, Debug)]
pub struct Host {
    /// Who calls, and what lies between.
    pub setup: http::Setup,
    /// Ends the process at once, whatever else goes on, because this was ordered, and tells so in these colours.
    pub force: fn(Order, Paint),
    /// Says in words why an answer cannot be used.
    pub words: fn(&Trouble, Option<&api::Error>) -> String,
}

/// Asks the model and prints its answer.
///
/// # Errors
/// When there is no complete answer.
pub fn run(settings: Settings, host: Host) -> Result<(), Error> {
    let stdin = look(&settings);
    if stdin == Look::Never {
        settings
            .words
            .compose(&settings.files, None)
            .map_err(Error::Prompt)?;
    }
    let critical = Critical::default();
    let authority = checked(&settings, &host, &critical)?;
    let screen = Screen::default();
    let mut sink = Out::open(&settings, &screen)?;
    let last_message = prepared(&settings)?;
    let (sender, inputs) = mpsc::channel();
    let winding_up = Arc::new(AtomicBool::new(false));
    let watch = Watch {
        deadline: settings.deadline,
        winding_up: Arc::clone(&winding_up),
        critical,
        shown: screen.shared(),
        force: host.force,
        paint: settings.paint,
    };
    report_waits(&authority, sender.clone());
    let woken = watch.start(sender.clone()).map_err(Error::Thread)?;
    sink.warn(&settings.notes, &settings.warnings);
    let asked = prompt(&settings, stdin, woken.as_fd(), &mut sink);
    // The loop does not listen yet, and begins nothing that is not wanted any more.
    if let Ok(agent::Input::Order(order)) = inputs.try_recv() {
        return Err(Error::End(End::Ordered(order)));
    }
    let prompt = asked?;

    let mut kept = keep(&settings, &mut sink)?;
    let client = Client::new(
        Http::new(&host.setup, settings.silence),
        &settings.endpoints,
        authority.clone(),
        &kept.thread,
    );
    if settings.dry_run {
        return show(&settings, &prompt, &mut kept, &client, &host).map_err(Error::Output);
    }

    sink.begin(&Beginning {
        thread: kept.thread.as_str(),
        model: &settings.choice.model.id,
        cwd: &settings.tools.directory.to_string_lossy(),
        version: env!("CARGO_PKG_VERSION"),
    })
    .map_err(Error::Output)?;
    let parts = parts(&settings, &prompt);
    let beside = beside(&settings, &host, &authority);
    let client = match &beside {
        Some((_, marks)) => client.telling(marks.clone()),
        None => client,
    };
    let workshop = Workshop::open(settings.tools.clone(), settings.offered.clone())?;
    let functions = workshop.tools.functions();
    let (body, others) = bodies(&settings, &functions, &prompt, &mut kept);
    let instead = instead(&settings, &functions, &kept);
    let (mut learned, mut last) = (Learned::default(), None);
    let wants_last = settings.schema.is_some() || last_message.is_some();
    let run = Run {
        client,
        body,
        journal: kept
            .writer
            .as_mut()
            .map(|writer| writer as &mut dyn Journal),
        last: wants_last.then_some(&mut last),
        others,
        instead,
        learned: &mut learned,
        searches: settings.choice.searches,
        tools: Arc::clone(&workshop.tools),
        policy: settings.policy,
        words: host.words,
        sink: &mut sink,
        winding_up,
    };
    let end = agent::drive(run, &sender, &inputs);
    // An end that was ordered comes while a thread may still be renewing the sign-in.
    authority.settle();
    if let Some((beside, _)) = &beside {
        beside.end();
    }
    remember(&settings.choice, &learned);
    workshop.close(&mut sink);
    check(kept.writer.as_ref(), &mut sink);
    let late = prompt.given_up && stdin::came_late();
    let last = Last {
        message: last.unwrap_or_default(),
        schema: settings.schema,
        file: last_message,
    };
    match conclude(end, &mut sink, late, last, &inputs) {
        Err(Error::End(end)) if is_too_long(&end) => Err(Error::TooLong(end, parts)),
        concluded => concluded,
    }
}

/// Has the run's loop report what a renewal of the sign-in waits for.
fn report_waits(authority: &Authority, inputs: Sender<agent::Input>) {
    authority.on_wait(Hook::new(move |waiting| {
        let _ = inputs.send(agent::Input::Waits(waiting.delay(), waiting.to_string()));
    }));
}

/// Keeps the shape of requests that the service wants, for the next run.
fn remember(choice: &Choice, learned: &Learned) {
    if let Some(shape) = learned.shape {
        let model = learned.model.as_ref().unwrap_or(&choice.model.id);
        let _ = choice.cache.keep_shape(model, shape);
    }
}

/// The file of the last message, if there is to be one.
fn prepared(settings: &Settings) -> Result<Option<LastMessage>, Error> {
    match &settings.last_message {
        Some(path) if !settings.dry_run => {
            let walls = settings.tools.walls.as_ref();
            let reach = walls.filter(|walls| walls.write).map(Reach::of);
            LastMessage::prepare(path, settings.home.as_deref(), &reach.unwrap_or_default())
                .map(Some)
        }
        _ => Ok(None),
    }
    .map_err(Error::LastMessage)
}

/// The last message, and what is to become of it.
struct Last {
    message: String,
    schema: Option<Format>,
    file: Option<LastMessage>,
}

/// Delivers what is left, and tells how the run has ended.
fn conclude(
    end: End,
    sink: &mut Out,
    late: bool,
    last: Last,
    inputs: &Receiver<agent::Input>,
) -> Result<(), Error> {
    if last.schema.is_some() && matches!(end, End::Answered | End::ToolsFailed(_)) {
        sink.print(&last.message).map_err(Error::Output)?;
    }
    match (end, sink.finish()) {
        (End::Answered, Ok(())) if late => Err(Error::Late),
        (End::Answered, Ok(())) => {
            if let Some(schema) = &last.schema
                && let Some(unmatched) = compare(schema, &last.message, inputs)?
            {
                return Err(Error::Schema(unmatched));
            }
            if let Some(file) = last.file {
                file.write(&last.message).map_err(Error::LastMessage)?;
            }
            sink.completed().map_err(Error::Output)
        }
        (End::Answered, Err(error)) => Err(Error::Output(error)),
        (end, _) => Err(Error::End(end)),
    }
}

/// Who signs the requests, once it is known that they can be made and their calls be served.
fn checked(settings: &Settings, host: &Host, critical: &Critical) -> Result<Authority, Error> {
    let chosen = match auth::choose(&settings.found) {
        // A dry run shows what would be sent, also to those who have not signed in yet.
        Err(error) if error.is_missing() && settings.dry_run => Chosen::Fixed(placeholder()),
        other => other.map_err(Error::Credential)?,
    };
    let authority = authority(chosen, settings.keeper.clone(), &host.setup, critical)
        .ok_or(Error::Credential(auth::Error::Missing))?;
    if settings.dry_run {
        return Ok(authority);
    }
    if let Authority::SignIn(sign_in) = &authority {
        sign_in.check().map_err(Error::SignIn)?;
    }
    if let Some(walls) = &settings.tools.walls {
        confine::check(walls).map_err(Error::Walls)?;
    }
    Ok(authority)
}

/// Whether more was sent, or was to be sent, than the model takes in.
fn is_too_long(end: &End) -> bool {
    let of_context = |fault: &Fault| fault.cause == Cause::Context;
    match end {
        End::TooLong(..) => true,
        End::Refused(error, _) => matches!(&**error, api::Error::Fault(fault) if of_context(fault)),
        End::Trouble(trouble, ..) => {
            matches!(&**trouble, Trouble::Failed(fault) if of_context(fault))
        }
        _ => false,
    }
}

/// Asks for the subscription's list of models while the run goes on.
fn beside(
    settings: &Settings,
    host: &Host,
    authority: &Authority,
) -> Option<(Beside, Sender<Mark>)> {
    (settings.choice.backend == Backend::Subscription).then(|| {
        Beside::start(Lister {
            http: Http::new(&host.setup, settings.silence),
            endpoints: settings.endpoints.clone(),
            authority: authority.clone(),
            cache: settings.choice.cache.clone(),
            patience: PATIENCE,
        })
    })
}

/// What stands for a credential in a dry run without one. It is never sent.
fn placeholder() -> Credential {
    Credential::Token {
        access: Secret::new("***".to_owned()),
        account: AccountId::unknown(),
        bounds: Bounds::default(),
    }
}
