//! The replies of a server: a queue, rounds chosen by the prompt, and replies fixed to a path.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::compaction;
use super::lock;
use super::mcp;
use super::prompt;
use super::reply::Reply;
use super::scenario::Scenarios;
use super::stream::Item;

/// The replies of a server. Queued ones come first; then rounds by prompt, if there are any.
#[derive(Default)]
pub(crate) struct Script {
    queue: Mutex<VecDeque<Reply>>,
    prompts: Option<Scenarios>,
    data: PathBuf,
    fixed: Vec<(String, String, Reply)>,
    models: Option<Value>,
    unchecked: bool,
    /// The replies to requests that compact a conversation; later ones succeed.
    compactions: Mutex<VecDeque<Reply>>,
    /// The service does not know the item that triggers a compaction.
    without_trigger: bool,
    /// The input tokens that every answer reports, instead of those of its request.
    reported: Option<usize>,
    /// Rounds by prompt are counted by the server, if they are: a client may compact the conversation that would count them.
    answered: Option<AtomicUsize>,
    remote: Option<mcp::Remote>,
}

impl Script {
    /// One reply for each request to `.../responses` that passes the checks, in this order.
    pub(crate) fn replies(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            queue: Mutex::new(replies.into_iter().collect()),
            ..Self::default()
        }
    }

    /// Rounds chosen by the last user message; `Scenarios::default()` supports only the directives
    /// inside prompts, and otherwise repeats the prompt.
    pub(crate) fn prompts(scenarios: Scenarios) -> Self {
        Self::default().then_prompts(scenarios)
    }

    /// Continues by prompt when the queue is empty.
    pub(crate) fn then_prompts(mut self, scenarios: Scenarios) -> Self {
        self.prompts = Some(scenarios);
        self
    }

    /// The directory of the recorded streams that rounds name.
    pub(crate) fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = folder.into();
        self
    }

    /// Gives every request with this method and path this reply, before any check.
    pub(crate) fn fix(mut self, method: &str, path: &str, reply: Reply) -> Self {
        self.fixed.push((method.to_owned(), path.to_owned(), reply));
        self
    }

    /// The initial list of models, instead of the stand-in's own: an array as in the subscription's
    /// `models`, or the whole body. Requests are checked against what it says about a model, and
    /// otherwise against the stand-in's own list. A list that should be wrong or malformed is
    /// [fixed](Self::fix) to its path instead; requests are not checked against
    /// it. [`Server::relist`](super::Server::relist) replaces the list later.
    pub(crate) fn models(mut self, models: Value) -> Self {
        self.models = Some(models);
        self
    }

    /// Adds an MCP server at [`mcp::PATH`], which behaves as these words say.
    ///
    /// # Panics
    ///
    /// If a word is unknown: this is for tests.
    pub(crate) fn mcp(mut self, words: &str) -> Self {
        self.remote = Some(mcp::Remote::new(words).expect("a behaviour"));
        self
    }

    pub(super) fn remote(&self) -> Option<&mcp::Remote> {
        self.remote.as_ref()
    }

    /// Accepts any request, whatever its credential and body.
    pub(crate) fn unchecked(mut self) -> Self {
        self.unchecked = true;
        self
    }

    /// Answers requests that compact a conversation with these replies first.
    pub(crate) fn compactions(self, replies: impl IntoIterator<Item = Reply>) -> Self {
        let compactions = Mutex::new(replies.into_iter().collect());
        Self {
            compactions,
            ..self
        }
    }

    /// Does not know the item that triggers a compaction.
    pub(crate) fn without_trigger(mut self) -> Self {
        self.without_trigger = true;
        self
    }

    /// Reports this many input tokens with every answer.
    pub(crate) fn reporting(mut self, tokens: usize) -> Self {
        self.reported = Some(tokens);
        self
    }

    /// Counts the rounds that are chosen by prompt in the server, for one conversation. They may be in any message.
    pub(crate) fn counted(mut self) -> Self {
        self.answered = Some(AtomicUsize::new(0));
        self
    }

    pub(super) fn reported(&self) -> Option<usize> {
        self.reported
    }

    /// The reply to a request that compacts its conversation; `None` if the trigger is unknown.
    pub(super) fn compaction(&self) -> Option<Reply> {
        if self.without_trigger {
            return None;
        }
        let queued = lock(&self.compactions).pop_front();
        Some(queued.unwrap_or_else(|| Reply::items([Item::Compaction])))
    }

    pub(super) fn push(&self, reply: Reply) {
        lock(&self.queue).push_back(reply);
    }

    pub(super) fn first_models(&mut self) -> Option<Value> {
        self.models.take()
    }

    pub(super) fn is_checked(&self) -> bool {
        !self.unchecked
    }

    pub(super) fn fixed(&self, method: &str, path: &str) -> Option<Reply> {
        let wanted = |(m, p, _): &&(String, String, Reply)| m == method && p == path;
        self.fixed
            .iter()
            .find(wanted)
            .map(|(_, _, reply)| reply.clone())
    }

    /// The reply to a conversation, and a sentence for the log on how it was chosen. The error is
    /// a sentence too: there are no replies left, or a round cannot be used.
    pub(super) fn next(&self, body: &Value) -> Result<(Reply, String), String> {
        let input = &body["input"];
        let mut queue = lock(&self.queue);
        if let Some(reply) = queue.pop_front() {
            let choice = format!("a reply from the queue, {} left", queue.len());
            return Ok((reply, choice));
        }
        drop(queue);
        match &self.prompts {
            Some(scenarios) => match &self.answered {
                Some(_) if compaction::is_for_summary(body) => {
                    let reply = Reply::text("A summary of what was done.");
                    Ok((reply, "a summary".to_owned()))
                }
                Some(answered) => {
                    let done = answered.fetch_add(1, Ordering::SeqCst);
                    scenarios.choose(&prompt::user_texts(input), done, &self.data)
                }
                None => scenarios.reply(input, &self.data),
            },
            None => Err("the script has no more replies".to_owned()),
        }
    }
}

impl From<Reply> for Script {
    fn from(reply: Reply) -> Self {
        Self::replies([reply])
    }
}

impl<const N: usize> From<[Reply; N]> for Script {
    fn from(replies: [Reply; N]) -> Self {
        Self::replies(replies)
    }
}

impl From<Vec<Reply>> for Script {
    fn from(replies: Vec<Reply>) -> Self {
        Self::replies(replies)
    }
}
