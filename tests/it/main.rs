//! The binary, by what a user does: one test program that runs the real `codex` against the stand-in
//! service over real sockets. It knows the binary and the protocol, and nothing of the library.

#[path = "../standin/mod.rs"]
mod standin;

#[cfg(target_os = "linux")]
mod attempts; // what is attempted against the sandbox
#[cfg(target_os = "linux")]
mod breakouts; // ways out of the sandbox that take more than one call
mod browser; // a browser sign-in under test
#[allow(dead_code)] // until the tests of the full screen use all of it
mod chat; // the full screen: questions, tool calls, keys and commands
mod chat_ends; // its edges: signals, Ctrl+Z, sign-in, other programs
mod emulator; // a terminal emulator
mod home; // a fresh home, a clean environment, and the command under test
mod imports; // a reader of the imports of the source tree
mod lines; // the JSON lines of any run
mod needs; // what tests need of the machine, and the one way to skip
mod on_screen; // a chat on a pseudo terminal
mod proxies; // proxies that want another sign-in, and those of SOCKS
mod proxy; // a proxy under test
mod pty; // a pseudo terminal
mod ran; // what a command did, and what a test wants of it
mod reader; // a reader of the JSON lines, with types of its own
mod stored; // a home with something stored in it

mod account; // status, token and logout
#[cfg(target_os = "linux")]
mod aliases; // credentials under other names
mod answers; // every kind of refusal by every way to the service
#[cfg(target_os = "linux")]
mod around; // what goes into a tool, and what it leaves behind
mod bad_input; // what is wrong on the command line, with its message and code
mod bound; // workspaces that are bound to a place
mod broken_files; // config.json and models.json with mistakes in them
mod budgets; // what a run may use, and what is told of it
mod catalogue; // every model of the built-in list, asked in both ways
mod clocks; // how long a connection, a head and silence may take
mod config; // defaults for flags
mod continued; // what is sent of earlier answers
mod credentials; // which secret goes where, and that it is shown nowhere
mod cuts; // connections that are cut, everywhere
#[cfg(target_os = "linux")]
mod decisive; // files that tools must not reach
mod defaults; // a model that nobody has named and that is not there
mod device; // signing in without a browser
mod disk; // disks that are full, and mounts
mod ends; // signals, the clock, a budget
mod exec; // the official spelling
#[cfg(target_os = "linux")]
mod exhausted; // threads, descriptors and sizes of files that are used up
mod fault_delays; // what the service says when it says no for now, and when it is asked again
mod fault_records; // recorded refusals of real services, where they are at hand
mod fault_table; // what the service says when it says no, row by row
mod faults; // what the service says when it says no, and streams that break off
#[cfg(target_os = "linux")]
mod first_process; // containers without an init
mod fitting; // what a model does not take
mod fixtures; // recorded streams of real services, where they are at hand
mod foreign; // credentials files of other programs
mod forged; // what others chose, in lines of ours
mod generated; // man/ and completions/ are what the binary prints
mod golden; // the JSON lines of a run as this version tells them
mod handed_over; // what env files and containers hand over as it stands
#[cfg(target_os = "linux")]
mod homes; // credentials in every home of the user
mod hostile; // answers that are beyond all measure
mod imports_tests; // the reader of imports, on small trees
mod inputs; // what goes along with a prompt
mod interrupted; // a renewal that is interrupted
mod jsonl; // JSON lines of runs that end well
mod jsonl_ends; // JSON lines of runs that do not end well
#[cfg(target_os = "linux")]
mod kept; // what a conversation keeps when it is gone on with
mod limits; // what a tool may cost, and whole tasks
mod lists; // the list of models beside a run
mod login; // signing in with a browser
mod maps; // the maps of the source and of the tests, and the names of types
mod matrix; // every kind of input with every way in which a service fails
mod models; // `codex models`
mod named_files; // files that are named and are none
mod network; // proxies
mod not_ours; // entries of other programs in the places of ours
#[cfg(target_os = "linux")]
mod order; // the order in which calls take effect, and the last words of a command
mod own_models; // models of the user's own
#[cfg(target_os = "linux")]
mod own_tools; // programs of the user's own as tools
mod personal; // access tokens that a workspace hands out
mod pipes; // standard input and output, as a prompt and as an answer
#[cfg(target_os = "linux")]
mod planted; // what somebody else could have put there
mod ports; // the callback's ports, taken by somebody else
mod providers; // servers of the user's own, from models.json
#[cfg(target_os = "linux")]
mod real_work; // what real programs do inside the sandbox
mod refresh; // a sign-in that stays valid
mod refusals; // the issuer says no
mod results;
mod retries; // requests that are made again
mod roots; // certificates
mod run; // a prompt in, an answer out
#[cfg(target_os = "linux")]
mod sandbox; // what is around the tools, and what users are told of it
mod search; // grep, find and ls
mod session_lines; // session files of earlier and later versions
mod sessions; // conversations that are stored and gone on with
mod shapes; // the shape of a request, where the list is wrong about it
mod shared; // a file that is shared with another program
#[cfg(target_os = "linux")]
mod sockets; // Unix sockets inside the sandbox, attacked and used oddly
mod spec; // what the public specification says of a request's body
mod store; // the credentials file
mod streams; // descriptors that are closed, and what the others may be
mod structured; // an answer that must match a schema, and a file that gets it
#[cfg(target_os = "linux")]
mod tasks; // real work in the sandbox
mod terminal; // a terminal in place of pipes
mod tidy; // the import table, and rules that the compiler does not check
mod tools; // the calls of a model, and what goes back
mod torn; // conversations whose files were cut or damaged
mod tree; // nothing is left alive
#[cfg(target_os = "linux")]
mod variables; // what tools find in their environment, and what they never do
#[cfg(target_os = "linux")]
mod walls; // attempts to get out of the sandbox
mod web; // the service's own search of the web
#[cfg(target_os = "linux")]
mod writes; // what codex writes while tools put something else in its place
