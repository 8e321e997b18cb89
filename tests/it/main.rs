//! The binary, by what a user does: one test program that runs the real `codex` against the stand-in
//! service over real sockets. It knows the binary and the protocol, and nothing of the library.

#[path = "../standin/mod.rs"]
mod standin;

mod home; // a fresh home, a clean environment, and the command under test

mod bad_input; // what is wrong on the command line, with its message and code
mod credentials; // which secret goes where, and that it is shown nowhere
mod ends; // signals, the clock, a budget
mod faults; // what the service says when it says no, and streams that break off
mod fixtures; // recorded streams of real services, where they are at hand
mod generated; // man/ and completions/ are what the binary prints
mod login; // the ways to sign in
mod pipes; // standard input and output, as a prompt and as an answer
mod refresh; // a sign-in that stays valid
mod refusals; // the issuer says no
mod run; // a prompt in, an answer out
mod tidy; // who may import whom
mod tools; // the calls of a model, and what goes back
mod tree; // nothing is left alive
