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
use crate::agent::{Control, Conversation, Learned};
use crate::api::Client;
use crate::api::models::LIST_TIMEOUT;
use crate::auth::Authority;
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
    /// The current model.
    choice: Choice,
    /// What the answers of earlier models have shown.
    earlier: Vec<(Choice, Learned)>,
}

impl OpenConversation {
    /// Opens the conversation. Nothing is sent before the first turn.
    pub(in crate::command) fn open(
        settings: &RunSettings,
        host: &Host,
        authority: Authority,
        mut session: StartedSession,
        control: Control,
    ) -> Result<Self, Error> {
        let (client, refresh) = connect(settings, host, &authority, &session.thread);
        let tools = RunTools::open(settings.tools.clone(), settings.offered.clone())?;
        let blueprint = blueprint(settings, &mut session, Arc::clone(&tools.tools));
        let writer = session.writer.take();
        let journal = writer.map(|writer| Box::new(writer) as Box<dyn Journal + Send>);
        let conversation = Conversation::new(blueprint, client, settings.policy, journal, control);
        Ok(Self {
            conversation,
            authority,
            tools,
            refresh,
            choice: settings.choice.clone(),
            earlier: Vec::new(),
        })
    }

    /// Uses another model, or another effort, from the next turn on.
    fn switch(&mut self, settings: &RunSettings, switched: &SwitchedModel) {
        let learned = self.conversation.learned().clone();
        let profile = profile(settings, &switched.choice, &switched.clamped);
        let searches = switched.choice.searches;
        self.conversation.switch(profile, searches);
        let before = std::mem::replace(&mut self.choice, switched.choice.clone());
        self.earlier.push((before, learned));
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
    pub(in crate::command) fn close(self, sink: &mut dyn Sink) {
        // After a stop, a thread may still be renewing the sign-in.
        self.authority.settle();
        if let Some(refresh) = &self.refresh {
            refresh.close();
        }
        let learned = self.conversation.learned().clone();
        for (choice, learned) in self.earlier.iter().chain([&(self.choice, learned)]) {
            store_shape(choice, learned);
        }
        self.tools.close(sink);
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
    open: Option<&mut OpenConversation>,
    name: &str,
    effort: Option<&str>,
) -> Result<Option<SwitchedModel>, Failure> {
    let Some(switch) = &settings.model_switch else {
        return Ok(None);
    };
    let switched = (switch.choose)(name, effort)?;
    if let Some(open) = open {
        open.switch(settings, &switched);
    }
    Ok(Some(switched))
}

/// Stores the request shape that the service accepts, for the next run.
fn store_shape(choice: &Choice, learned: &Learned) {
    if let Some(shape) = learned.shape {
        let model = learned.model.as_ref().unwrap_or(&choice.model.id);
        let _ = choice.cache.keep_shape(model, shape);
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
