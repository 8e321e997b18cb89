//! A conversation for programs: who asks, which model, what tools, and then one question after the other.
//!
//! The examples on this page talk to the stand-in service of this repository; with [`Access::key`] and the address of the
//! API, or [`Access::token`] and that of the subscription, they talk to the real one.
//!
//! A question, and its answer as it arrives:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Server::start([Reply::text("Hello there.")]);
//! # let address = server.api_url();
//! use codex_run::output::{Notice, Sink};
//! use codex_run::talk::{Access, Talk};
//!
//! struct Shout(String);
//!
//! impl Sink for Shout {
//!     fn take(&mut self, notice: Notice<'_>) -> std::io::Result<()> {
//!         if let Notice::Text(text) = notice {
//!             self.0.push_str(&text.to_uppercase());
//!         }
//!         Ok(())
//!     }
//!     fn flush(&mut self) -> std::io::Result<()> {
//!         Ok(())
//!     }
//! }
//!
//! let access = Access::key(&address, "sk-invented")?;
//! let mut talk = Talk::new(access, "gpt-5.5")?;
//! let mut sink = Shout(String::new());
//! let answer = talk.ask("Say hello", &mut sink)?;
//! assert_eq!(answer, "Hello there.");
//! assert_eq!(sink.0, "HELLO THERE.");
//! # Ok(())
//! # }
//! ```
//!
//! A tool that is a function of the program, and a second question that knows of the first:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let call = Reply::items(vec![Item::call("add", r#"{"a": 2, "b": 3}"#)]);
//! # let server = Server::start([call, Reply::text("It is 5."), Reply::text("You asked for 2 + 3.")]);
//! # let address = server.api_url();
//! use codex_run::talk::{Access, Quiet, Talk};
//! use serde_json::json;
//!
//! let number = json!({"type": "integer"});
//! let parameters = json!({"type": "object", "properties": {"a": number, "b": number}, "required": ["a", "b"]});
//! let mut talk = Talk::new(Access::key(&address, "sk-invented")?, "gpt-5.5")?
//!     .instructions("You do sums.")
//!     .tool("add", "Adds two numbers.", parameters, |arguments| {
//!         match (arguments["a"].as_i64(), arguments["b"].as_i64()) {
//!             (Some(a), Some(b)) => Ok((a + b).to_string()),
//!             _ => Err("these are no numbers".to_owned()),
//!         }
//!     });
//! assert_eq!(talk.ask("What is 2 + 3?", &mut Quiet)?, "It is 5.");
//! assert_eq!(talk.ask("What did I ask?", &mut Quiet)?, "You asked for 2 + 3.");
//! # let sent = server.requests().last().expect("a request").json();
//! # assert!(sent["input"].as_array().is_some_and(|items| items.len() == 5), "{sent}");
//! # Ok(())
//! # }
//! ```
//!
//! Signing in with prompts of one's own, and the models that the sign-in can use:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Server::start([Reply::text("ok")]);
//! # let (issuer, backend) = (server.url(), server.subscription_url());
//! # let issuer_of = server.issuer();
//! use codex_run::talk::{Access, models, sign_in};
//!
//! let signed_in = sign_in(&issuer, |address, code| {
//!     let _ = format!("Open {address} and type in {code}");
//! #     issuer_of.approve(code);
//! })?;
//! let access = Access::token(&backend, signed_in.access.expose())?;
//! let names: Vec<String> = models(&access)?.into_iter().map(|model| model.id).collect();
//! assert!(names.contains(&"gpt-5.5".to_owned()));
//! # Ok(())
//! # }
//! ```

mod error;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

use serde_json::Value;

use crate::agent::{self, End, Learned, Policy, Run};
use crate::api::models::{Listing, PATIENCE, fetch};
use crate::api::{self, Client, Endpoints, Route, Scope};
use crate::auth::device::{self, Ended};
use crate::auth::issuer::Issuer;
use crate::auth::token::SignedIn;
use crate::auth::{self, Authority, Credential};
use crate::clock::{millis, seconds};
use crate::http::{BaseUrl, Http, SILENCE, Setup, host};
use crate::id::{ModelId, ThreadId};
use crate::models::fit::{Asked, fit};
use crate::models::{Backend, Model, catalogue, find_or_unknown, remote};
use crate::output::{Notice, Sink};
use crate::secret::Secret;
use crate::tools::closure::Closure;
use crate::tools::offer::Offer;
use crate::tools::process::{self, Tools};
use crate::wire::answer::Trouble;
use crate::wire::request::{Body, Function, Head};
pub use error::Error;

/// How this program names itself to the service.
const AGENT: &str = concat!("codex-run/", env!("CARGO_PKG_VERSION"));

/// Who asks, and where.
#[derive(Clone, Debug)]
pub struct Access {
    authority: Authority,
    endpoints: Endpoints,
    backend: Backend,
    setup: Setup,
}

impl Access {
    /// With a key, at the address of the API or of another server that speaks it.
    ///
    /// # Errors
    /// When the address or the key is none.
    pub fn key(address: &str, key: &str) -> Result<Self, Error> {
        let secret = Secret::new(key.to_owned());
        let key = auth::key(&secret, &auth::Source::Caller).map_err(Error::Key)?;
        let access = Self::new(address, Credential::Key(key), Backend::Other)?;
        let backend = Backend::of_key(&host(access.endpoints.api.as_str()));
        Ok(Self { backend, ..access })
    }

    /// With a ChatGPT access token, at the address of the subscription backend.
    ///
    /// # Errors
    /// When the address or the token is none.
    pub fn token(address: &str, token: &str) -> Result<Self, Error> {
        let credential =
            Credential::of_token(Secret::new(token.to_owned())).map_err(Error::Token)?;
        Self::new(address, credential, Backend::Subscription)
    }

    fn new(address: &str, credential: Credential, backend: Backend) -> Result<Self, Error> {
        let base = BaseUrl::parse(address).map_err(Error::Address)?;
        Ok(Self {
            authority: Authority::Fixed(credential),
            endpoints: Endpoints {
                subscription: base.clone(),
                api: base,
                route: Route::default(),
                scope: Scope::default(),
            },
            backend,
            setup: Setup::new(AGENT),
        })
    }

    /// The same through this proxy, or trusting these roots.
    #[must_use]
    pub fn through(self, setup: Setup) -> Self {
        Self { setup, ..self }
    }
}

/// Signs in with a code that is typed in on any device. `show` is given the address to open and the code; this waits until
/// somebody has done so. What comes back is for the program to keep.
///
/// # Errors
/// When the sign-in does not come about.
pub fn sign_in(issuer: &str, show: impl FnOnce(&str, &str)) -> Result<SignedIn, Error> {
    let base = BaseUrl::parse(issuer).map_err(Error::Address)?;
    let issuer = Issuer::new(base, &Setup::new(AGENT));
    let device = issuer.device(&|_, _| {}).map_err(Error::SignIn)?;
    show(&issuer.device_url(), device.code.expose());
    let (code, verifier) = device::wait(&issuer, &device).map_err(|ended| match ended {
        Ended::TimedOut => Error::TimedOut,
        Ended::Failed(error) => Error::SignIn(error),
    })?;
    let tokens = issuer
        .exchange(&code, &verifier, &issuer.device_redirect(), &|_, _| {})
        .map_err(Error::SignIn)?;
    SignedIn::first(tokens, seconds()).map_err(Error::Token)
}

/// The models that this access can use, as the service lists them.
///
/// # Errors
/// When there is no list.
pub fn models(access: &Access) -> Result<Vec<Model>, Error> {
    let http = Http::new(&access.setup, SILENCE);
    let listing = fetch(&http, &access.endpoints, &access.authority, None, PATIENCE);
    let Listing::New(body, _) = listing.map_err(Error::Models)? else {
        return Err(Error::NoList);
    };
    let known = catalogue::of(access.backend);
    if access.backend == Backend::Subscription {
        return remote::parse(&body, &known).ok_or(Error::NoList);
    }
    let ids = remote::ids(&body).ok_or(Error::NoList)?;
    let model = |id: &String| find_or_unknown(&known, id);
    Ok(ids.iter().map(model).collect())
}

/// A sink that takes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Quiet;

impl Sink for Quiet {
    fn take(&mut self, _: Notice<'_>) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A conversation.
#[derive(Debug)]
pub struct Talk {
    access: Access,
    model: Model,
    instructions: String,
    offered: Vec<Offer>,
    effort: Option<String>,
    policy: Policy,
    thread: ThreadId,
    items: Vec<Vec<u8>>,
}

impl Talk {
    /// A new one with this model. Nothing is sent before the first question.
    ///
    /// # Errors
    /// When no model can have this id, or there are no random numbers for its own.
    pub fn new(access: Access, model: &str) -> Result<Self, Error> {
        let id: ModelId = model.parse().map_err(Error::Model)?;
        let mut random = [0; 10];
        getrandom::fill(&mut random).map_err(Error::Random)?;
        let known = catalogue::of(access.backend);
        let model = find_or_unknown(&known, id.as_str());
        Ok(Self {
            policy: Policy {
                max_turns: 100,
                max_tokens: None,
                max_calls: None,
                window: model.window(),
                price: model.price,
                retries: 5,
                wait_for_reset: None,
                buffer: false,
                fail_on_tool_error: false,
            },
            access,
            model,
            instructions: "You answer a program.".to_owned(),
            offered: Vec::new(),
            effort: None,
            thread: ThreadId::new(millis(), random),
            items: Vec::new(),
        })
    }

    /// Who the model is to be.
    #[must_use]
    pub fn instructions(mut self, words: &str) -> Self {
        words.clone_into(&mut self.instructions);
        self
    }

    /// How much the model is to think.
    #[must_use]
    pub fn effort(mut self, level: &str) -> Self {
        self.effort = Some(level.to_owned());
        self
    }

    /// What a question may cost, and how often a request is made again.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// A function that the model may call, with the JSON Schema of its arguments, which are checked before.
    #[must_use]
    pub fn tool(
        mut self,
        name: &str,
        description: &str,
        parameters: Value,
        work: impl Fn(&Value) -> Result<String, String> + Send + Sync + 'static,
    ) -> Self {
        let closure = Closure::new(name, description, parameters, Box::new(work));
        self.offered.push(Offer::Closure(Arc::new(closure)));
        self
    }

    /// Asks, runs what the model calls, and waits for the whole answer; its last message. What happens meanwhile is told to
    /// the sink.
    ///
    /// # Errors
    /// When there is no whole answer. The conversation is then as it was before.
    pub fn ask(&mut self, question: &str, sink: &mut dyn Sink) -> Result<String, Error> {
        let functions: Vec<Function<'_>> = self.offered.iter().map(Offer::function).collect();
        let asked = Asked {
            effort: self.effort.as_deref(),
            defaults: self.access.backend.is_of_openai(),
            ..Asked::default()
        };
        let fitted = fit(&asked, &self.model);
        let head = |shape| Head {
            shape,
            model: &self.model.id,
            instructions: &self.instructions,
            tools: &functions,
            developer: self.access.backend.is_of_openai(),
            search: None,
            parallel: !self.model.one_call,
            reasons: !self.model.plain,
            effort: fitted.effort.as_deref(),
            summary: None,
            verbosity: fitted.verbosity.as_deref(),
            format: None,
            max_output: None,
            pictures: self.model.pictures(),
            cache_key: self.thread.as_str(),
        };
        let shape = self.model.shape(self.access.backend);
        let mut body = Body::new(&head(shape));
        for item in &self.items {
            body.push(item);
        }
        let mut added = vec![body.push_message(question, &[])];
        let client = Client::new(
            Http::new(&self.access.setup, SILENCE),
            &self.access.endpoints,
            self.access.authority.clone(),
            &self.thread,
        );
        let setup = process::Setup::only(self.offered.clone());
        let (sender, inputs) = mpsc::channel();
        let (mut learned, mut last) = (Learned::default(), None);
        let run = Run {
            client,
            body,
            journal: Some(&mut added),
            last: Some(&mut last),
            others: match self.access.backend {
                Backend::Subscription => {
                    let others = shape.others().into_iter();
                    others.map(|shape| Body::new(&head(shape))).collect()
                }
                Backend::Api | Backend::Other => Vec::new(),
            },
            instead: None,
            learned: &mut learned,
            searches: false,
            tools: Arc::new(Tools::new(setup)),
            policy: self.policy,
            words,
            sink,
            winding_up: Arc::new(AtomicBool::new(false)),
        };
        match agent::drive(run, &sender, &inputs) {
            End::Answered => {
                self.items.append(&mut added);
                Ok(last.unwrap_or_default())
            }
            end => Err(Error::End(end)),
        }
    }
}

/// Why an answer cannot be used, in words.
fn words(trouble: &Trouble, error: Option<&api::Error>) -> String {
    match error {
        Some(error) => error.to_string(),
        None => format!("{trouble:?}"),
    }
}
