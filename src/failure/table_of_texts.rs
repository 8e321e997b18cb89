//! The part of the review table without hints and exit codes: the warnings of a run, and the reasons inside messages.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::table::{check_texts, every};
use super::*;
use crate::auth::token::TokenError;
use crate::auth::{key_command, sign_in, store};
use crate::exhausted::Exhausted;
use crate::http::AddressError;
use crate::id::IdError;
use crate::wire::answer::Excess;
use crate::wire::request::Shape;

fn no_space() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

fn file() -> PathBuf {
    "/home/ada/.codex-run/auth.json".into()
}

#[test]
fn warnings_of_a_run() {
    let unwritable = || store::Error::Unwritable(file(), no_space());
    let path = || PathBuf::from("/home/ada/sessions/a.jsonl");
    let warnings = every![RunWarning:
        Note("gpt-5.5 is retired".to_owned()),
        SignIn(sign_in::Warning::NotStored(unwritable())),
        OtherShape(Shape::Lite),
        WithoutReasoning,
        Withheld(vec![None]),
        Uncounted,
        Withheld(vec![Some("prefix_mismatch".to_owned()), None]),
        Skipped(1),
        Skipped(7),
        CompactedFirst(250_000),
        GitChanged(vec![".git/config".into(), ".git/hooks".into()]),
        NotStored(no_space()),
        StoredNoFurther(path(), no_space()),
        Misplaced(path()),
        TemporaryLeft("/tmp/codex".into(), no_space()),
        NotAsked(1),
        NotAsked(3),
        StdinAwaited { terminal: true },
        StdinAwaited { terminal: false },
        StdinGivenUp,
    ];
    let sign_ins = every![sign_in::Warning:
        NotRenewed(sign_in::Error::Failed(None), Some(1_795_178_100)),
        NotRenewed(sign_in::Error::Ended, None),
        NotStored(unwritable()),
    ];
    let waits = every![RenewalWait:
        Again("service unavailable [HTTP 503]".to_owned(), Duration::from_secs(2)),
        Lock(store::Error::Locked(file(), Some(4711)).to_string()),
        Answer,
    ];
    let texts = warnings.iter().map(ToString::to_string);
    let texts = texts.chain(sign_ins.iter().map(ToString::to_string));
    let texts = texts.chain(waits.iter().map(ToString::to_string));
    check_texts("Warnings of a run", &texts.collect::<Vec<_>>());
}

/// The reasons that complete the messages of commands and settings.
#[test]
fn reasons() {
    let tokens = every![TokenError: Shape, NoAccount];
    let ids = every![IdError: Empty, Blank(3), TooLong(256)];
    let addresses = every![AddressError: NotAnAddress, InTheClear, Password, Query];
    let commands = every![key_command::Error:
        Start,
        Exhausted(Exhausted::Memory),
        Late,
        Failed,
        Nothing,
    ];
    let excesses = every![Excess: Items, Text, Whole];
    let texts = tokens.iter().map(ToString::to_string);
    let texts = texts.chain(ids.iter().map(ToString::to_string));
    let texts = texts.chain(addresses.iter().map(ToString::to_string));
    let texts = texts.chain(commands.iter().map(ToString::to_string));
    let texts = texts.chain(excesses.iter().map(ToString::to_string));
    check_texts("Reasons", &texts.collect::<Vec<_>>());
}
