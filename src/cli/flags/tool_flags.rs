//! The flags about tools.

use super::flag::{Complete, CompletedKind, EMPTY, Flag, FlagGroup, Takes};
use super::words::{FAILURES, SANDBOXES};

const TURNS: &[&str] = &["run", "chat"];
const TOOLS: &[&str] = &["run", "tool", "chat", "mcp"];
const SERVERS: &[&str] = &["run", "chat", "mcp"];

/// The flags, in listing order.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "cd",
        short: Some('C'),
        takes: Takes::Value("DIR"),
        commands: &["run", "tool", "exec", "chat", "mcp"],
        brief: "working directory of the tools",
        group: FlagGroup::Tools,
        rare: true,
        doc: "The working directory of the tools. Paths in other flags are still relative to the directory \
              that the command was started in.",
        complete: Complete::Directories,
        set: |args, value| args.directory = Some(value),
        ..EMPTY
    },
    Flag {
        long: "add-dir",
        takes: Takes::Values("DIR"),
        commands: &["run", "tool", "exec", "chat", "mcp"],
        brief: "another directory that tools may change",
        group: FlagGroup::Tools,
        rare: true,
        doc: "Another directory that the tools may change with -s workspace-write. May be given more than once.",
        complete: Complete::Directories,
        set: |args, value| args.add_dir.push(value),
        ..EMPTY
    },
    Flag {
        long: "sandbox",
        short: Some('s'),
        takes: Takes::Value("MODE"),
        commands: &["run", "tool", "exec", "chat", "mcp"],
        brief: "what the tools may access",
        group: FlagGroup::Tools,
        rare: false,
        doc: "What the tools may access. With read-only they can write only to a temporary \
              directory of the run. With workspace-write they may also change the working directory, those of --add-dir, \
              and /tmp, /var/tmp and /dev/shm (but see --no-tmp). Neither lets them use the network (but see --network), read the credentials of codex-run, \
              codex or pi, or touch other processes. With danger-full-access they may do anything that you \
              may do.",
        complete: Complete::Words(SANDBOXES),
        default: Some("read-only"),
        set: |args, value| args.sandbox = Some(value),
        ..EMPTY
    },
    Flag {
        long: "network",
        takes: Takes::Nothing,
        commands: TOOLS,
        brief: "let tools use the network",
        group: FlagGroup::Tools,
        rare: false,
        doc: "Lets the tools use the network, including services on this machine. Sockets of other programs, such as Docker's, \
              stay closed.",
        default: Some("no"),
        set: |args, _| args.network = true,
        ..EMPTY
    },
    Flag {
        long: "no-tmp",
        takes: Takes::Nothing,
        commands: TOOLS,
        brief: "do not let tools write to /tmp",
        group: FlagGroup::Tools,
        rare: true,
        doc: "Stops tools from writing to /tmp, /var/tmp and /dev/shm, which -s workspace-write otherwise allows. \
              --add-dir opens one of them again.",
        default: Some("no"),
        set: |args, _| args.no_tmp = true,
        ..EMPTY
    },
    Flag {
        long: "env",
        takes: Takes::Values("NAME"),
        commands: TOOLS,
        brief: "also pass this variable to tools",
        group: FlagGroup::Tools,
        rare: true,
        doc: "Also passes this environment variable to the tools, or with 'NAME_*' all variables with that prefix of at \
              least three characters. By default they get what programs need, such as PATH, HOME and the settings of compilers and \
              package managers, and nothing that looks like a credential. Variables of codex-run, keys that models.json \
              or mcp.json names, and values that contain a credential of codex-run are never passed on. May be given more than once.",
        complete: Complete::Found(CompletedKind::Variables),
        set: |args, value| args.env.push(value),
        ..EMPTY
    },
    Flag {
        long: "tools",
        takes: Takes::Value("LIST"),
        commands: TURNS,
        brief: "tools to offer, separated by commas",
        group: FlagGroup::Tools,
        rare: true,
        doc: "The tools offered to the model, separated by commas: bash, read, edit, write, grep, find, ls, and \
              your own. Default: bash, read, edit, write, and those in the tools folder of CODEX_RUN_HOME.",
        complete: Complete::Found(CompletedKind::Tools),
        excludes: &["no-tools"],
        overrides: &["tool"],
        set: |args, value| args.tools = Some(value),
        ..EMPTY
    },
    Flag {
        long: "no-tools",
        takes: Takes::Nothing,
        commands: TURNS,
        brief: "offer no tools",
        group: FlagGroup::Tools,
        rare: true,
        doc: "Offers the model no tools at all.",
        set: |args, _| args.no_tools = true,
        ..EMPTY
    },
    Flag {
        long: "tool",
        takes: Takes::Values("FILE"),
        commands: TURNS,
        brief: "offer the tool in this manifest",
        group: FlagGroup::Tools,
        rare: true,
        doc: "Offers the tool that this manifest describes: a JSON file with name, description, parameters (a JSON \
              Schema), command, and optionally timeout, env, network and write. The program gets the arguments as one \
              JSON object on its standard input, and its standard output is the result. It is sandboxed \
              like the other tools, and may use the network or change files only if the manifest asks for it and \
              the run allows it. A tool that may change files runs alone, in the order of an answer's calls. With -s workspace-write, the \
              file must be where tools cannot write; with env, so must every file that command names. A manifest in \
              a world-writable directory is rejected. May be given more than once.",
        complete: Complete::Files,
        excludes: &["no-tools"],
        overrides: &["tools"],
        set: |args, value| args.tool.push(value),
        ..EMPTY
    },
    Flag {
        long: "mcp",
        takes: Takes::Values("COMMAND"),
        commands: SERVERS,
        brief: "start an MCP server and offer its tools",
        group: FlagGroup::Tools,
        rare: true,
        doc: "Starts an MCP server and offers its tools to the model: a command, which is split into words as a shell would and \
              run without a shell, or a file of servers \
              in the form of mcp.json, whose name ends in .json. NAME=COMMAND names the server; otherwise it has the name of \
              its program or package. It speaks the protocol on standard input and output, is sandboxed like the other tools, \
              and may use the network or change files if the run allows it. One that does not start within 30 s ends the \
              run with exit code 2. May be given more than once. `codex help mcp` has more.",
        complete: Complete::Files,
        excludes: &["no-tools"],
        set: |args, value| args.mcp.push(value),
        ..EMPTY
    },
    Flag {
        long: "mcp-tools",
        takes: Takes::Values("LIST"),
        commands: SERVERS,
        brief: "which tools of MCP servers to offer",
        group: FlagGroup::Tools,
        rare: true,
        doc: "Offers only these tools of MCP servers: SERVER:GLOB, separated by commas, such as 'git:git_*,wiki:search'. \
              A server that is not named offers all of its tools. May be given more than once.",
        excludes: &["no-tools"],
        set: |args, value| args.mcp_tools.push(value),
        ..EMPTY
    },
    Flag {
        long: "no-mcp",
        takes: Takes::Nothing,
        commands: SERVERS,
        brief: "do not start the servers of mcp.json",
        group: FlagGroup::Tools,
        rare: true,
        doc: "Does not start the MCP servers that mcp.json in CODEX_RUN_HOME declares.",
        set: |args, _| args.no_mcp = true,
        ..EMPTY
    },
    Flag {
        long: "fail-on",
        takes: Takes::Value("WHAT"),
        commands: &["run"],
        brief: "tool-error: fail if a tool call fails",
        group: FlagGroup::Tools,
        rare: true,
        doc: "With tool-error, a run with a failed tool call ends with exit code 1 even if the model answered.",
        complete: Complete::Words(FAILURES),
        set: |args, value| args.fail_on = Some(value),
        ..EMPTY
    },
];
