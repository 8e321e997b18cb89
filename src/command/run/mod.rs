//! `codex run`: sends a prompt and prints the answer.

mod error;
mod host;
mod last_message;
mod model_switch;
mod open;
mod question;
mod run_output;
mod run_tools;
pub(super) mod server_notes;
mod session_start;
mod settings;
mod substitute_model;
mod substitutes;
mod turns;
mod validation;

use std::os::fd::AsFd;
use std::sync::Arc;

use super::authority;
use super::screen::DrawnSpinner;
use super::stop_watch::StopWatch;
use crate::agent::{Control, Reply, Stop, UserMessage};
use crate::api::Preview;
use crate::auth::critical_section::Critical;
use crate::auth::{self, Authority, Credential};
use crate::format::OutputSchema;
use crate::outcome::Outcome;
use crate::stdin;
use crate::tools::sandbox::confine;
use crate::tools::sandbox::writable_reach::WritableReach;
use crate::tools::toolbox::Toolbox;
use crate::wire::fault::Cause;
pub use error::Error;
pub use host::Host;
use last_message::LastMessage;
pub use model_switch::{ModelSwitch, SwitchedModel};
pub(in crate::command) use open::{OpenConversation, switch_model};
use question::{StdinUse, blueprint, first_request, parts, prompt, show, stdin_use};
use run_output::RunOutput;
pub(in crate::command) use run_tools::StartingTools;
use session_start::StartedSession;
pub(in crate::command) use session_start::start_session;
pub use settings::{Form, RunInput, RunSettings, SessionChoice};
pub use substitute_model::{OtherService, SubstituteModel};
use validation::validate;

/// Sends the prompt and prints the answer, or runs the turns that standard input requests. Returns the outcome; one that is not
/// `Answered` has been reported.
///
/// # Errors
/// If there is no complete answer.
pub fn run(settings: RunSettings, host: Host) -> Result<Outcome, Error> {
    let stdin = stdin_use(&settings);
    if settings.input == RunInput::Prompt && stdin == StdinUse::Never {
        settings
            .words
            .compose(&settings.files, None)
            .map_err(Error::Prompt)?;
    }
    let critical = Critical::default();
    let authority = check_access(&settings, &host, &critical)?;
    let screen = DrawnSpinner::new();
    let mut sink = RunOutput::open(&settings, &screen)?;
    let last_message = open_last_message(&settings)?;
    let control = Control::new();
    let watch = StopWatch {
        deadline: settings.deadline,
        control: control.clone(),
        critical: critical.clone(),
        shown: screen.shared(),
        exit_now: host.exit_now,
        paint: settings.paint,
    };
    let woken = watch.start().map_err(Error::Thread)?;
    sink.warn(&settings.notes, &settings.warnings);
    if settings.input == RunInput::Lines {
        let authority = authority.ok_or(Error::Credential(auth::Error::Missing))?;
        return turns::run(
            &settings,
            &host,
            authority,
            &mut sink,
            last_message,
            turns::TurnHandles {
                control: &control,
                critical: &critical,
                stop: woken,
            },
        );
    }
    // Servers start while the prompt is read and the request prepared.
    let needs_tools = !settings.dry_run || !settings.servers.is_empty();
    let tools = needs_tools.then(|| StartingTools::open(&settings));
    let tools = tools.transpose()?;
    let asked = prompt(&settings, stdin, &control, woken.as_fd(), &mut sink);
    // A run that has been stopped meanwhile starts nothing.
    if let Some(request) = control.stopped() {
        return Err(Error::Stop(Stop::Ordered(request)));
    }
    let prompt = asked?;
    let parts = parts(&settings, &prompt);
    let message = UserMessage {
        text: prompt.text,
        images: settings.images.clone(),
    };

    let mut session = start_session(&settings, &mut sink)?;
    if settings.dry_run {
        let tools = tools.map(|tools| tools.ready(&control, &mut sink));
        let tools = tools.transpose()?;
        let credential = authority.map(|authority| authority.current());
        let preview = RequestPreview {
            message: &message,
            credential: credential.as_ref(),
            tools: tools.as_ref().map(|tools| &tools.tools),
            user_agent: &host.setup.user_agent,
        };
        let shown = preview.show(&settings, &mut session, &mut sink);
        if let Some(tools) = tools {
            tools.close(false, &mut sink);
        }
        return shown.map(|()| Outcome::Answered);
    }
    let authority = authority.ok_or(Error::Credential(auth::Error::Missing))?;

    sink.begin_run(&settings, &session)?;
    sink.begin_turn().map_err(Error::Output)?;
    let tools = tools.map_or_else(|| StartingTools::open(&settings), Ok)?;
    let tools = tools.ready(&control, &mut sink)?;
    let control_of_run = control.clone();
    let mut open = OpenConversation::open(
        &settings,
        &host,
        authority,
        (session, tools),
        control_of_run,
        &critical,
    )?;
    let ended = open.conversation.ask(message, &mut sink);
    let used = open
        .service_asked_last(&settings)
        .and_then(|other| other.used.clone());
    open.close(&settings, &mut sink);
    let delivery = Delivery {
        schema: settings.schema,
        file: last_message,
        fail_on_tool_error: settings.fail_on_tool_error,
        late: prompt.given_up && stdin::came_late(),
    };
    let concluded = match conclude(ended, &mut sink, delivery, &control) {
        Err(Error::Stop(stop)) if is_too_long(&stop) => Err(Error::TooLong(stop, parts)),
        concluded => concluded.map(|()| Outcome::Answered),
    };
    concluded.map_err(|error| error.about_service(used.as_ref()))
}

/// The request that a dry run shows.
struct RequestPreview<'a> {
    message: &'a UserMessage,
    credential: Option<&'a Credential>,
    /// Tools that were set up, for those of servers; a dry run does not set up others.
    tools: Option<&'a Arc<Toolbox>>,
    user_agent: &'a str,
}

impl RequestPreview<'_> {
    fn show(
        &self,
        settings: &RunSettings,
        session: &mut StartedSession,
        sink: &mut RunOutput,
    ) -> Result<(), Error> {
        let not_set_up = || Toolbox::new(settings.tools.clone(), settings.offered.clone());
        let offered = self
            .tools
            .map_or_else(|| Arc::new(not_set_up()), Arc::clone);
        let blueprint = blueprint(settings, session, offered);
        let body = first_request(settings, &blueprint, self.credential, self.message, sink)?;
        let preview = Preview::new(
            &settings.endpoints,
            self.credential,
            &session.thread,
            body.shape(),
        );
        show(&preview, &body, self.user_agent).map_err(Error::Output)
    }
}

/// Opens the file for the last message, if one is requested.
fn open_last_message(settings: &RunSettings) -> Result<Option<LastMessage>, Error> {
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

/// What happens to the last message, and what may still make the run fail.
struct Delivery {
    schema: Option<OutputSchema>,
    file: Option<LastMessage>,
    fail_on_tool_error: bool,
    /// Standard input arrived after the run had stopped waiting for it.
    late: bool,
}

/// Delivers the remaining output and returns the outcome of the run.
fn conclude(
    ended: Result<Reply, Stop>,
    sink: &mut RunOutput,
    delivery: Delivery,
    control: &Control,
) -> Result<(), Error> {
    let reply = match ended {
        Ok(reply) => reply,
        Err(stop) => {
            // The reason of the stop matters more than output that cannot be written.
            let _ = sink.finish();
            return Err(Error::Stop(stop));
        }
    };
    if delivery.schema.is_some() {
        sink.print(&reply.message()).map_err(Error::Output)?;
    }
    let finished = sink.finish();
    if delivery.fail_on_tool_error && reply.failed_calls > 0 {
        return Err(Error::ToolsFailed(reply.failed_calls));
    }
    finished.map_err(Error::Output)?;
    if delivery.late {
        return Err(Error::LateInput);
    }
    if let Some(schema) = &delivery.schema
        && let Some(unmatched) = validate(schema, &reply.message(), control)?
    {
        return Err(Error::Schema(unmatched));
    }
    if let Some(file) = delivery.file {
        file.write(&reply.raw_message())
            .map_err(Error::LastMessage)?;
    }
    let is_json = delivery.schema.is_some();
    sink.completed(&reply, is_json).map_err(Error::Output)
}

/// The credential, after checking that requests can be signed and tool calls can be sandboxed. A dry run does not require a
/// credential.
pub(in crate::command) fn check_access(
    settings: &RunSettings,
    host: &Host,
    critical: &Critical,
) -> Result<Option<Authority>, Error> {
    let chosen = match auth::choose(&settings.found) {
        Err(error) if error.is_missing() && settings.dry_run => return Ok(None),
        other => other.map_err(Error::Credential)?,
    };
    let authority = authority(
        chosen,
        settings.sign_in_source.clone(),
        &host.setup,
        critical,
    )
    .ok_or(Error::Credential(auth::Error::Missing))?;
    if let Authority::SignIn(sign_in) = &authority
        && !settings.dry_run
    {
        sign_in.check().map_err(Error::SignIn)?;
    }
    // A dry run starts servers, and nothing else.
    let confines = !settings.dry_run || !settings.servers.is_empty();
    if let Some(policy) = settings.tools.policy.as_ref().filter(|_| confines) {
        confine::check(policy).map_err(Error::Sandbox)?;
    }
    Ok(Some(authority))
}

/// Whether the request is larger than the context window of the model.
fn is_too_long(stop: &Stop) -> bool {
    match stop {
        Stop::TooLong { .. } => true,
        Stop::Unanswered { why, .. } => why
            .fault()
            .is_some_and(|fault| fault.cause == Cause::Context),
        _ => false,
    }
}
