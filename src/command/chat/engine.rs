//! The engine of a chat: a thread that owns the open conversation and carries out one command after another. What it finds out
//! goes to the loop as events.

use std::sync::mpsc::Receiver;

use super::channel::Reporter;
use super::chat_sink::ChatSink;
use super::engine_command::EngineCommand;
use super::engine_error::{OpenError, TurnFailure};
use super::error::in_one_notice;
use super::model_entry::model_entry;
use super::said::{said, value};
use super::settings::Reread;
use crate::agent::{Control, Stop, SubstituteAfter, UserMessage};
use crate::auth::Authority;
use crate::auth::critical_section::Critical;
use crate::chat::event::{
    ChatEvent, CredentialRemedy, NoticeLevel, OpenedConversation, TurnEnd, TurnEvent,
};
use crate::command::run::{
    self, Host, OpenConversation, RunSettings, SessionChoice, StartingTools, check_access,
    start_session, switch_model,
};
use crate::failure::{Failure, Used, of_session, of_stop};
use crate::id::ThreadId;
use crate::models::{Backend, Model};
use crate::outcome::Outcome;
use crate::prompt::{PromptFile, with_files};
use crate::session::{self, Sessions};

/// The conversation that can be continued.
#[derive(Clone, Debug)]
pub(super) struct Continued(pub(super) ThreadId);

/// The engine.
pub(super) struct Engine {
    pub(super) settings: RunSettings,
    pub(super) used: Option<Used>,
    pub(super) reread: Box<Reread>,
    pub(super) host: Host,
    pub(super) critical: Critical,
    pub(super) control: Control,
    pub(super) reporter: Reporter,
    pub(super) sink: ChatSink,
    /// What signs the requests; nothing without a sign-in.
    pub(super) authority: Option<Authority>,
    /// The open conversation. A new one is opened with its first message.
    pub(super) open: Option<OpenConversation>,
    /// The conversation has a turn.
    pub(super) has_turn: bool,
    /// Files and images that go with the first message.
    pub(super) files: Vec<PromptFile>,
    pub(super) images: Vec<String>,
}

impl Engine {
    /// Carries out commands until it is closed. Returns how the conversation can be continued.
    pub(super) fn run(mut self, commands: &Receiver<EngineCommand>) -> Option<Continued> {
        while let Ok(command) = commands.recv() {
            let done = match command {
                EngineCommand::Close => break,
                EngineCommand::Ask(text) => {
                    self.ask(text);
                    Ok(())
                }
                EngineCommand::Compact => {
                    self.compact();
                    Ok(())
                }
                EngineCommand::SetModel { model, effort } => {
                    self.set_model(&model, effort.as_deref())
                }
                EngineCommand::Resume(id) => self.resume(&id),
                EngineCommand::Fork(id) => self.fork(id),
                EngineCommand::New => {
                    self.close();
                    if self.settings.session != SessionChoice::Ephemeral {
                        self.settings.session = SessionChoice::New;
                    }
                    self.report(ChatEvent::Opened(OpenedConversation::default()));
                    Ok(())
                }
                EngineCommand::SignedIn => self.sign_in(),
            };
            if let Err(failure) = done {
                self.report_failure(&failure);
            }
        }
        let continued = self.continued();
        self.close();
        continued
    }

    pub(super) fn report(&self, event: ChatEvent) {
        // The loop may have ended; then the event is not needed.
        let _ = self.reporter.event(event);
    }

    fn report_failure(&self, failure: &Failure) {
        let text = in_one_notice(failure);
        self.report(ChatEvent::Notice(NoticeLevel::Error, text));
    }

    /// The failure of an error in opening a conversation.
    fn failure(&self, error: run::Error) -> Failure {
        error.failure(self.used.as_ref())
    }

    /// How the conversation can be continued, if it is stored and has a turn.
    fn continued(&self) -> Option<Continued> {
        let conversation = &self.open.as_ref()?.conversation;
        let is_stored = self.has_turn && conversation.journal().is_some();
        is_stored.then(|| Continued(conversation.thread().clone()))
    }

    /// Asks, and reports how the turn ended.
    fn ask(&mut self, text: String) {
        let end = match self.turn(&text) {
            Ok(()) => TurnEnd::Completed,
            Err(TurnFailure::Interrupted) => TurnEnd::Interrupted,
            Err(TurnFailure::Failed(failure)) => self.failed(&failure),
            Err(TurnFailure::Panicked) => return self.reporter.panicked(),
        };
        self.control.withdraw_turn();
        if self.sink.other_model.take().is_some() {
            self.report_model(None);
        }
        self.report(ChatEvent::TurnEnded(end));
    }

    /// The end of a turn that failed.
    pub(super) fn failed(&self, failure: &Failure) -> TurnEnd {
        TurnEnd::Failed {
            what: failure.what().to_owned(),
            hint: failure.advice().map(str::to_owned),
            credential: self.remedy(failure),
        }
    }

    /// What helps, if the failure is one of the credential.
    fn remedy(&self, failure: &Failure) -> Option<CredentialRemedy> {
        let is_replaced = self.used.as_ref().is_none_or(Used::is_replaced_by_sign_in);
        let remedy = if is_replaced {
            CredentialRemedy::SignIn
        } else {
            CredentialRemedy::Replace
        };
        (failure.outcome() == Outcome::SignIn).then_some(remedy)
    }

    fn turn(&mut self, text: &str) -> Result<(), TurnFailure> {
        if self.open.is_none() {
            let opened = self.open_conversation();
            let opened = opened.map_err(TurnFailure::Failed)?;
            if !opened.said.is_empty() {
                self.report(ChatEvent::Opened(opened));
            }
        }
        let _ = self.sink.turn(TurnEvent::Started {
            text: text.to_owned(),
            images: self.images.len(),
        });
        self.sink.is_metered = self.settings.choice.backend != Backend::Subscription;
        let Some(open) = &mut self.open else {
            return Err(TurnFailure::Panicked);
        };
        let message = UserMessage {
            text: with_files(text, &self.files),
            images: self.images.clone(),
        };
        let failure = match open.conversation.ask(message, &mut self.sink) {
            Ok(_) => None,
            Err(Stop::Interrupted | Stop::Ordered(_)) => Some(TurnFailure::Interrupted),
            Err(Stop::Panicked) => return Err(TurnFailure::Panicked),
            Err(stop) => {
                let other = open.service_asked_last(&self.settings);
                let used = other.map_or(&self.used, |other| &other.used);
                Some(TurnFailure::Failed(of_stop(&stop, used.as_ref())))
            }
        };
        if let Some(TurnFailure::Failed(failure)) = &failure {
            // Without a sign-in nothing was said.
            self.has_turn |= failure.outcome() != Outcome::SignIn;
        } else {
            // The files went with this message, and stay in the conversation.
            self.has_turn = true;
            (self.files, self.images) = (Vec::new(), Vec::new());
        }
        failure.map_or(Ok(()), Err)
    }

    /// Whether the conversation has been begun elsewhere, so that there is something to show.
    pub(super) fn waits_for_opening(&self) -> bool {
        let session = &self.settings.session;
        !matches!(session, SessionChoice::New | SessionChoice::Ephemeral)
    }

    /// Opens the conversation that the settings choose.
    pub(super) fn open_conversation(&mut self) -> Result<OpenedConversation, Failure> {
        self.open().map_err(|error| self.open_failure(error))
    }

    fn open_failure(&self, error: OpenError) -> Failure {
        match error {
            OpenError::Failed(failure) => failure,
            OpenError::Run(error) => self.failure(error),
        }
    }

    fn open(&mut self) -> Result<OpenedConversation, OpenError> {
        if self.authority.is_none() {
            // A sign-in elsewhere may have been stored.
            let (fresh, used) = (self.reread)()?;
            let authority = check_access(&fresh, &self.host, &self.critical);
            self.authority = authority.map_err(|error| error.failure(used.as_ref()))?;
            self.adopt(fresh, used);
        }
        let Some(authority) = self.authority.clone() else {
            return Err(run::Error::Credential(crate::auth::Error::Missing).into());
        };
        let session = start_session(&self.settings, &mut self.sink)?;
        let mut values = Vec::new();
        let read = session.items.each(|item| values.push(value(item)));
        read.map_err(run::Error::Session)?;
        let tools = StartingTools::open(&self.settings)?.ready(&self.control, &mut self.sink)?;
        let opened = OpenedConversation {
            id: Some(session.thread.as_str().to_owned()),
            said: said(&values),
        };
        let open = OpenConversation::open(
            &self.settings,
            &self.host,
            authority,
            (session, tools),
            self.control.clone(),
            &self.critical,
        );
        self.has_turn = !opened.said.is_empty();
        self.open = Some(open?);
        Ok(opened)
    }

    /// Takes over what depends on the credential.
    fn adopt(&mut self, fresh: RunSettings, used: Option<Used>) {
        self.used = used;
        self.settings.found = fresh.found;
        self.settings.sign_in_source = fresh.sign_in_source;
        self.settings.endpoints = fresh.endpoints;
        let cache = fresh.choice.cache.clone();
        if self.settings.choice.backend != fresh.choice.backend {
            self.settings.choice = fresh.choice;
            self.settings.clamped = fresh.clamped;
            self.settings.substitutes = fresh.substitutes;
        }
        self.settings.choice.cache = cache;
        self.settings.model_switch = fresh.model_switch;
        self.report_model(None);
    }

    /// The model with this id, if it is listed.
    fn listed(&self, id: &str) -> Option<&Model> {
        let switch = self.settings.model_switch.as_ref()?;
        switch.models.iter().find(|model| model.id == id)
    }

    /// Reports the model in use, with its effort.
    fn report_model(&self, note: Option<String>) {
        let settings = &self.settings;
        let next = (
            &*settings.choice.model.id,
            settings.clamped.effort.as_deref(),
        );
        let open = self.open.as_ref();
        let (id, effort) = open.map_or(next, |open| open.conversation.model());
        let chosen = &self.settings.choice.model;
        let listed = self.listed(id);
        let known = listed.or_else(|| (chosen.id == id).then_some(chosen));
        let entry = known.map_or_else(
            || model_entry(&Model::unknown(id), None),
            |model| model_entry(model, None),
        );
        self.report(ChatEvent::ModelChanged {
            entry,
            effort: effort.map(str::to_owned),
            note,
            unlisted: listed.is_none(),
        });
    }

    fn set_model(&mut self, name: &str, effort: Option<&str>) -> Result<(), Failure> {
        let open = self.open.as_mut();
        let is_elsewhere = open.is_some_and(|open| open.other_service(&self.settings).is_some());
        let chosen = switch_model(&self.settings, self.open.as_mut(), name, effort);
        let (note, failed) = match chosen {
            Ok(None) => return Ok(()),
            Err(failure) => (None, Some(failure)),
            Ok(Some(chosen)) => {
                let note = chosen.notes.join("; ");
                // A new conversation begins with the first service again.
                if !is_elsewhere {
                    self.settings.choice = chosen.choice;
                    self.settings.clamped = chosen.clamped;
                    let substitutes = &mut self.settings.substitutes;
                    substitutes.retain(|other| other.after != SubstituteAfter::Missing);
                }
                (Some(note).filter(|note| !note.is_empty()), None)
            }
        };
        self.report_model(note);
        failed.map_or(Ok(()), Err)
    }

    /// The stored conversations, unless nothing is to be stored.
    fn sessions(&self) -> Result<Sessions, Failure> {
        if self.settings.session == SessionChoice::Ephemeral {
            return Err(
                Failure::usage("with --ephemeral, conversations are not stored")
                    .hint("leave, and begin without --ephemeral"),
            );
        }
        let home = self.settings.home.as_deref();
        let missing = || self.failure(run::Error::NoHome);
        home.map(Sessions::new).ok_or_else(missing)
    }

    fn resume(&mut self, id: &str) -> Result<(), Failure> {
        let sessions = self.sessions()?;
        let current = self.open.as_ref().map(|open| open.conversation.thread());
        if current.is_some_and(|current| current.as_str() == id) {
            return Err(Failure::usage("this conversation is open already"));
        }
        self.use_model_of(&sessions, id)?;
        let opened = self.open_in_place(SessionChoice::Resume(id.to_owned()));
        opened.map_err(|error| match error {
            OpenError::Run(run::Error::Session(session::Error::Busy(path))) => {
                of_session(&session::Error::Busy(path))
                    .hint("wait for it to end, or continue with a copy: /fork ID")
            }
            error => self.open_failure(error),
        })
    }

    /// Uses the model that a stored conversation has used.
    fn use_model_of(&mut self, sessions: &Sessions, id: &str) -> Result<(), Failure> {
        let stored = sessions.read(id);
        let (stored, _) = stored.map_err(|error| self.failure(run::Error::Session(error)))?;
        if stored.model.is_empty() {
            return Ok(());
        }
        self.set_model(&stored.model, stored.effort.current())
    }

    fn fork(&mut self, id: Option<String>) -> Result<(), Failure> {
        let sessions = self.sessions()?;
        let id = match (id, self.continued()) {
            (Some(id), _) => {
                self.use_model_of(&sessions, &id)?;
                id
            }
            (None, Some(Continued(id))) => id.as_str().to_owned(),
            (None, None) => {
                return Err(Failure::usage(
                    "there is nothing to copy: this conversation has no turn, or is not stored",
                )
                .hint("/fork ID continues a copy of a stored conversation"));
            }
        };
        let opened = self.open_in_place(SessionChoice::Fork(id));
        opened.map_err(|error| self.open_failure(error))
    }

    /// Opens another conversation, and closes the current one once that has succeeded.
    fn open_in_place(&mut self, session: SessionChoice) -> Result<(), OpenError> {
        let before = std::mem::replace(&mut self.settings.session, session);
        let open = self.open.take();
        let had_turn = self.has_turn;
        match self.open() {
            Ok(opened) => {
                if let Some(open) = open {
                    if let Some(new) = &mut self.open {
                        new.inherit(&open);
                    }
                    open.close(&self.settings, &mut self.sink);
                }
                self.sink.begin_conversation();
                self.report(ChatEvent::Opened(opened));
                Ok(())
            }
            Err(error) => {
                (self.settings.session, self.open, self.has_turn) = (before, open, had_turn);
                Err(error)
            }
        }
    }

    /// Uses the credential that is stored now.
    fn sign_in(&mut self) -> Result<(), Failure> {
        let (fresh, used) = (self.reread)()?;
        let authority = check_access(&fresh, &self.host, &self.critical);
        let authority = authority.map_err(|error| error.failure(used.as_ref()))?;
        let is_same = self.settings.choice.backend == fresh.choice.backend;
        if self.open.is_some() && !is_same {
            return Err(Failure::usage(
                "the conversation stays with the service that it began with, and the new sign-in is for another one",
            )
            .hint("/new begins a conversation with the new sign-in"));
        }
        self.adopt(fresh, used);
        if let (Some(open), Some(authority)) = (&mut self.open, &authority)
            && open.other_service(&self.settings).is_none()
        {
            open.sign_in(&self.settings, &self.host, authority.clone());
        }
        self.authority = authority;
        if self.open.is_none() && self.waits_for_opening() {
            let opened = self.open_conversation()?;
            self.report(ChatEvent::Opened(opened));
        }
        Ok(())
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            open.close(&self.settings, &mut self.sink);
        }
        self.sink.begin_conversation();
        self.has_turn = false;
    }
}
