//! The state as one record. What happens to it is in the files that `step` leads to.

use super::command::{as_typed, candidates, is_command};
use super::list::ChoiceList;
use super::model_choice::ModelChoice;
use super::queue::Queue;
use super::view::View;
use crate::chat::editor::Editor;
use crate::chat::event::{NoticeLevel, Setup, Size, UsageWindow};
use crate::chat::style::{Color, Style};
use crate::chat::transcript::{Anchor, Transcript};

/// Said at the beginning if there is no credential.
const SIGNED_OUT: &str = "not signed in. Type /login to sign in here.
Or leave and run `codex login`, or set OPENAI_API_KEY to use an API key.";

/// From this width on there is a mark before the question.
const MIN_MARKED_COLUMNS: u16 = 10;

/// The state of the screen.
#[derive(Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own that is shown"
)]
pub struct ChatState {
    pub size: Size,
    pub colors: bool,
    pub sandbox: String,
    pub network: bool,
    pub directory: String,
    /// No credential was found, or the last turn needed another one.
    pub signed_out: bool,
    pub models: ModelChoice,
    pub usage: ShownUsage,
    pub transcript: Transcript,
    pub view: View,
    /// The place of the first row in view, once the view has left the end.
    pub anchor: Option<Anchor>,
    /// Messages of the model are shown as they are written.
    pub raw: bool,
    pub question: Editor,
    /// The first row of the question that is shown.
    pub question_top: usize,
    pub queue: Queue,
    /// The turn that runs.
    pub turn: Option<Turn>,
    /// The sign-in that runs.
    pub sign_in: Option<ScreenSignIn>,
    pub panel: Option<Panel>,
    /// Shown until the next key.
    pub hint: Option<(NoticeLevel, String)>,
    /// Ctrl+C presses in a row.
    pub ctrl_c: u32,
    /// The last Ctrl+C was pressed while a turn ran.
    pub ctrl_c_in_turn: bool,
}

/// The turn that runs.
#[derive(Debug, Default)]
pub struct Turn {
    /// Its message.
    pub asked: Option<String>,
    /// The seconds of the clock, at its beginning and now.
    pub began: Option<u64>,
    pub now: u64,
    /// How often it was interrupted.
    pub interrupts: u32,
}

/// A sign-in on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenSignIn {
    /// The code is being requested.
    Starting,
    /// The user opens the address and enters the code.
    Code { address: String, code: String },
}

/// What takes the keys instead of the question.
#[derive(Debug)]
pub enum Panel {
    List(ChoiceList),
    Search(Search),
}

/// A search in the transcript.
#[derive(Debug, Default)]
pub struct Search {
    pub words: String,
    /// The row that was found.
    pub found: Option<Anchor>,
    /// Whether the words were not found, or not once more.
    pub failed: bool,
    /// The view before: its place if it was away from the end.
    pub before: Option<Anchor>,
}

/// What was used.
#[derive(Debug, Default)]
pub struct ShownUsage {
    /// Tokens in the model's context.
    pub context: Option<u64>,
    /// US dollars.
    pub cost: Option<f64>,
    pub windows: Vec<UsageWindow>,
}

impl ChatState {
    /// The state at the start, before the conversation is open.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let mut state = Self {
            size: Size {
                columns: 80,
                rows: 24,
            },
            colors: setup.colors,
            sandbox: setup.sandbox,
            network: setup.network,
            directory: setup.directory,
            signed_out: setup.signed_out,
            models: ModelChoice::new(setup.models, setup.model, setup.effort),
            usage: ShownUsage::default(),
            transcript: Transcript::new(),
            view: View::default(),
            anchor: None,
            raw: false,
            question: Editor::new(&setup.history),
            question_top: 0,
            queue: Queue::default(),
            turn: None,
            sign_in: None,
            panel: None,
            hint: None,
            ctrl_c: 0,
            ctrl_c_in_turn: false,
        };
        state.say_how_to_sign_in();
        state
    }

    /// Says how to sign in, if that is needed.
    pub fn say_how_to_sign_in(&mut self) {
        if self.signed_out {
            self.transcript.notice(NoticeLevel::Warning, SIGNED_OUT);
        }
    }

    /// Whether no message can be sent now: a turn or a sign-in runs.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.turn.is_some() || self.sign_in.is_some()
    }

    /// What goes on, for the line above the question, and the key for it.
    #[must_use]
    pub fn activity(&self) -> Option<(String, &'static str, Color)> {
        let turn = match (&self.turn, &self.sign_in) {
            (None, None) => return None,
            (None, Some(_)) => return Some(("signing in".to_owned(), "", Color::Cyan)),
            (Some(turn), _) => turn,
        };
        let seconds = turn.began.map(|began| turn.now.saturating_sub(began));
        let working = seconds.map_or("working".to_owned(), |seconds| {
            format!("working {seconds} s")
        });
        Some(match turn.interrupts {
            0 => (working, ", Esc ends it", Color::Cyan),
            1 => ("stopping".to_owned(), ", Esc again: at once", Color::Yellow),
            _ => ("stopping at once".to_owned(), "", Color::Yellow),
        })
    }

    /// Whether the question is a command, or the beginning of one.
    #[must_use]
    pub fn is_command(&self) -> bool {
        is_command(self.question.text(), self.question.begins_typed())
    }

    /// How the question looks: commands differ from messages.
    #[must_use]
    pub fn question_style(&self) -> Style {
        if self.is_command() {
            Style::color(Color::Cyan)
        } else {
            Style::default()
        }
    }

    /// What the command that is being typed can become; nothing if the question is none.
    #[must_use]
    pub fn candidates(&self) -> Vec<String> {
        if !self.is_command() || !self.question.is_at_end() {
            return Vec::new();
        }
        let entries = self.models.models().iter();
        let models: Vec<&str> = entries.map(|entry| entry.id.as_str()).collect();
        candidates(self.question.text(), &models, &self.models.efforts())
    }

    /// The question as it has to be typed to mean the same.
    #[must_use]
    pub fn question_as_typed(&self) -> String {
        let text = self.question.text();
        if self.question.begins_typed() {
            text.to_owned()
        } else {
            as_typed(text)
        }
    }

    /// Shows this until the next key.
    pub fn hint(&mut self, level: NoticeLevel, text: impl Into<String>) {
        self.hint = Some((level, text.into()));
    }

    /// The columns of the mark before the question.
    #[must_use]
    pub fn mark_columns(&self) -> u16 {
        if self.size.columns < MIN_MARKED_COLUMNS {
            0
        } else {
            2
        }
    }

    /// The width in which the question is wrapped. One column more is for the cursor at the end of a row.
    #[must_use]
    pub fn question_columns(&self) -> usize {
        let columns = self.size.columns.saturating_sub(self.mark_columns() + 1);
        usize::from(columns.max(1))
    }

    /// Lays out the transcript for this many rows. A view that is away from the end keeps its first row.
    pub fn lay_out(&mut self, rows: usize) {
        let total = self.transcript.layout(self.size.columns, self.raw);
        if let Some(anchor) = self.anchor {
            self.view.moved_to(self.transcript.row_of(anchor));
        }
        self.view.lay_out(total, rows);
        self.keep_place();
    }

    /// Changes the view, with everything laid out.
    pub fn scroll(&mut self, change: impl FnOnce(&mut View)) {
        self.lay_out(self.view.height());
        change(&mut self.view);
        self.keep_place();
    }

    fn keep_place(&mut self) {
        self.anchor = if self.view.is_away() {
            self.transcript.anchor(self.view.top())
        } else {
            None
        };
    }
}
