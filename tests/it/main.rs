//! The binary, by what a user does: one test program that runs the real `codex` against the stand-in
//! service over real sockets. It knows the binary and the protocol, and nothing of the library.

#[path = "../standin/mod.rs"]
mod standin;

#[cfg(target_os = "linux")]
mod attempts; // attempts to break out of the sandbox
mod browser; // a browser sign-in under test
mod command_output; // the output of a command, and checks of it
#[allow(dead_code)] // it emulates more than the tests look at
mod emulator; // a terminal emulator
mod home; // a fresh home, a clean environment, and the command under test
mod imports; // a reader of the imports of the source tree
mod lines; // the JSON lines of any run
mod needs; // what tests need of the machine, and the one way to skip
mod on_screen; // a chat on a pseudo terminal
mod proxies; // proxies with unsupported authentication, and SOCKS proxies
mod proxy; // a proxy under test
mod pty; // a pseudo-terminal
mod reader; // a reader of the JSON lines, with its own types
mod servers; // MCP servers under test, as commands
mod stored; // a home with a stored credential

mod account; // status, token and logout
#[cfg(target_os = "linux")]
mod aliases; // credentials under other names
mod answers; // every kind of refusal in every command
mod bad_input; // errors on the command line, with their messages and exit codes
#[cfg(target_os = "linux")]
mod breakouts; // ways out of the sandbox that take more than one call
mod broken_files; // config.json and models.json with errors in them
mod budgets; // limits on what a run may use, and reports of what it used
mod catalogue; // every model of the built-in list, with both kinds of credentials
mod chat; // the full screen: questions, tool calls, keys and commands
mod chat_ends; // its edges: sign-in, Ctrl+Z, other programs on the terminal
mod chat_stops; // how it stops: signals; and that it rests
mod clamping; // settings that a model does not support
mod clocks; // time limits for a connection, a response head and silence
mod compaction; // conversations that are compacted
mod compaction_faults; // faults, cuts and signals while a conversation is compacted
mod completions; // the completion scripts in real shells
mod config; // defaults for flags
mod config_file; // another file with such defaults
mod continued; // what is sent of earlier answers
mod costs; // a limit on the cost of a run
mod credentials; // which secret goes where, and that none is shown
mod cuts; // connections that break off, at every position
mod damaged_sessions; // conversations whose files were truncated or damaged
mod defaults; // a default model that is not available
mod device; // signing in without a browser
mod disk; // full disks, and mounts
#[cfg(target_os = "linux")]
mod escapes; // attempts to escape from the sandbox
mod exec; // `codex exec`, the syntax of the official client
#[cfg(target_os = "linux")]
mod exhausted; // exhausted threads, descriptors and file sizes
mod fallbacks; // another model, where one is missing or too busy
mod fault_delays; // temporary refusals, and when they are retried
mod fault_records; // recorded refusals of real services, if available
mod fault_table; // permanent refusals, row by row
mod faults; // error responses, and streams that break off
#[cfg(target_os = "linux")]
mod first_process; // containers without an init
mod fixtures; // recorded streams of real services, if available
mod foreign; // credentials files of other programs
mod foreign_entries; // entries of other programs in a credentials file
mod forged; // text chosen by others, in lines of the output
mod generated; // man/ and completions/ match the output of the binary
#[cfg(target_os = "linux")]
mod git_changes; // changes to what git executes by itself
mod golden; // the JSON lines of a run, as this version prints them
#[cfg(target_os = "linux")]
mod homes; // credentials in every home of the user
mod hostile; // answers of extreme size or depth
#[cfg(target_os = "linux")]
mod hostile_servers; // MCP servers that do what they should not
mod imports_tests; // the reader of imports, on small trees
mod inputs; // what accompanies a prompt
mod install; // make install and make uninstall
mod interrupted; // a renewal that is interrupted
mod jsonl; // JSON lines of successful runs
mod jsonl_ends; // JSON lines of failed runs
mod limits; // limits on tool calls, and whole tasks
mod lists; // refreshing the list of models during a run
mod login; // signing in with a browser
mod maps;
mod matrix; // every kind of input with every way in which a service fails
mod mcp; // the maps of the source and of the tests, and the names of types
mod models; // `codex models`
mod named_files; // named files that are pipes, terminals or endless
mod network; // proxies
#[cfg(target_os = "linux")]
mod order; // the order in which calls take effect, and the last output of a command
#[cfg(target_os = "linux")]
mod panics; // a panic in any thread, and what it leaves behind
mod personal; // access tokens that a workspace issues
mod pipes; // standard input and output, as a prompt and as an answer
#[cfg(target_os = "linux")]
mod planted; // files that another user could have planted
mod ports; // the callback's ports, taken by another program
mod providers; // user-defined servers, from models.json
mod raw_values; // values from env files and containers, which no shell has expanded
#[cfg(target_os = "linux")]
mod real_work; // what real programs do inside the sandbox
mod refresh; // a sign-in that stays valid
mod refusals; // refusals by the issuer
mod remote_servers; // MCP servers behind a URL
mod results; // results of tool calls
#[cfg(target_os = "linux")]
mod resumed; // what a resumed conversation keeps
mod retries; // repeated requests
mod roots; // certificates
mod run; // a prompt in, an answer out
mod run_rules; // the rules of a run's sandbox: out of reach of tools, and made anew when something changes
#[cfg(target_os = "linux")]
mod sandbox; // the sandbox of the tools, and what users are told about it
mod search; // grep, find and ls
mod server_list; // `codex mcp list`
mod session_lines; // session files of earlier and later versions
mod sessions; // stored and resumed conversations
mod shapes; // the shape of a request, if the list is wrong about it
mod shared; // a file that is shared with another program
#[cfg(target_os = "linux")]
mod sockets; // Unix sockets inside the sandbox, attacked and used oddly
mod spec; // what the public specification says about a request's body
mod stops; // signals, time limits and budgets
mod store; // the credentials file
mod streams; // closed standard streams, and what the others may be
mod structured; // an answer that must match a schema, and a file that receives it
#[cfg(target_os = "linux")]
mod tasks; // real work in the sandbox
mod terminal; // a terminal instead of pipes
mod tidy; // the import table, and rules that the compiler does not check
mod tools; // the calls of a model, and what is sent back
mod tree; // no process is left running
#[cfg(target_os = "linux")]
mod trusted_files; // files that decide about later runs, out of reach of tools
mod turn_ends; // how turns over standard input end
mod turn_order; // drivers: those of the man page, and random interleavings of lines
mod turns; // many turns over standard input
mod typed; // secrets typed on a terminal
mod user_models; // user-defined models
#[cfg(target_os = "linux")]
mod user_tools; // user-defined tools
#[cfg(target_os = "linux")]
mod variables; // the environment of tools
mod web; // the service's own web search
mod widths; // lists and notes in the width of a terminal
mod workspaces; // workspaces restricted to a region or a routing
#[cfg(target_os = "linux")]
mod writes; // writes of codex while tools replace the target
