//! Every failure, built from its facts: the table of messages, hints and exit codes, for review in one sitting with
//! `cargo test --lib table -- --nocapture`. `every!` makes a variant without a row a compile error. Commands add their
//! failures with `check_rows`; warnings and reasons are in `table_of_texts`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::{check_rows, every};
use super::*;
use crate::api::{self, Break, Unanswered, usage};
use crate::auth::refusal::Refusal;
use crate::auth::store::{CredentialKind, Other};
use crate::auth::token::TokenError;
use crate::auth::{self, CredentialSource, FoundCredential, What, issuer, sign_in, store};
use crate::exhausted::Exhausted;
use crate::http::{self, Distrust, Refused, Unusable};
use crate::id::IdError;
use crate::models::cost::Cost;
use crate::outcome::Outcome;
use crate::secret::Secret;
use crate::session;
use crate::session::stored::{Damage, Flaw};
use crate::wire::answer::{Excess, Trouble};
use crate::wire::fault::{self, Cause, Fault, FaultHead, Retry};
use crate::wire::sse::TooLong;
use crate::{prompt, stdin};

const NOW: u64 = 1_795_178_100;
fn cost(text: &str) -> Cost {
    Cost::parse(text).expect("a cost")
}

fn no_space() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

fn file() -> PathBuf {
    "/home/ada/.codex-run/auth.json".into()
}

fn used(what: What, source: CredentialSource) -> Option<Used> {
    let others = CredentialSource::Variable("OPENAI_API_KEY");
    let key = What::Key(Secret::new("sk-invented".to_owned()));
    let found = [
        FoundCredential { what, source },
        FoundCredential {
            what: key,
            source: others,
        },
    ];
    Used::of(&found, None, Some("api.example".to_owned()))
}

fn fault(cause: Cause) -> Fault {
    let head = FaultHead::read(400, |_| None);
    let body = br#"{"error":{"message":"Words of the service","code":"some_code"}}"#;
    let mut fault = fault::from_response(&head, body, NOW);
    fault.kind = cause.kind();
    fault.cause = cause;
    fault
}

#[test]
fn refusals_of_the_service() {
    let causes = every![Cause:
        Request,
        Context,
        Size,
        Allowance,
        Policy,
        Image,
        Residency,
        Region,
        Place,
        Document,
        Unknown,
        Credential,
        Model,
        Version,
        Plan,
        Workspace,
        Country,
        Blocked,
        Denied,
        Window,
        OwnerCredits,
        MemberCredits,
        OwnerLimit,
        MemberLimit,
        Quota,
        Rate,
        Capacity,
        Broken,
        Moved,
        Page,
        Proxy,
    ];
    let refusal = |fault: Fault| of_api(&api::Error::Fault(fault), None);
    let mut rows: Vec<Failure> = causes
        .into_iter()
        .map(|cause| refusal(fault(cause)))
        .collect();
    let mut page = fault(Cause::Broken);
    page.page = true;
    let mut later = fault(Cause::Broken);
    later.retry = Retry::After(Duration::from_secs(5400));
    let mut plan = fault(Cause::Window);
    plan.details.plan = Some("plus".to_owned());
    plan.resets_at = Some(u64::MAX / 4_000_000_000);
    let mut reset = fault(Cause::Window);
    reset.resets_at = Some(1);
    let mut bare = fault(Cause::Broken);
    (bare.message, bare.code) = (None, None);
    let mut proxy = fault(Cause::Country);
    proxy.details.proxy = Some("proxy.example:3128".to_owned());
    rows.extend([page, later, plan, reset, bare, proxy].map(refusal));
    check_rows("The service refuses", &rows);
}

#[test]
fn refused_credentials() {
    let secret = || Secret::new("sk-invented".to_owned());
    let kinds = [
        used(
            What::Key(secret()),
            CredentialSource::Variable("CODEX_API_KEY"),
        ),
        used(What::Key(secret()), CredentialSource::KeyIn(file())),
        used(
            What::Key(secret()),
            CredentialSource::ServerKey("box".to_owned()),
        ),
        used(What::NoKey, CredentialSource::Server("box".to_owned())),
        used(
            What::Token(secret()),
            CredentialSource::Variable("CODEX_ACCESS_TOKEN"),
        ),
        used(
            What::SignIn(Err(TokenError::Shape)),
            CredentialSource::File(file()),
        ),
        None,
    ];
    let refused =
        |used: &Option<Used>| of_api(&api::Error::Fault(fault(Cause::Credential)), used.as_ref());
    let rows: Vec<Failure> = kinds.iter().map(refused).collect();
    check_rows("The service refuses a credential", &rows);
}

#[test]
fn credentials_and_sign_ins() {
    let variable = || CredentialSource::Variable("CODEX_API_KEY");
    let other = || Other {
        place: CredentialKind::SignIn,
        entry: "openai".to_owned(),
        kind: "oauth".to_owned(),
    };
    let mut rows: Vec<Failure> = every![auth::Error:
        Missing,
        NotAKey(variable(), 3),
        NotBare(variable(), "it begins with \"Bearer\""),
        Empty(variable()),
        NotAToken(variable(), TokenError::Shape),
        TokenAsKey(variable()),
        NotUsable(variable(), "a command"),
        NotOurs(CredentialSource::File(file()), other()),
    ]
    .iter()
    .map(of_credential)
    .collect();
    let refusal = |status, body: &str| Box::new(Refusal::of(status, body));
    let denied = || refusal(401, r#"{"error":"invalid_grant"}"#);
    let refusals = || {
        every![issuer::Error:
            Http(http::Error::NoSuchHost),
            Unreadable,
            Declined(denied()),
            Refused(denied()),
            Refused(refusal(403, r#"{"error":"not_allowed"}"#)),
            Refused(refusal(503, "<html>")),
            Refused(refusal(503, "{}")),
        ]
    };
    let mut sign_ins = Vec::from(every![sign_in::Error:
        NotSpent(store::Error::Unwritable(file(), no_space())),
        Gone(file()),
        OtherAccount(file()),
        Refused(*denied()),
        Ended,
        Failed(None),
        Unidentified(issuer::Error::Unreadable),
        Store(store::Error::Blank(file())),
    ]);
    sign_ins.extend(refusals().map(|error| sign_in::Error::Failed(Some(error))));
    sign_ins.extend(refusals().map(sign_in::Error::Unidentified));
    let stores = every![store::Error:
        Unreadable(file(), io::ErrorKind::PermissionDenied.into()),
        NotAFile(file()),
        Malformed(file(), 3, 14),
        NotOurs(file(), other()),
        Blank(file()),
        Unwritable(file(), no_space()),
        Lock(file(), no_space()),
        Locked(file(), None),
        Locked(file(), Some(4711)),
    ];
    sign_ins.extend(stores.map(sign_in::Error::Store));
    rows.extend(sign_ins.iter().map(|error| of_sign_in(error, None)));
    rows.push(of_ended(
        &CredentialSource::Variable("CODEX_ACCESS_TOKEN"),
        NOW,
    ));
    check_rows("Credentials and sign-ins", &rows);
}

#[test]
fn connections() {
    let wide = Duration::from_secs(30);
    let refused: io::Error = io::ErrorKind::ConnectionRefused.into();
    let roots = || "the system's certificates".to_owned();
    let errors = every![http::Error:
        NoSuchHost,
        NoSuchProxy,
        Connect(refused),
        ConnectTimeout(wide),
        Silent(wide),
        Late,
        Tls("unexpected message".to_owned()),
        Certificate(Distrust::Issuer, roots()),
        Proxy("proxy.example:3128".to_owned(), Refused::Password),
        Setup(Unusable {
            variable: "https_proxy".to_owned(),
            why: "it is not an address".to_owned(),
        }),
        Exhausted(io::Error::from_raw_os_error(24)),
        Broken(io::ErrorKind::ConnectionReset.into()),
        Protocol("no status line".to_owned()),
    ];
    let distrusts = every![Distrust: Issuer, Time, Name, Authority, Other("revoked".to_owned())];
    let refusals = every![Refused:
        Unreachable("refused".to_owned()),
        Password,
        Kind("NTLM".to_owned()),
        Name,
        NotSocks,
        Status(502),
        Other("odd".to_owned()),
    ];
    let proxy = |why| http::Error::Proxy("proxy.example:3128".to_owned(), why);
    let certificates = distrusts.map(|why| http::Error::Certificate(why, roots()));
    let errors = errors
        .into_iter()
        .chain(certificates)
        .chain(refusals.map(proxy));
    let host = || "api.example".to_owned();
    let rows = errors.map(|error| of_api(&api::Error::Http(host(), error), None));
    let mut rows: Vec<Failure> = rows.collect();
    rows.push(of_limits(&usage::Error::Unreadable, None));
    check_rows("Connections", &rows);
}

#[test]
fn answers() {
    let long = || Break::Connection(http::Error::Silent(Duration::from_secs(300)));
    let reset = || http::Error::Broken(io::ErrorKind::ConnectionReset.into());
    let words = |words: &str| Some(words.to_owned());
    let broke = [long(), Break::Connection(reset()), Break::TooLong(TooLong)];
    let mut rows: Vec<Failure> = broke
        .into_iter()
        .map(|broke| of_unanswered(&Unanswered::BrokeOff(broke), None))
        .collect();
    let troubles = every![Trouble:
        Cut,
        Differs,
        Another,
        Repeats("edit".to_owned()),
        TooMuch(Excess::Items),
        TooMuch(Excess::Text),
        TooMuch(Excess::Whole),
        Incomplete(words("max_output_tokens")),
        Incomplete(words("content_filter")),
        Incomplete(words("odd")),
        Incomplete(None),
        Unfinished,
        Empty,
        Refused("I cannot help with that".to_owned()),
        Waits(words("computer_call")),
        Waits(None),
        Failed(fault(Cause::Broken)),
    ];
    let unusable = |trouble| Stop::unanswered(Unanswered::Unusable(trouble), true);
    rows.extend(troubles.map(|trouble| of_stop(&unusable(trouble), None)));
    check_rows("Answers", &rows);
}

#[test]
fn stops() {
    let (request, turn) = (Next::Request, Next::Turn);
    let stops = every![Stop:
        NoSearch(Box::new(api::Error::Fault(fault(Cause::Request)))),
        Turns {
            limit: 3,
            next: request,
        },
        Turns {
            limit: 3,
            next: turn,
        },
        Tokens {
            used: 1200,
            limit: 1000,
            next: request,
        },
        Tokens {
            used: 1200,
            limit: 1000,
            next: turn,
        },
        Cost {
            used: cost("1.2034"),
            limit: cost("1.20"),
            next: request,
        },
        Cost {
            used: cost("1.20"),
            limit: cost("1.20"),
            next: turn,
        },
        Calls {
            wanted: 7,
            limit: 5,
        },
        TooLong {
            tokens: 300_000,
            window: 272_000,
        },
        NotCompacted(Box::new(Unanswered::Unusable(Trouble::Empty))),
        StillTooLong {
            tokens: 260_000,
            limit: 244_800,
        },
        Interrupted,
        TurnTimeout(std::time::Duration::from_secs(90)),
        Ordered(StopRequest::Timeout),
        Ordered(StopRequest::Closed),
        Ordered(StopRequest::Signal(signal_hook::consts::SIGINT)),
        Ordered(StopRequest::Signal(signal_hook::consts::SIGHUP)),
        Ordered(StopRequest::Signal(signal_hook::consts::SIGTERM)),
        Ordered(StopRequest::Signal(signal_hook::consts::SIGUSR1)),
        Thread(io::Error::from_raw_os_error(11)),
        Output(no_space()),
        Output(io::Error::from_raw_os_error(9)),
        Panicked,
        Unanswered { why: Box::new(Unanswered::BrokeOff(Break::TooLong(TooLong))), partial: true },
    ];
    let mut rows: Vec<Failure> = stops.iter().map(Failure::from).collect();
    rows.push(bug("assertion failed"));
    check_rows("Stops", &rows);
}

#[test]
fn this_machine() {
    let id = "0199c2b4".to_owned();
    let damage = Damage {
        line: 4,
        flaw: Flaw::Unreadable,
    };
    let mut rows: Vec<Failure> = every![session::Error:
        Missing(id.clone()),
        Short("7".to_owned()),
        Ambiguous { part: "0199".to_owned(), ids: vec![id; 12] },
        NoneHere("/home/ada/project".into()),
        Busy("/home/ada/sessions/a.jsonl".into()),
        Io("/home/ada/sessions/a.jsonl".into(), no_space()),
        Damaged("/home/ada/sessions/a.jsonl".into(), damage.clone()),
        NotRemoved("/home/ada/sessions/a.jsonl".into(), damage),
    ]
    .iter()
    .map(of_session)
    .collect();
    let prompts = every![prompt::Error: Empty, NotUtf8("notes.txt".to_owned(), 12), Twice];
    rows.extend(prompts.iter().map(of_prompt));
    let stdins = every![stdin::Error:
        Unreadable(io::ErrorKind::IsADirectory.into()),
        Silent(Duration::from_secs(300)),
        TooLarge(16 << 20),
    ];
    rows.extend(stdins.iter().map(of_stdin));
    let exhausted = every![Exhausted: Descriptors, SystemDescriptors, Threads, Memory];
    rows.extend(exhausted.map(|resource| of_exhausted("cannot start", resource)));
    rows.push(of_temporary(Path::new("/tmp"), &no_space()));
    rows.push(of_random(getrandom::Error::UNSUPPORTED));
    let flaws = every![Flaw: Unreadable, NoSession, Id(IdError::Empty), Newer, NoType];
    rows.extend(flaws.map(|flaw| {
        let damage = Damage { line: 4, flaw };
        of_session(&session::Error::Damaged(
            "/home/ada/sessions/a.jsonl".into(),
            damage,
        ))
    }));
    assert!(rows.iter().all(|row| row.outcome() != Outcome::Answered));
    check_rows("This machine", &rows);
}
