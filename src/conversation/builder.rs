//! The settings of a conversation.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::access::Access;
use super::error::Error;
use super::sandbox::Sandbox;
use crate::agent::resume::{ResumedCompaction, ResumedConversation};
use crate::agent::{Blueprint, Control, Conversation, EarlierItems, Policy, Profile};
use crate::api::Client;
use crate::clock::{millis, seconds};
use crate::http::{Http, IDLE_TIMEOUT};
use crate::id::{ModelId, ThreadId};
use crate::mcp::command_line::is_server_name;
use crate::mcp::server_settings::{ServerSettings, Transport};
use crate::models::clamp::{RequestedSettings, clamp};
use crate::models::{Backend, Model, catalogue, find_or_unknown};
use crate::remote::{RemoteHeader, RemoteServer, RemoteUrl};
use crate::secret::Secret;
use crate::session::{Journal, Sessions, TurnHeader};
use crate::tools::builtin::{offered, table};
use crate::tools::function;
use crate::tools::server::servers::{ServerKind, ServerToStart};
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;
use crate::tools::toolbox::Toolbox;

/// A builder of conversations.
#[derive(Debug)]
pub struct ConversationBuilder {
    access: Access,
    model: Model,
    instructions: String,
    effort: Option<String>,
    policy: Policy,
    offered: Vec<Tool>,
    sandbox: Option<Sandbox>,
    servers: Vec<ServerToStart>,
    session: Session,
    control: Control,
}

/// Where the conversation is stored.
#[derive(Debug)]
enum Session {
    /// Nowhere.
    Nothing,
    /// As a new conversation in this home.
    New(PathBuf),
    /// As a continuation of the conversation with this id in this home.
    Resumed(PathBuf, String),
}

/// A conversation whose file is open.
struct OpenedSession {
    thread: ThreadId,
    items: EarlierItems,
    compactions: Vec<ResumedCompaction>,
    length: Option<(u64, usize)>,
    effort: Option<String>,
    journal: Option<Box<dyn Journal + Send>>,
}

impl ConversationBuilder {
    /// Starts with this model and default settings.
    ///
    /// # Errors
    /// If the id of the model is malformed.
    pub fn new(access: Access, model: &str) -> Result<Self, Error> {
        let id: ModelId = model.parse().map_err(Error::Model)?;
        let known = catalogue::of(access.backend);
        let model = find_or_unknown(&known, id.as_str());
        Ok(Self {
            policy: Policy::default(),
            access,
            model,
            instructions: "You answer a program.".to_owned(),
            effort: None,
            offered: Vec::new(),
            sandbox: None,
            servers: Vec::new(),
            session: Session::Nothing,
            control: Control::new(),
        })
    }

    /// Sets the instructions (system prompt).
    #[must_use]
    pub fn instructions(mut self, words: &str) -> Self {
        words.clone_into(&mut self.instructions);
        self
    }

    /// Sets the reasoning effort. A level that the model does not have is clamped.
    #[must_use]
    pub fn effort(mut self, level: &str) -> Self {
        self.effort = Some(level.to_owned());
        self
    }

    /// Sets the limits on all turns together (none by default) and the number of retries.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Adds a function that the model may call. `parameters` is the JSON Schema of its arguments, which are validated before
    /// each call.
    #[must_use]
    pub fn tool(
        mut self,
        name: &str,
        description: &str,
        parameters: Value,
        work: impl Fn(&Value) -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        let tool = function::tool(name, description, parameters, Box::new(work));
        self.offered.push(tool);
        self
    }

    /// Adds built-in tools by name, such as `read` and `bash`, in this sandbox.
    ///
    /// # Errors
    /// If there is no built-in tool with such a name.
    pub fn sandboxed(mut self, sandbox: Sandbox, tools: &[&str]) -> Result<Self, Error> {
        for name in tools {
            let found = table::find_tool(name).ok_or_else(|| Error::NoTool((*name).to_owned()))?;
            self.offered.push(offered::tool(found));
        }
        self.sandbox = Some(sandbox);
        Ok(self)
    }

    /// Adds an MCP server: this program, with its arguments, is started in the sandbox of [`ConversationBuilder::sandboxed`]
    /// when the conversation opens, and ended with it. Its tools are offered as `mcp__NAME__TOOL`.
    ///
    /// # Errors
    /// If the name has other characters than lower-case letters, digits, `-` and `_`.
    pub fn server(mut self, name: &str, command: &[&str]) -> Result<Self, Error> {
        if !is_server_name(name) {
            return Err(Error::ServerName(name.to_owned()));
        }
        let command = command.iter().map(|word| (*word).to_owned()).collect();
        let settings = ServerSettings::of_command(name.to_owned(), command);
        self.servers
            .extend(ServerToStart::program(settings, Path::new(""), Vec::new()));
        Ok(self)
    }

    /// Adds an MCP server behind a URL, `https` or loopback, which this program asks itself, with these headers. Redirects
    /// are not followed. Its tools are offered as `mcp__NAME__TOOL`.
    ///
    /// # Errors
    /// If the name, the URL or a header is invalid.
    pub fn server_at(
        mut self,
        name: &str,
        url: &str,
        headers: Vec<(String, Secret)>,
    ) -> Result<Self, Error> {
        if !is_server_name(name) {
            return Err(Error::ServerName(name.to_owned()));
        }
        let address = RemoteUrl::parse(url).map_err(Error::Address)?;
        let header = |(name, value): (String, Secret)| {
            RemoteHeader::parse(&name, value).map_err(|error| Error::Header(name, error))
        };
        let headers = headers.into_iter().map(header);
        let headers = headers.collect::<Result<Vec<_>, Error>>()?;
        let client = RemoteServer::new(&self.access.setup, address, headers);
        self.servers.push(ServerToStart {
            settings: ServerSettings {
                transport: Transport::Http {
                    url: url.to_owned(),
                    headers: Vec::new(),
                },
                ..ServerSettings::of_command(name.to_owned(), Vec::new())
            },
            kind: ServerKind::Client(Arc::new(client)),
        });
        Ok(self)
    }

    /// Stores the conversation in this home, where `codex sessions` and [`ConversationBuilder::resumed`] find it.
    #[must_use]
    pub fn stored(mut self, home: &Path) -> Self {
        self.session = Session::New(home.to_owned());
        self
    }

    /// Resumes the conversation with this id that is stored in this home.
    #[must_use]
    pub fn resumed(mut self, home: &Path, id: &str) -> Self {
        self.session = Session::Resumed(home.to_owned(), id.to_owned());
        self
    }

    /// Sets the control.
    #[must_use]
    pub fn control(mut self, control: Control) -> Self {
        self.control = control;
        self
    }

    /// Opens the file and the tools, and starts the servers. Nothing is sent before the first message.
    ///
    /// # Errors
    /// If the file, the tools or a server cannot be used, or the system provides no random numbers for the id.
    pub fn open(self) -> Result<Conversation, Error> {
        let Self {
            access,
            model,
            mut instructions,
            effort,
            policy,
            offered,
            sandbox,
            servers,
            session,
            control,
        } = self;
        if sandbox.is_none() && !servers.is_empty() {
            return Err(Error::NoSandbox);
        }
        let is_openai = access.backend.is_openai();
        let clamped = clamp(
            &RequestedSettings {
                effort: effort.as_deref(),
                defaults: is_openai,
                ..RequestedSettings::default()
            },
            &model,
        );
        let setup = match &sandbox {
            Some(sandbox) => sandbox.setup()?,
            None => ToolSetup::default(),
        };
        if let Some(policy) = &setup.policy {
            instructions.push_str("\n\n");
            instructions.push_str(&policy.notice(&setup.directory));
        }
        let directory = match &sandbox {
            Some(_) => setup.directory.clone(),
            None => env::current_dir().unwrap_or_default(),
        };
        let opened = session.open(&model, clamped.effort.as_deref(), is_openai, &directory)?;
        let mut tools = match &sandbox {
            Some(_) => Toolbox::open_with(setup, offered, servers).map_err(Error::Tools)?,
            None => Toolbox::new(setup, offered),
        };
        let started = tools.add_servers(&|| control.stopped().is_some());
        if let Some(failed) = started.failed.into_iter().next() {
            return Err(Error::Server(Box::new(failed)));
        }
        let client = Client::new(
            Http::new(&access.setup, IDLE_TIMEOUT),
            &access.endpoints,
            access.authority,
            &opened.thread,
        );
        let shape = model.shape(access.backend);
        let kept_effort = opened.effort.clone();
        let blueprint = Blueprint {
            thread: opened.thread,
            profile: Profile {
                backend: access.backend,
                shape,
                others: match access.backend {
                    Backend::Subscription => shape.others(),
                    Backend::Api | Backend::Other => Vec::new(),
                },
                instructions,
                effort: opened.effort,
                summary: None,
                verbosity: clamped.verbosity,
                search: None,
                max_output: None,
                format: None,
                model,
                provider: None,
            },
            effort: clamped.effort.or(kept_effort),
            substitutes: Vec::new(),
            searches: false,
            items: opened.items,
            compactions: opened.compactions,
            length: opened.length,
            tools: Arc::new(tools),
        };
        let journal = opened.journal;
        Conversation::new(blueprint, client, policy, journal, control).map_err(Error::Session)
    }
}

impl Session {
    fn open(
        &self,
        model: &Model,
        effort: Option<&str>,
        is_openai: bool,
        directory: &Path,
    ) -> Result<OpenedSession, Error> {
        let header = TurnHeader {
            now: seconds(),
            cwd: directory,
            model: &model.id,
            provider: None,
            effort,
            version: env!("CARGO_PKG_VERSION"),
        };
        if let Self::Resumed(home, id) = self {
            let opened = Sessions::new(home).open(id);
            let (stored, file, mut writer) = opened.map_err(Error::Session)?;
            let thread = stored.id.clone();
            let takes_changes = model.effort_updates && is_openai;
            let resumed = ResumedConversation::new(stored, file, &model.id, takes_changes, effort);
            let resumed = resumed.map_err(Error::Session)?;
            resumed.record(&mut writer, &header);
            return Ok(OpenedSession {
                thread,
                items: resumed.items,
                compactions: resumed.compactions,
                length: resumed.length,
                effort: resumed.effort,
                journal: Some(Box::new(writer)),
            });
        }
        let mut random = [0; 10];
        getrandom::fill(&mut random).map_err(Error::Random)?;
        let thread = ThreadId::new(millis(), random);
        let journal: Option<Box<dyn Journal + Send>> = match self {
            Self::New(home) => {
                let created = Sessions::new(home).create(&thread, &header);
                Some(Box::new(created.map_err(Error::NotStored)?))
            }
            Self::Nothing | Self::Resumed(..) => None,
        };
        Ok(OpenedSession {
            thread,
            items: EarlierItems::default(),
            compactions: Vec::new(),
            length: None,
            effort: effort.map(str::to_owned),
            journal,
        })
    }
}
