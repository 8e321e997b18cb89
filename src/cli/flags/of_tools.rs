//! The flags that are about tools.

use super::flag::{BARE, Complete, Flag, Takes};
use super::words::{FAILURES, SANDBOXES, TOOL_NAMES};

const RUN: &[&str] = &["run"];
const TOOLS: &[&str] = &["run", "tool"];

/// The flags, in the order in which they are listed.
pub(crate) const FLAGS: &[Flag] = &[
    Flag {
        long: "cd",
        short: Some('C'),
        takes: Takes::Value("DIR"),
        of: &["run", "tool", "exec"],
        brief: "directory that the tools work in",
        rare: false,
        doc: "The directory that the tools work in. Files named by other flags are still found from where the command \
              was typed.",
        complete: Complete::Directories,
        set: |args, value| args.directory = Some(value),
        ..BARE
    },
    Flag {
        long: "add-dir",
        takes: Takes::Values("DIR"),
        of: &["run", "tool", "exec"],
        brief: "another directory that tools may change",
        rare: true,
        doc: "Another directory that the tools may change with -s workspace-write. May be given more than once.",
        complete: Complete::Directories,
        set: |args, value| args.add_dir.push(value),
        ..BARE
    },
    Flag {
        long: "sandbox",
        short: Some('s'),
        takes: Takes::Value("MODE"),
        of: &["run", "tool", "exec"],
        brief: "what the tools may touch",
        rare: false,
        doc: "What the tools may touch. With read-only they write nowhere but in a temporary \
              directory of the run. With workspace-write they may also change the working directory, those of --add-dir, \
              and /tmp, /var/tmp and /dev/shm (but see --no-tmp). Neither lets them use the network (but see --network), read where credentials of codex-run, \
              codex or pi are kept, or reach into other processes. With danger-full-access they may do whatever you may \
              do.",
        complete: Complete::Words(SANDBOXES),
        default: Some("read-only"),
        set: |args, value| args.sandbox = Some(value),
        ..BARE
    },
    Flag {
        long: "network",
        takes: Takes::Nothing,
        of: TOOLS,
        brief: "let tools use the network",
        rare: false,
        doc: "Lets the tools use the network, this machine's own included. Sockets of other programs, such as Docker's, \
              stay closed.",
        default: Some("no"),
        set: |args, _| args.network = true,
        ..BARE
    },
    Flag {
        long: "no-tmp",
        takes: Takes::Nothing,
        of: TOOLS,
        brief: "keep /tmp closed to tools",
        rare: true,
        doc: "Keeps /tmp, /var/tmp and /dev/shm closed to tools, which may write there otherwise with -s workspace-write. \
              --add-dir opens one of them again.",
        default: Some("no"),
        set: |args, _| args.no_tmp = true,
        ..BARE
    },
    Flag {
        long: "env",
        takes: Takes::Values("NAME"),
        of: TOOLS,
        brief: "hand tools this variable too",
        rare: true,
        doc: "Hands the tools this variable of the environment too, or with 'NAME_*' all that begin so, three characters \
              at least. Without it they find what programs need, such as PATH, HOME and the settings of compilers and \
              package managers, and nothing that looks like a credential. Variables of codex-run, keys that models.json \
              names, and values that hold a credential of codex-run are never handed on. May be given more than once.",
        set: |args, value| args.env.push(value),
        ..BARE
    },
    Flag {
        long: "tools",
        takes: Takes::Value("LIST"),
        of: RUN,
        brief: "tools to offer, with commas between them",
        rare: true,
        doc: "The tools that the model is offered, with commas between them: bash, read, edit, write, grep, find, ls, and \
              your own. Without it: bash, read, edit, write, and what is in the folder tools of CODEX_RUN_HOME.",
        complete: Complete::Words(&TOOL_NAMES),
        excludes: &["no-tools"],
        overrides: &["tool"],
        set: |args, value| args.tools = Some(value),
        ..BARE
    },
    Flag {
        long: "no-tools",
        takes: Takes::Nothing,
        of: RUN,
        brief: "offer no tools",
        rare: false,
        doc: "Offers the model no tools at all.",
        set: |args, _| args.no_tools = true,
        ..BARE
    },
    Flag {
        long: "tool",
        takes: Takes::Values("FILE"),
        of: RUN,
        brief: "offer the tool of this manifest",
        rare: true,
        doc: "Offers the tool that this manifest describes: a JSON file with name, description, parameters (a JSON \
              Schema), command, and if need be timeout, env, network and write. The program gets the arguments as one \
              JSON object on its standard input, and what it writes to standard output is its answer. It is confined \
              like the other tools, and has the network or may change files only where the manifest asks for that and \
              the run allows it. One that may change files runs alone, in its place among the calls of an answer. With \
              -s workspace-write the file must lie where tools cannot write, and with env so must every file that command \
              names. It is not taken from a directory in which everybody may write. May be given more than once.",
        complete: Complete::Files,
        excludes: &["no-tools"],
        overrides: &["tools"],
        set: |args, value| args.tool.push(value),
        ..BARE
    },
    Flag {
        long: "fail-on",
        takes: Takes::Value("WHAT"),
        of: RUN,
        brief: "fail if a tool failed: tool-error",
        rare: true,
        doc: "With tool-error, a run in which a tool call failed ends with exit code 1, although the model answered.",
        complete: Complete::Words(FAILURES),
        set: |args, value| args.fail_on = Some(value),
        ..BARE
    },
];
