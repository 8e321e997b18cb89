//! The Model Context Protocol as values: what a server on standard input or behind a URL is asked and what it answers
//! (`session`, a state machine over the messages of `message`; `line_buffer` finds them in bytes), the tools that it
//! lists (`listed_tool`, `input_schema`, `tool_names`, `glob`), the answers to calls (`call_answer`), and the servers
//! that the user declares (`server_settings`, `server_file`, `command_line`). It starts and connects to nothing.

mod answer_fields;
pub mod call_answer;
pub mod command_line;
pub mod glob;
mod input_schema;
pub mod line_buffer;
pub mod listed_tool;
mod message;
pub mod server_file;
pub mod server_settings;
pub mod session;
pub mod tool_names;
