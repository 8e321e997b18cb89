//! Conversations for programs: who asks, which model, what tools, and then one question after the other.
//!
//! The examples below talk to the stand-in service of this repository; with [`Access::stored`] they talk to the real one, as
//! the first example of this crate does.
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
//! let mut conversation = Talk::new(access, "gpt-5.5")?.open()?;
//! let mut sink = Shout(String::new());
//! let reply = conversation.ask("Say hello", &mut sink)?;
//! assert_eq!(reply.message(), "Hello there.");
//! assert_eq!(sink.0, "HELLO THERE.");
//! # Ok(())
//! # }
//! ```
//!
//! A tool that is a function of the program, and a second question that knows of the first, on the same connection:
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
//! let mut conversation = Talk::new(Access::key(&address, "sk-invented")?, "gpt-5.5")?
//!     .instructions("You do sums.")
//!     .tool("add", "Adds two numbers.", parameters, |arguments| {
//!         match (arguments["a"].as_i64(), arguments["b"].as_i64()) {
//!             (Some(a), Some(b)) => Ok((a + b).to_string()),
//!             _ => Err("these are no numbers".to_owned()),
//!         }
//!     })
//!     .open()?;
//! let reply = conversation.ask("What is 2 + 3?", &mut Quiet)?;
//! assert_eq!((&*reply.message(), reply.requests, reply.failed_calls), ("It is 5.", 2, 0));
//! let reply = conversation.ask("What did I ask?", &mut Quiet)?;
//! assert_eq!(reply.message(), "You asked for 2 + 3.");
//! # let sent = server.requests().last().expect("a request").json();
//! # assert!(sent["input"].as_array().is_some_and(|items| items.len() == 5), "{sent}");
//! # assert_eq!(server.connections(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! A turn that another thread stops while the answer arrives, and the next one, which knows what was asked:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let slow = Reply::text("one two three four").event_pause(std::time::Duration::from_secs(60));
//! # let server = Server::start([slow, Reply::text("Yes."), Reply::text("Again.")]);
//! # let address = server.api_url();
//! use codex_run::agent::{Control, Stop};
//! use codex_run::talk::{Access, Quiet, Talk};
//! use std::thread;
//!
//! let control = Control::new();
//! let mut conversation = Talk::new(Access::key(&address, "sk-invented")?, "gpt-5.5")?
//!     .control(control.clone())
//!     .open()?;
//! let escape = thread::spawn(move || {
//! #   while server.requests().is_empty() { thread::yield_now(); }
//!     while !control.stop_turn() {}
//! #   server
//! });
//! let stop = conversation.ask("Count.", &mut Quiet).expect_err("it is stopped");
//! assert!(matches!(stop, Stop::Interrupted));
//! assert_eq!(stop.exit_code(), 130);
//! # let server = escape.join().expect("no panic");
//! assert_eq!(conversation.ask("Are you there?", &mut Quiet)?.message(), "Yes.");
//! assert_eq!(conversation.ask("Still?", &mut Quiet)?.message(), "Again.");
//! # let input = &server.requests()[1].json()["input"];
//! # let asked: Vec<&str> = input.as_array().into_iter().flatten().filter(|item| item["role"] == "user").filter_map(|item| item["content"][0]["text"].as_str()).collect();
//! # assert_eq!(asked, ["Count.", "Are you there?"], "{input}");
//! # assert_eq!(server.connections(), 2, "one that was stopped, and one for both turns behind it");
//! # Ok(())
//! # }
//! ```
//!
//! A message that steers the turn while its tool runs, which the next request carries behind the result:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let call = Reply::items(vec![Item::call("wait", "{}")]);
//! # let server = Server::start([call, Reply::text("In French: bonjour.")]);
//! # let address = server.api_url();
//! use codex_run::agent::Control;
//! use codex_run::talk::{Access, Quiet, Talk};
//! use serde_json::json;
//!
//! let control = Control::new();
//! let steering = control.clone();
//! let mut conversation = Talk::new(Access::key(&address, "sk-invented")?, "gpt-5.5")?
//!     .control(control)
//!     .tool("wait", "Waits.", json!({"type": "object"}), move |_| {
//!         steering.steer("In French, please.");
//!         Ok("done".to_owned())
//!     })
//!     .open()?;
//! assert_eq!(conversation.ask("Say hello", &mut Quiet)?.message(), "In French: bonjour.");
//! assert!(conversation.control().take_steering().is_empty());
//! # let sent = server.requests().last().expect("a request").json();
//! # let input = sent["input"].as_array().expect("items");
//! # assert_eq!(input[input.len() - 2]["type"], "function_call_output", "{sent}");
//! # assert_eq!(input[input.len() - 1]["content"][0]["text"], "In French, please.", "{sent}");
//! # assert_eq!(server.connections(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! A turn that is stopped while its tool runs: the call is answered as aborted, and the conversation goes on.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let call = || Reply::items(vec![Item::call("once", "{}")]);
//! # let server = Server::start([call(), call(), Reply::text("Good.")]);
//! # let address = server.api_url();
//! use std::sync::atomic::{AtomicBool, Ordering};
//!
//! use codex_run::agent::Control;
//! use codex_run::talk::{Access, Quiet, Talk};
//! use serde_json::json;
//!
//! let (control, stops) = (Control::new(), AtomicBool::new(true));
//! let from_tool = control.clone();
//! let mut conversation = Talk::new(Access::key(&address, "sk-invented")?, "gpt-5.5")?
//!     .control(control)
//!     .tool("once", "Stops the turn, the first time.", json!({"type": "object"}), move |_| {
//!         if stops.swap(false, Ordering::Relaxed) {
//!             from_tool.stop_turn();
//!         }
//!         Ok("done".to_owned())
//!     })
//!     .open()?;
//! assert!(conversation.ask("Begin.", &mut Quiet).is_err());
//! assert_eq!(conversation.ask("Go on.", &mut Quiet)?.message(), "Good.");
//! # let sent = server.requests().last().expect("a request").json();
//! # let items = sent["input"].as_array().expect("items").iter();
//! # let outputs: Vec<&str> = items.filter_map(|item| item["output"].as_str()).collect();
//! # assert_eq!(outputs, ["aborted", "done"], "{sent}");
//! # Ok(())
//! # }
//! ```
//!
//! A question that failed is taken back, so that it can be asked again; the error says what a command would:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let limit = json!({"error": {"type": "usage_limit_reached", "message": "No more.", "resets_at": 4_000_000_000_u64}});
//! # use serde_json::json;
//! # let server = Server::start([Reply::json(429, &limit), Reply::text("Hello.")]);
//! # let address = server.api_url();
//! use codex_run::talk::{Access, Quiet, Talk};
//!
//! let mut conversation = Talk::new(Access::key(&address, "sk-invented")?, "gpt-5.5")?.open()?;
//! let stop = conversation.ask("Say hello", &mut Quiet).expect_err("a limit is reached");
//! assert_eq!((stop.exit_code(), stop.retry_at()), (6, Some(4_000_000_000)));
//! assert_eq!(conversation.ask("Say hello", &mut Quiet)?.message(), "Hello.");
//! # let sent = server.requests().last().expect("a request").json();
//! # assert!(sent["input"].as_array().is_some_and(|items| items.len() == 1), "{sent}");
//! # Ok(())
//! # }
//! ```
//!
//! The sign-in that `codex login` has stored is renewed when that is needed, and stored again for all who share it:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Server::start([Reply::text("Hello.")]);
//! # let home = std::env::temp_dir().join(format!("codex-run-sign-in-{}", std::process::id()));
//! # std::fs::create_dir_all(&home)?;
//! # let ended = server.issuer().grant_until("acct-1", 1_000_000_000);
//! # let file = serde_json::json!({"openai-codex": {"type": "oauth", "access": ended.access, "refresh": ended.refresh,
//! #     "expires": 1_000_000_000_000_u64, "accountId": "acct-1"}});
//! # std::fs::write(home.join("auth.json"), file.to_string())?;
//! # let (issuer, backend) = (server.url(), server.subscription_url());
//! use codex_run::talk::{Access, Quiet, Talk};
//!
//! let access = Access::stored_for(&home, &issuer, &backend)?;
//! let mut conversation = Talk::new(access, "gpt-5.5")?.open()?;
//! assert_eq!(conversation.ask("Say hello", &mut Quiet)?.message(), "Hello.");
//! # assert_eq!(server.issuer().refreshed(), 1);
//! # let stored = std::fs::read_to_string(home.join("auth.json"))?;
//! # assert!(!stored.contains(&ended.refresh), "it is spent");
//! # std::fs::remove_dir_all(&home)?;
//! # Ok(())
//! # }
//! ```
//!
//! A conversation that is stored, and goes on in another process:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Server::start([Reply::text("I will."), Reply::text("It is 7.")]);
//! # let address = server.api_url();
//! # let home = std::env::temp_dir().join(format!("codex-run-example-{}", std::process::id()));
//! use codex_run::talk::{Access, Quiet, Talk};
//!
//! let access = Access::key(&address, "sk-invented")?;
//! let mut conversation = Talk::new(access.clone(), "gpt-5.5")?.stored(&home).open()?;
//! conversation.ask("Remember the number 7.", &mut Quiet)?;
//! let id = conversation.thread().as_str().to_owned();
//! drop(conversation);
//!
//! let mut conversation = Talk::new(access, "gpt-5.5")?.resumed(&home, &id).open()?;
//! assert_eq!(conversation.ask("Which number?", &mut Quiet)?.message(), "It is 7.");
//! # let sent = server.requests().last().expect("a request").json();
//! # assert!(sent["input"].as_array().is_some_and(|items| items.len() == 3), "{sent}");
//! # std::fs::remove_dir_all(&home)?;
//! # Ok(())
//! # }
//! ```
//!
//! The built-in tools, each call of which is a process in a sandbox; `codex` has to be installed for them:
//!
//! ```no_run
//! use codex_run::talk::{Access, Quiet, Sandbox, Talk};
//! use std::path::Path;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let home = Path::new("/home/me/.codex-run");
//! let sandbox = Sandbox::workspace_write(Path::new("/usr/local/bin/codex"), Path::new("."))
//!     .hide(home)
//!     .environment(std::env::vars_os().collect());
//! let mut conversation = Talk::new(Access::stored(home)?, "gpt-5.5")?
//!     .sandboxed(sandbox, &["read", "edit", "bash"])?
//!     .open()?;
//! println!("{}", conversation.ask("Make the tests pass.", &mut Quiet)?.message());
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

mod access;
mod builder;
mod error;
mod sandbox;
mod sign_in;
mod sink;

pub use access::Access;
pub use builder::Talk;
pub use error::Error;
pub use sandbox::Sandbox;
pub use sign_in::{models, sign_in};
pub use sink::Quiet;
