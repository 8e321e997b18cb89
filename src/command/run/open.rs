//! The conversation of a run with everything that it needs: opened before the first turn, closed after the last one.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::super::model_list_refresh::{ListEtag, ModelListRefresh, ModelLister};
use super::error::Error;
use super::host::Host;
use super::model_switch::SwitchedModel;
use super::question::{blueprint, profile};
use super::run_tools::RunTools;
use super::session_start::{StartedSession, warn_if_misplaced};
use super::settings::RunSettings;
use super::substitute_model::OtherService;
use super::substitutes::ReadySubstitutes;
use crate::agent::{Blueprint, Control, Conversation, Learned};
use crate::api::Client;
use crate::api::models::LIST_TIMEOUT;
use crate::auth::Authority;
use crate::auth::critical_section::Critical;
use crate::failure::Failure;
use crate::http::Http;
use crate::id::ThreadId;
use crate::models::Backend;
use crate::models::choice::Choice;
use crate::output::Sink;
use crate::session::Journal;

/// The conversation of a run.
pub(in crate::command) struct OpenConversation {
    pub(in crate::command) conversation: Conversation,
    authority: Authority,
    tools: RunTools,
    refresh: Option<ModelListRefresh>,
    /// What signs the requests to the services of substitutes.
    other_authorities: Vec<Authority>,
    /// The current model, unless a substitute has replaced it since it was chosen.
    choice: Choice,
    /// The substitute that is asked instead of the first model, as its index in the settings.
    substitute: Option<usize>,
    /// What the answers of earlier models have shown.
    earlier: Vec<(Choice, Learned)>,
}

impl OpenConversation {
    /// Opens the conversation with these tools. Nothing is sent before the first turn.
    pub(in crate::command) fn open(
        settings: &RunSettings,
        host: &Host,
        authority: Authority,
        (mut session, tools): (StartedSession, RunTools),
        control: Control,
        critical: &Critical,
    ) -> Result<Self, Error> {
        let (client, refresh) = connect(settings, host, &authority, &session.thread);
        let ready = ReadySubstitutes::of(settings, host, &client, &session.thread, critical)?;
        let blueprint = Blueprint {
            substitutes: ready.substitutes,
            ..blueprint(settings, &mut session, Arc::clone(&tools.tools))
        };
        let writer = session.writer.take();
        let journal = writer.map(|writer| Box::new(writer) as Box<dyn Journal + Send>);
        let conversation = Conversation::new(blueprint, client, settings.policy, journal, control)
            .map_err(Error::Session)?;
        Ok(Self {
            conversation,
            authority,
            tools,
            refresh,
            other_authorities: ready.authorities,
            choice: settings.choice.clone(),
            substitute: None,
            earlier: Vec::new(),
        })
    }

    /// Uses another model, or another effort, from the next turn on.
    fn switch(&mut self, settings: &RunSettings, switched: &SwitchedModel) {
        self.find_substitute();
        let learned = self.conversation.learned().clone();
        let profile = profile(settings, &switched.choice, &switched.clamped);
        let searches = switched.choice.searches;
        self.conversation.switch(profile, searches);
        let before = std::mem::replace(&mut self.choice, switched.choice.clone());
        self.earlier.push((before, learned));
    }

    /// The substitute that is asked instead of the first model, as its index in the settings.
    pub(in crate::command) fn find_substitute(&mut self) -> Option<usize> {
        self.substitute = self.conversation.learned().substitute.or(self.substitute);
        self.substitute
    }

    /// The service that is asked, if it is not that of the first model.
    pub(in crate::command) fn other_service<'a>(
        &mut self,
        settings: &'a RunSettings,
    ) -> Option<&'a OtherService> {
        let substitute = settings.substitutes.get(self.find_substitute()?)?;
        substitute.service.as_ref()
    }

    /// The service that the last turn has asked last, if it is not that of the first model. It may not have answered.
    pub(in crate::command) fn service_asked_last<'a>(
        &mut self,
        settings: &'a RunSettings,
    ) -> Option<&'a OtherService> {
        let substitute = self.conversation.asked().or(self.find_substitute())?;
        settings.substitutes.get(substitute)?.service.as_ref()
    }

    /// Sends the requests that follow with another credential for the same service.
    pub(in crate::command) fn sign_in(
        &mut self,
        settings: &RunSettings,
        host: &Host,
        authority: Authority,
    ) {
        let thread = self.conversation.thread().clone();
        let (client, refresh) = connect(settings, host, &authority, &thread);
        if let Some(refresh) = &self.refresh {
            refresh.close();
        }
        self.conversation.connect(client);
        (self.authority, self.refresh) = (authority, refresh);
    }

    /// Takes over from an earlier conversation of this process, whose tools may have left processes behind.
    pub(in crate::command) fn inherit(&mut self, earlier: &Self) {
        self.tools.inherit(&earlier.tools);
    }

    /// Closes it. What cannot be cleaned up is reported.
    pub(in crate::command) fn close(self, settings: &RunSettings, sink: &mut dyn Sink) {
        // After a stop, a thread may still be renewing the sign-in.
        for authority in self.other_authorities.iter().chain([&self.authority]) {
            authority.settle();
        }
        if let Some(refresh) = &self.refresh {
            refresh.close();
        }
        let learned = self.conversation.learned().clone();
        for (choice, learned) in self.earlier.iter().chain([&(self.choice, learned)]) {
            store_shape(choice, learned, settings);
        }
        let hurry = self.conversation.control().stopped().is_some();
        self.tools.close(hurry, sink);
        let journal = self.conversation.journal();
        warn_if_misplaced(journal.and_then(Journal::misplaced), sink);
    }
}

/// Chooses this model and effort for the turns that follow: those of the open conversation, if there is one, and of later ones
/// once the caller has kept the choice. Returns nothing if there is nothing to choose from.
///
/// # Errors
/// If it cannot be used. The one before stays.
pub(in crate::command) fn switch_model(
    settings: &RunSettings,
    mut open: Option<&mut OpenConversation>,
    name: &str,
    effort: Option<&str>,
) -> Result<Option<SwitchedModel>, Failure> {
    let other = open.as_mut().and_then(|open| open.other_service(settings));
    let Some(switch) = other.map_or(&settings.model_switch, |other| &other.model_switch) else {
        return Ok(None);
    };
    let switched = (switch.choose)(name, effort)?;
    if let Some(open) = open {
        open.switch(settings, &switched);
    }
    Ok(Some(switched))
}

/// Stores the request shape that the service accepts, for the next run.
fn store_shape(choice: &Choice, learned: &Learned, settings: &RunSettings) {
    let choice = match learned.substitute {
        Some(n) => settings.substitutes.get(n).map(|model| &model.choice),
        None => Some(choice),
    };
    if let (Some(choice), Some(shape)) = (choice, learned.shape) {
        let _ = choice.cache.keep_shape(&choice.model.id, shape);
    }
}

/// The client of a conversation, and the refresh of the list of models that its answers may cause.
fn connect(
    settings: &RunSettings,
    host: &Host,
    authority: &Authority,
    thread: &ThreadId,
) -> (Client, Option<ModelListRefresh>) {
    let http = Http::new(&host.setup, settings.idle_timeout);
    let client = Client::new(http, &settings.endpoints, authority.clone(), thread);
    let (refresh, etags) = start_refresh(settings, host, authority).unzip();
    let client = match etags {
        Some(etags) => client.with_etag_sender(etags),
        None => client,
    };
    (client, refresh)
}

/// Starts to refresh the list of models of the subscription in the background.
fn start_refresh(
    settings: &RunSettings,
    host: &Host,
    authority: &Authority,
) -> Option<(ModelListRefresh, Sender<ListEtag>)> {
    (settings.choice.backend == Backend::Subscription).then(|| {
        ModelListRefresh::start(ModelLister {
            http: Http::new(&host.setup, settings.idle_timeout),
            endpoints: settings.endpoints.clone(),
            authority: authority.clone(),
            cache: settings.choice.cache.clone(),
            timeout: LIST_TIMEOUT,
        })
    })
}
