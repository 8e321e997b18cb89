//! Conversations for programs: a credential, a model, tools, and then message after message.
//!
//! Each example is a function that can be copied verbatim. [`Access::stored`] is the sign-in of `codex login`, as in the
//! first example of this crate; [`Access::key`] with `https://api.openai.com/v1` is an API key.
//!
//! A message, and its answer as it arrives:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let server = Server::start([Reply::text("Hello there.")]);
//! #     assert_eq!(shout(Access::key(&server.api_url(), "sk-invented")?)?, "HELLO THERE.");
//! #     Ok(())
//! # }
//! use std::error::Error;
//! use std::io;
//!
//! use codex_run::output::{Notice, Sink};
//! use codex_run::conversation::{Access, ConversationBuilder};
//!
//! struct Shout(String);
//!
//! impl Sink for Shout {
//!     fn take(&mut self, notice: Notice<'_>) -> io::Result<()> {
//!         if let Notice::Text(text) = notice {
//!             self.0.push_str(&text.to_uppercase());
//!         }
//!         Ok(())
//!     }
//!     fn flush(&mut self) -> io::Result<()> {
//!         Ok(())
//!     }
//! }
//!
//! fn shout(access: Access) -> Result<String, Box<dyn Error>> {
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?.open()?;
//!     let mut sink = Shout(String::new());
//!     let reply = conversation.ask("Say hello", &mut sink)?;
//!     assert_eq!(reply.message().to_uppercase(), sink.0);
//!     Ok(sink.0)
//! }
//! ```
//!
//! A tool that is a function of the program, and a second message in the same conversation, on the same connection:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let call = Reply::items(vec![Item::call("add", r#"{"a": 2, "b": 3}"#)]);
//! #     let server = Server::start([call, Reply::text("It is 5."), Reply::text("You asked for 2 + 3.")]);
//! #     add(Access::key(&server.api_url(), "sk-invented")?)?;
//! #     let sent = server.requests().last().expect("a request").json();
//! #     assert!(sent["input"].as_array().is_some_and(|items| items.len() == 5), "{sent}");
//! #     assert_eq!(server.connections(), 1);
//! #     Ok(())
//! # }
//! use std::error::Error;
//!
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//! use serde_json::json;
//!
//! fn add(access: Access) -> Result<(), Box<dyn Error>> {
//!     let number = json!({"type": "integer"});
//!     let parameters = json!({"type": "object", "properties": {"a": number, "b": number}, "required": ["a", "b"]});
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?
//!         .instructions("You do sums.")
//!         .tool("add", "Adds two numbers.", parameters, |arguments| {
//!             match (arguments["a"].as_i64(), arguments["b"].as_i64()) {
//!                 (Some(a), Some(b)) => Ok((a + b).to_string()),
//!                 _ => Err("not two numbers".to_owned()),
//!             }
//!         })
//!         .open()?;
//!     let reply = conversation.ask("What is 2 + 3?", &mut Quiet)?;
//!     assert_eq!((&*reply.message(), reply.requests, reply.failed_calls), ("It is 5.", 2, 0));
//!     let reply = conversation.ask("What did I ask?", &mut Quiet)?;
//!     assert_eq!(reply.message(), "You asked for 2 + 3.");
//!     Ok(())
//! }
//! ```
//!
//! A turn that another thread stops, here when `wait_for_key` returns, and the next turn, which still has the first message:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let slow = Reply::text("one two three four").event_pause(std::time::Duration::from_secs(60));
//! #     let server = std::sync::Arc::new(Server::start([slow, Reply::text("Yes."), Reply::text("Again.")]));
//! #     let asked = std::sync::Arc::clone(&server);
//! #     let wait_for_key = move || while asked.requests().is_empty() { thread::yield_now(); };
//! #     count(Access::key(&server.api_url(), "sk-invented")?, wait_for_key)?;
//! #     let input = &server.requests()[1].json()["input"];
//! #     let users = input.as_array().into_iter().flatten().filter(|item| item["role"] == "user");
//! #     let asked: Vec<&str> = users.filter_map(|item| item["content"][0]["text"].as_str()).collect();
//! #     assert_eq!(asked, ["Count.", "Are you there?"], "{input}");
//! #     assert_eq!(server.connections(), 2, "one that was stopped, and one for both turns after it");
//! #     Ok(())
//! # }
//! use std::error::Error;
//! use std::thread;
//!
//! use codex_run::conversation::Stop;
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//!
//! fn count(access: Access, wait_for_key: impl FnOnce() + Send + 'static) -> Result<(), Box<dyn Error>> {
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?.open()?;
//!     let control = conversation.control();
//!     let escape = thread::spawn(move || {
//!         wait_for_key();
//!         control.stop_turn()
//!     });
//!     let stop = conversation.ask("Count.", &mut Quiet).expect_err("it is stopped");
//!     assert!(matches!(stop, Stop::Interrupted));
//!     assert_eq!(stop.exit_code(), 130);
//!     assert!(escape.join().expect("no panic"), "a turn ran");
//!     assert_eq!(conversation.ask("Are you there?", &mut Quiet)?.message(), "Yes.");
//!     assert_eq!(conversation.ask("Still?", &mut Quiet)?.message(), "Again.");
//!     Ok(())
//! }
//! ```
//!
//! A message that steers the turn while its tool runs. The next request contains it, after the tool's result:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let call = Reply::items(vec![Item::call("wait", "{}")]);
//! #     let server = Server::start([call, Reply::text("In French: bonjour.")]);
//! #     greet(Access::key(&server.api_url(), "sk-invented")?)?;
//! #     let sent = server.requests().last().expect("a request").json();
//! #     let input = sent["input"].as_array().expect("items");
//! #     assert_eq!(input[input.len() - 2]["type"], "function_call_output", "{sent}");
//! #     assert_eq!(input[input.len() - 1]["content"][0]["text"], "In French, please.", "{sent}");
//! #     assert_eq!(server.connections(), 1);
//! #     Ok(())
//! # }
//! use std::error::Error;
//!
//! use codex_run::conversation::Control;
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//! use serde_json::json;
//!
//! fn greet(access: Access) -> Result<(), Box<dyn Error>> {
//!     let control = Control::new();
//!     let steering = control.clone();
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?
//!         .control(control)
//!         .tool("wait", "Waits.", json!({"type": "object"}), move |_| {
//!             steering.steer("In French, please.");
//!             Ok("done".to_owned())
//!         })
//!         .open()?;
//!     assert_eq!(conversation.ask("Say hello", &mut Quiet)?.message(), "In French: bonjour.");
//!     assert!(conversation.control().take_steering().is_empty());
//!     Ok(())
//! }
//! ```
//!
//! A turn that is stopped while its tool runs: the result of the call is "aborted", and the conversation continues.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let call = || Reply::items(vec![Item::call("once", "{}")]);
//! #     let server = Server::start([call(), call(), Reply::text("Good.")]);
//! #     continue_after_stop(Access::key(&server.api_url(), "sk-invented")?)?;
//! #     let sent = server.requests().last().expect("a request").json();
//! #     let items = sent["input"].as_array().expect("items").iter();
//! #     let outputs: Vec<&str> = items.filter_map(|item| item["output"].as_str()).collect();
//! #     assert_eq!(outputs, ["aborted", "done"], "{sent}");
//! #     Ok(())
//! # }
//! use std::error::Error;
//! use std::sync::atomic::{AtomicBool, Ordering};
//!
//! use codex_run::conversation::Control;
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//! use serde_json::json;
//!
//! fn continue_after_stop(access: Access) -> Result<(), Box<dyn Error>> {
//!     let (control, stops) = (Control::new(), AtomicBool::new(true));
//!     let from_tool = control.clone();
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?
//!         .control(control)
//!         .tool("once", "Stops the turn, the first time.", json!({"type": "object"}), move |_| {
//!             if stops.swap(false, Ordering::Relaxed) {
//!                 from_tool.stop_turn();
//!             }
//!             Ok("done".to_owned())
//!         })
//!         .open()?;
//!     assert!(conversation.ask("Begin.", &mut Quiet).is_err());
//!     assert_eq!(conversation.ask("Go on.", &mut Quiet)?.message(), "Good.");
//!     Ok(())
//! }
//! ```
//!
//! A message that failed is removed, so it can be sent again; the error has the exit code that `codex` would return:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let limit = serde_json::json!({"error": {"type": "usage_limit_reached", "message": "No more.", "resets_at": 4_000_000_000_u64}});
//! #     let server = Server::start([Reply::json(429, &limit), Reply::text("Hello.")]);
//! #     ask_again(Access::key(&server.api_url(), "sk-invented")?)?;
//! #     let sent = server.requests().last().expect("a request").json();
//! #     assert!(sent["input"].as_array().is_some_and(|items| items.len() == 1), "{sent}");
//! #     Ok(())
//! # }
//! use std::error::Error;
//!
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//!
//! fn ask_again(access: Access) -> Result<(), Box<dyn Error>> {
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?.open()?;
//!     let stop = conversation.ask("Say hello", &mut Quiet).expect_err("a limit has been reached");
//!     assert_eq!((stop.exit_code(), stop.retry_at()), (6, Some(4_000_000_000)));
//!     assert_eq!(conversation.ask("Say hello", &mut Quiet)?.message(), "Hello.");
//!     Ok(())
//! }
//! ```
//!
//! A budget applies to all turns together. A turn that does not fit sends nothing:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let call = Reply::items(vec![Item::call("wait", "{}")]);
//! #     let server = Server::start([Reply::text("One."), call, Reply::text("Two."), Reply::text("Never.")]);
//! #     three_requests(Access::key(&server.api_url(), "sk-invented")?)?;
//! #     assert_eq!(server.requests().len(), 3);
//! #     Ok(())
//! # }
//! use std::error::Error;
//!
//! use codex_run::conversation::{Budget, Next, Policy, Stop};
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//! use serde_json::json;
//!
//! fn three_requests(access: Access) -> Result<(), Box<dyn Error>> {
//!     let budget = Budget { max_requests: Some(3), ..Budget::default() };
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?
//!         .policy(Policy { budget, ..Policy::default() })
//!         .tool("wait", "Waits.", json!({"type": "object"}), |_| Ok("done".to_owned()))
//!         .open()?;
//!     assert_eq!(conversation.ask("Begin.", &mut Quiet)?.requests, 1);
//!     assert_eq!(conversation.ask("Go on.", &mut Quiet)?.requests, 2);
//!     let stop = conversation.ask("Go on.", &mut Quiet).expect_err("three are used");
//!     assert!(matches!(stop, Stop::Turns { limit: 3, next: Next::Turn }));
//!     assert_eq!(stop.exit_code(), 9);
//!     Ok(())
//! }
//! ```
//!
//! A long conversation is compacted near the model's limit ([`CompactMode`]), or on request: tool calls, their results and
//! reasoning are replaced, here by a summary of the model:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let call = Reply::items(vec![Item::call("work", "{}")]);
//! #     let server = Server::start([call, Reply::text("Done."), Reply::text("The work is done."), Reply::text("Yes.")]);
//! #     shorten(Access::key(&server.api_url(), "sk-invented")?)?;
//! #     let sent = server.requests().last().expect("a request").json();
//! #     let items = sent["input"].as_array().expect("items");
//! #     assert!(items.iter().all(|item| item["type"] == "message"), "{sent}");
//! #     assert!(items[2]["content"][0]["text"].as_str().is_some_and(|text| text.ends_with("The work is done.")), "{sent}");
//! #     Ok(())
//! # }
//! use std::error::Error;
//! use std::io;
//!
//! use codex_run::conversation::{Access, CompactMode, ConversationBuilder, Policy};
//! use codex_run::output::{Notice, Sink};
//! use serde_json::json;
//!
//! #[derive(Default)]
//! struct Lengths(Vec<(u64, u64)>);
//!
//! impl Sink for Lengths {
//!     fn take(&mut self, notice: Notice<'_>) -> io::Result<()> {
//!         if let Notice::Compacted(compacted) = notice {
//!             self.0.push((compacted.before, compacted.after));
//!         }
//!         Ok(())
//!     }
//!     fn flush(&mut self) -> io::Result<()> {
//!         Ok(())
//!     }
//! }
//!
//! fn shorten(access: Access) -> Result<(), Box<dyn Error>> {
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?
//!         .policy(Policy { compact: CompactMode::At(100_000), ..Policy::default() })
//!         .tool("work", "Works.", json!({"type": "object"}), |_| Ok("done".to_owned()))
//!         .open()?;
//!     let mut sink = Lengths::default();
//!     conversation.ask("Work.", &mut sink)?;
//!     assert!(conversation.compact(&mut sink)?, "there was a call to remove");
//!     assert_eq!(sink.0.len(), 1);
//!     assert_eq!(conversation.ask("Is it done?", &mut sink)?.message(), "Yes.");
//!     Ok(())
//! }
//! ```
//!
//! A conversation that is stored and resumed, possibly by another process:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let server = Server::start([Reply::text("I will."), Reply::text("It is 7.")]);
//! #     let home = std::env::temp_dir().join(format!("codex-run-example-{}", std::process::id()));
//! #     remember(&Access::key(&server.api_url(), "sk-invented")?, &home)?;
//! #     let sent = server.requests().last().expect("a request").json();
//! #     assert!(sent["input"].as_array().is_some_and(|items| items.len() == 3), "{sent}");
//! #     std::fs::remove_dir_all(&home)?;
//! #     Ok(())
//! # }
//! use std::error::Error;
//! use std::path::Path;
//!
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//!
//! fn remember(access: &Access, home: &Path) -> Result<(), Box<dyn Error>> {
//!     let mut conversation = ConversationBuilder::new(access.clone(), "gpt-5.5")?.stored(home).open()?;
//!     conversation.ask("Remember the number 7.", &mut Quiet)?;
//!     let id = conversation.thread().to_string();
//!     drop(conversation);
//!
//!     let mut conversation = ConversationBuilder::new(access.clone(), "gpt-5.5")?.resumed(home, &id).open()?;
//!     assert_eq!(conversation.ask("Which number?", &mut Quiet)?.message(), "It is 7.");
//!     Ok(())
//! }
//! ```
//!
//! The built-in tools, and those of an MCP server. Calls and servers are processes in a sandbox, so `codex` must be installed:
//!
//! ```no_run
//! use std::error::Error;
//! use std::path::Path;
//!
//! use codex_run::conversation::{Access, Quiet, Sandbox, ConversationBuilder};
//!
//! fn repair(home: &Path, codex: &Path, project: &Path) -> Result<(), Box<dyn Error>> {
//!     let sandbox = Sandbox::workspace_write(codex, project)
//!         .hide(home)
//!         .environment(std::env::vars_os().collect());
//!     let mut conversation = ConversationBuilder::new(Access::stored(home)?, "gpt-5.5")?
//!         .sandboxed(sandbox, &["read", "edit", "bash"])?
//!         .server("git", &["mcp-server-git"])?
//!         .open()?;
//!     println!("{}", conversation.ask("Make the tests pass.", &mut Quiet)?.message());
//!     Ok(())
//! }
//! ```
//!
//! The sign-in stored by `codex login`, renewed when necessary and stored again for all processes that share it; with the
//! default addresses ([`Access::stored`]) or others:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let server = Server::start([Reply::text("Hello.")]);
//! #     let home = std::env::temp_dir().join(format!("codex-run-sign-in-{}", std::process::id()));
//! #     std::fs::create_dir_all(&home)?;
//! #     let ended = server.issuer().grant_until("acct-1", 1_000_000_000);
//! #     let file = serde_json::json!({"openai-codex": {"type": "oauth", "access": ended.access, "refresh": ended.refresh,
//! #         "expires": 1_000_000_000_000_u64, "accountId": "acct-1"}});
//! #     std::fs::write(home.join("auth.json"), file.to_string())?;
//! #     say_hello(&home, &server.url(), &server.subscription_url())?;
//! #     assert_eq!(server.issuer().refreshed(), 1);
//! #     let stored = std::fs::read_to_string(home.join("auth.json"))?;
//! #     assert!(!stored.contains(&ended.refresh), "it is spent");
//! #     std::fs::remove_dir_all(&home)?;
//! #     Ok(())
//! # }
//! use std::error::Error;
//! use std::path::Path;
//!
//! use codex_run::conversation::{Access, Quiet, ConversationBuilder};
//!
//! fn say_hello(home: &Path, issuer: &str, backend: &str) -> Result<(), Box<dyn Error>> {
//!     let access = Access::stored_for(home, issuer, backend)?;
//!     let mut conversation = ConversationBuilder::new(access, "gpt-5.5")?.open()?;
//!     assert_eq!(conversation.ask("Say hello", &mut Quiet)?.message(), "Hello.");
//!     Ok(())
//! }
//! ```
//!
//! A sign-in with the program's own prompts, and the models available to it:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/embedded.inc"));
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     let server = Server::start([Reply::text("ok")]);
//! #     let issuer = server.issuer();
//! #     names(&server.url(), &server.subscription_url(), |_, code| { issuer.approve(code); })?;
//! #     Ok(())
//! # }
//! use std::error::Error;
//!
//! use codex_run::conversation::{Access, models, sign_in};
//!
//! fn names(issuer: &str, backend: &str, show: impl FnOnce(&str, &str)) -> Result<(), Box<dyn Error>> {
//!     let signed_in = sign_in(issuer, |address, code| {
//!         println!("open {address} and enter {code}");
//!         show(address, code);
//!     })?;
//!     let access = Access::token(backend, signed_in.access.expose())?;
//!     let names: Vec<String> = models(&access)?.into_iter().map(|model| model.id).collect();
//!     assert!(names.contains(&"gpt-5.5".to_owned()));
//!     Ok(())
//! }
//! ```

mod access;
mod builder;
mod error;
mod sandbox;
mod sign_in;
mod sink;

pub use crate::agent::{
    Budget, CompactMode, Control, Conversation, Next, Policy, Reply, Stop, StopRequest, UserMessage,
};
pub use crate::api::Unanswered;
pub use crate::http::HttpSetup;
pub use crate::id::ThreadId;
pub use crate::outcome::Outcome;
pub use crate::result::CallResult;
pub use access::Access;
pub use builder::ConversationBuilder;
pub use error::Error;
pub use sandbox::Sandbox;
pub use sign_in::{models, sign_in};
pub use sink::Quiet;
