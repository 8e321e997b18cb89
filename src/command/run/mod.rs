//! `codex run`: a prompt in, an answer out.

mod error;
mod last_message;
mod question;
mod run_output;
mod run_tools;
mod session_start;
mod settings;
mod validation;

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::authority;
use super::model_list_refresh::{ListEtag, ModelListRefresh, ModelLister};
use super::screen::Screen;
use super::stop_watch::StopWatch;
use crate::agent::{Control, Conversation, Learned, Reply, Stop, StopRequest, UserMessage};
use crate::api::models::LIST_TIMEOUT;
use crate::api::{Client, Preview};
use crate::auth::critical_section::Critical;
use crate::auth::{self, Authority};
use crate::format::OutputSchema;
use crate::http::{self, Http};
use crate::models::Backend;
use crate::models::choice::Choice;
use crate::output::json_lines::ThreadStarted;
use crate::output::paint::Paint;
use crate::session::Journal;
use crate::stdin;
use crate::tools::sandbox::confine;
use crate::tools::sandbox::writable_reach::WritableReach;
use crate::tools::toolbox::Toolbox;
use crate::wire::fault::Cause;
pub use error::Error;
use last_message::LastMessage;
use question::{Look, blueprint, look, parts, prompt, show};
use run_output::Out;
use run_tools::RunTools;
use session_start::{check, keep};
pub use settings::{Form, Keep, RunSettings};
use validation::compare;

/// What the system offers to a run.
#[derive(Clone, Debug)]
pub struct Host {
    /// Who calls, and what lies between.
    pub setup: http::HttpSetup,
    /// Ends the process at once, whatever else goes on, because this was ordered, and tells so in these colours.
    pub force: fn(StopRequest, Paint),
}

/// Asks the model and prints its answer.
///
/// # Errors
/// When there is no complete answer.
pub fn run(settings: RunSettings, host: Host) -> Result<(), Error> {
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
    let control = Control::new();
    let watch = StopWatch {
        deadline: settings.deadline,
        control: control.clone(),
        critical,
        shown: screen.shared(),
        force: host.force,
        paint: settings.paint,
    };
    let woken = watch.start().map_err(Error::Thread)?;
    sink.warn(&settings.notes, &settings.warnings);
    let asked = prompt(&settings, stdin, &control, woken.as_fd(), &mut sink);
    // Nothing is begun that is not wanted any more.
    if let Some(order) = control.stopped() {
        return Err(Error::Stop(Stop::Ordered(order)));
    }
    let prompt = asked?;
    let parts = parts(&settings, &prompt);
    let message = UserMessage {
        text: prompt.text,
        pictures: settings.pictures.clone(),
    };

    let mut kept = keep(&settings, &mut sink)?;
    if settings.dry_run {
        // No tool is made ready for that.
        let tools = Toolbox::new(settings.tools.clone(), settings.offered.clone());
        let blueprint = blueprint(&settings, &mut kept, Arc::new(tools));
        let credential = authority.map(|authority| authority.current());
        let body = blueprint.request(&message);
        let endpoints = &settings.endpoints;
        let preview = Preview::new(endpoints, credential.as_ref(), &kept.thread, body.shape());
        return show(&preview, &body, &host.setup.user_agent).map_err(Error::Output);
    }
    let authority = authority.ok_or(Error::Credential(auth::Error::Missing))?;

    sink.begin(&ThreadStarted {
        thread: kept.thread.as_str(),
        model: &settings.choice.model.id,
        cwd: &settings.tools.directory.to_string_lossy(),
        version: env!("CARGO_PKG_VERSION"),
    })
    .map_err(Error::Output)?;
    let http = Http::new(&host.setup, settings.silence);
    let client = Client::new(http, &settings.endpoints, authority.clone(), &kept.thread);
    let beside = beside(&settings, &host, &authority);
    let client = match &beside {
        Some((_, marks)) => client.with_etag_sender(marks.clone()),
        None => client,
    };
    let workshop = RunTools::open(settings.tools.clone(), settings.offered.clone())?;
    let blueprint = blueprint(&settings, &mut kept, Arc::clone(&workshop.tools));
    let writer = kept.writer.take();
    let journal = writer.map(|writer| Box::new(writer) as Box<dyn Journal + Send>);
    let mut conversation =
        Conversation::new(blueprint, client, settings.policy, journal, control.clone());
    let ended = conversation.ask(message, &mut sink);
    // A stop comes while a thread may still be renewing the sign-in.
    authority.settle();
    if let Some((beside, _)) = &beside {
        beside.end();
    }
    remember(&settings.choice, conversation.learned());
    workshop.close(&mut sink);
    check(
        conversation.journal().and_then(Journal::misplaced),
        &mut sink,
    );
    let last = Last {
        schema: settings.schema,
        file: last_message,
        fail_on_tool_error: settings.fail_on_tool_error,
        late: prompt.given_up && stdin::came_late(),
    };
    match conclude(ended, &mut sink, last, &control) {
        Err(Error::Stop(stop)) if is_too_long(&stop) => Err(Error::TooLong(stop, parts)),
        concluded => concluded,
    }
}

/// Keeps the shape of requests that the service wants, for the next run.
fn remember(choice: &Choice, learned: &Learned) {
    if let Some(shape) = learned.shape {
        let model = learned.model.as_ref().unwrap_or(&choice.model.id);
        let _ = choice.cache.keep_shape(model, shape);
    }
}

/// The file of the last message, if there is to be one.
fn prepared(settings: &RunSettings) -> Result<Option<LastMessage>, Error> {
    match &settings.last_message {
        Some(path) if !settings.dry_run => {
            let policy = settings.tools.policy.as_ref();
            let reach = policy.filter(|policy| policy.write).map(WritableReach::of);
            LastMessage::prepare(path, settings.home.as_deref(), &reach.unwrap_or_default())
                .map(Some)
        }
        _ => Ok(None),
    }
    .map_err(Error::LastMessage)
}

/// What is to become of the last message, and what may still make the run fail.
struct Last {
    schema: Option<OutputSchema>,
    file: Option<LastMessage>,
    fail_on_tool_error: bool,
    /// Standard input began after it had been given up.
    late: bool,
}

/// Delivers what is left, and says how the run has ended.
fn conclude(
    ended: Result<Reply, Stop>,
    sink: &mut Out,
    last: Last,
    control: &Control,
) -> Result<(), Error> {
    let reply = match ended {
        Ok(reply) => reply,
        Err(stop) => {
            // How the run stopped matters more than what cannot be written any more.
            let _ = sink.finish();
            return Err(Error::Stop(stop));
        }
    };
    if last.schema.is_some() {
        sink.print(&reply.message()).map_err(Error::Output)?;
    }
    let finished = sink.finish();
    if last.fail_on_tool_error && reply.failed_calls > 0 {
        return Err(Error::ToolsFailed(reply.failed_calls));
    }
    finished.map_err(Error::Output)?;
    if last.late {
        return Err(Error::Late);
    }
    if let Some(schema) = &last.schema
        && let Some(unmatched) = compare(schema, &reply.message(), control)?
    {
        return Err(Error::Schema(unmatched));
    }
    if let Some(file) = last.file {
        file.write(&reply.message()).map_err(Error::LastMessage)?;
    }
    sink.completed().map_err(Error::Output)
}

/// What signs the requests, once it is known that they can be made and their calls be served. A dry run shows what would
/// be sent, also to those who have not signed in yet.
fn checked(
    settings: &RunSettings,
    host: &Host,
    critical: &Critical,
) -> Result<Option<Authority>, Error> {
    let chosen = match auth::choose(&settings.found) {
        Err(error) if error.is_missing() && settings.dry_run => return Ok(None),
        other => other.map_err(Error::Credential)?,
    };
    let authority = authority(chosen, settings.keeper.clone(), &host.setup, critical)
        .ok_or(Error::Credential(auth::Error::Missing))?;
    if settings.dry_run {
        return Ok(Some(authority));
    }
    if let Authority::SignIn(sign_in) = &authority {
        sign_in.check().map_err(Error::SignIn)?;
    }
    if let Some(policy) = &settings.tools.policy {
        confine::check(policy).map_err(Error::Sandbox)?;
    }
    Ok(Some(authority))
}

/// Whether more was sent, or was to be sent, than the model takes in.
fn is_too_long(stop: &Stop) -> bool {
    match stop {
        Stop::TooLong { .. } => true,
        Stop::Unanswered { why, .. } => why
            .fault()
            .is_some_and(|fault| fault.cause == Cause::Context),
        _ => false,
    }
}

/// Asks for the subscription's list of models while the run goes on.
fn beside(
    settings: &RunSettings,
    host: &Host,
    authority: &Authority,
) -> Option<(ModelListRefresh, Sender<ListEtag>)> {
    (settings.choice.backend == Backend::Subscription).then(|| {
        ModelListRefresh::start(ModelLister {
            http: Http::new(&host.setup, settings.silence),
            endpoints: settings.endpoints.clone(),
            authority: authority.clone(),
            cache: settings.choice.cache.clone(),
            patience: LIST_TIMEOUT,
        })
    })
}
