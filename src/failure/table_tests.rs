//! Every failure, built from its facts: the table of messages, hints and exit codes, for review in one sitting with
//! `cargo test --lib table -- --nocapture`. Commands add their own failures with `check_rows`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::table::check_rows;
use super::*;
use crate::api::{self, Break, Unanswered, usage};
use crate::auth::refusal::Refusal;
use crate::auth::store::{CredentialKind, Other};
use crate::auth::token::TokenError;
use crate::auth::{self, CredentialSource, FoundCredential, What, issuer, sign_in, store};
use crate::exhausted::Exhausted;
use crate::http::{self, Distrust, Refused, Unusable};
use crate::outcome::Outcome;
use crate::secret::Secret;
use crate::session;
use crate::session::stored::{Damage, Flaw};
use crate::wire::answer::{Excess, Trouble};
use crate::wire::fault::{self, Cause, Fault, FaultHead, Retry};
use crate::wire::sse::TooLong;
use crate::{prompt, stdin};

const NOW: u64 = 1_795_178_100;
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
    use Cause::*;
    let causes = [
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
    let mut page = fault(Broken);
    page.page = true;
    let mut later = fault(Broken);
    later.retry = Retry::After(Duration::from_secs(5400));
    let mut plan = fault(Window);
    plan.details.plan = Some("plus".to_owned());
    plan.resets_at = Some(u64::MAX / 4_000_000_000);
    let mut reset = fault(Window);
    reset.resets_at = Some(1);
    let mut bare = fault(Broken);
    (bare.message, bare.code) = (None, None);
    let mut proxy = fault(Country);
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
    use auth::Error;
    let variable = || CredentialSource::Variable("CODEX_API_KEY");
    let other = || Other {
        place: CredentialKind::SignIn,
        entry: "openai".to_owned(),
        kind: "oauth".to_owned(),
    };
    let mut rows: Vec<Failure> = [
        Error::Missing,
        Error::NotAKey(variable(), 3),
        Error::NotBare(variable(), "it begins with \"Bearer\""),
        Error::Empty(variable()),
        Error::NotAToken(variable(), TokenError::Shape),
        Error::TokenAsKey(variable()),
        Error::NotUsable(variable(), "a command"),
        Error::NotOurs(CredentialSource::File(file()), other()),
    ]
    .iter()
    .map(of_credential)
    .collect();
    let refusal = |status, body: &str| Box::new(Refusal::of(status, body));
    let denied = || refusal(401, r#"{"error":"invalid_grant"}"#);
    let refusals = || {
        [
            issuer::Error::Http(http::Error::NoSuchHost),
            issuer::Error::Unreadable,
            issuer::Error::Declined(denied()),
            issuer::Error::Refused(denied()),
            issuer::Error::Refused(refusal(403, r#"{"error":"not_allowed"}"#)),
            issuer::Error::Refused(refusal(503, "<html>")),
            issuer::Error::Refused(refusal(503, "{}")),
        ]
    };
    let mut sign_ins = vec![
        sign_in::Error::NotSpent(store::Error::Unwritable(file(), no_space())),
        sign_in::Error::Gone(file()),
        sign_in::Error::OtherAccount(file()),
        sign_in::Error::Refused(*denied()),
        sign_in::Error::Ended,
        sign_in::Error::Failed(None),
    ];
    sign_ins.extend(refusals().map(|error| sign_in::Error::Failed(Some(error))));
    sign_ins.extend(refusals().map(sign_in::Error::Whose));
    let stores = [
        store::Error::Unreadable(file(), io::ErrorKind::PermissionDenied.into()),
        store::Error::NotAFile(file()),
        store::Error::Malformed(file(), 3, 14),
        store::Error::NotOurs(file(), other()),
        store::Error::Blank(file()),
        store::Error::Unwritable(file(), no_space()),
        store::Error::Lock(file(), no_space()),
        store::Error::Locked(file(), None),
        store::Error::Locked(file(), Some(4711)),
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
    use http::Error::*;
    let wide = Duration::from_secs(30);
    let refused: io::Error = io::ErrorKind::ConnectionRefused.into();
    let proxy = |why| Proxy("proxy.example:3128".to_owned(), why);
    let roots = || "the roots of this system".to_owned();
    let errors = [
        NoSuchHost,
        NoSuchProxy,
        Connect(refused),
        ConnectTimeout(wide),
        Silent(wide),
        Late,
        Tls("unexpected message".to_owned()),
        Certificate(Distrust::Issuer, roots()),
        Certificate(Distrust::Time, roots()),
        Certificate(Distrust::Name, roots()),
        Certificate(Distrust::Authority, roots()),
        Certificate(Distrust::Other("revoked".to_owned()), roots()),
        proxy(Refused::Unreachable("refused".to_owned())),
        proxy(Refused::Password),
        proxy(Refused::Kind("NTLM".to_owned())),
        proxy(Refused::Name),
        proxy(Refused::NotSocks),
        proxy(Refused::Status(502)),
        proxy(Refused::Other("odd".to_owned())),
        Setup(Unusable {
            variable: "https_proxy".to_owned(),
            why: "it is not an address".to_owned(),
        }),
        Exhausted(io::Error::from_raw_os_error(24)),
        Broken(io::ErrorKind::ConnectionReset.into()),
        Protocol("no status line".to_owned()),
    ];
    let host = || "api.example".to_owned();
    let rows = errors.map(|error| of_api(&api::Error::Http(host(), error), None));
    let mut rows = Vec::from(rows);
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
    let troubles = [
        Trouble::Cut,
        Trouble::Differs,
        Trouble::Another,
        Trouble::Repeats("edit".to_owned()),
        Trouble::TooMuch(Excess::Items),
        Trouble::TooMuch(Excess::Text),
        Trouble::TooMuch(Excess::Whole),
        Trouble::Incomplete(words("max_output_tokens")),
        Trouble::Incomplete(words("content_filter")),
        Trouble::Incomplete(words("odd")),
        Trouble::Incomplete(None),
        Trouble::Unfinished,
        Trouble::Empty,
        Trouble::Refused("I cannot help with that".to_owned()),
        Trouble::Waits(words("computer_call")),
        Trouble::Waits(None),
        Trouble::Failed(fault(Cause::Broken)),
    ];
    let unusable = |trouble| Stop::unanswered(Unanswered::Unusable(trouble), true);
    rows.extend(troubles.map(|trouble| of_stop(&unusable(trouble), None)));
    check_rows("Answers", &rows);
}

#[test]
fn stops() {
    let (request, turn) = (Next::Request, Next::Turn);
    let stops = [
        Stop::NoSearch(Box::new(api::Error::Fault(fault(Cause::Request)))),
        Stop::Turns {
            limit: 3,
            next: request,
        },
        Stop::Turns {
            limit: 3,
            next: turn,
        },
        Stop::Tokens {
            used: 1200,
            limit: 1000,
            next: request,
        },
        Stop::Tokens {
            used: 1200,
            limit: 1000,
            next: turn,
        },
        Stop::Calls {
            wanted: 7,
            limit: 5,
        },
        Stop::TooLong {
            tokens: 300_000,
            window: 272_000,
        },
        Stop::Interrupted,
        Stop::Ordered(StopRequest::Timeout),
        Stop::Ordered(StopRequest::Closed),
        Stop::Ordered(StopRequest::Signal(signal_hook::consts::SIGINT)),
        Stop::Ordered(StopRequest::Signal(signal_hook::consts::SIGHUP)),
        Stop::Ordered(StopRequest::Signal(signal_hook::consts::SIGTERM)),
        Stop::Thread(io::Error::from_raw_os_error(11)),
        Stop::Output(no_space()),
        Stop::Output(io::Error::from_raw_os_error(9)),
        Stop::Panicked,
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
    let mut rows: Vec<Failure> = [
        session::Error::Missing(id),
        session::Error::NoneHere("/home/ada/project".into()),
        session::Error::Busy("/home/ada/sessions/a.jsonl".into()),
        session::Error::Io("/home/ada/sessions/a.jsonl".into(), no_space()),
        session::Error::Damaged("/home/ada/sessions/a.jsonl".into(), damage),
    ]
    .iter()
    .map(of_session)
    .collect();
    rows.extend([
        of_prompt(&prompt::Error::Empty),
        of_prompt(&prompt::Error::NotUtf8("notes.txt".to_owned(), 12)),
        of_prompt(&prompt::Error::Twice),
        of_stdin(&stdin::Error::Unreadable(
            io::ErrorKind::IsADirectory.into(),
        )),
        of_stdin(&stdin::Error::Silent(Duration::from_secs(300))),
        of_stdin(&stdin::Error::TooLarge(16 << 20)),
        of_temporary(Path::new("/tmp"), &no_space()),
        of_random(getrandom::Error::UNSUPPORTED),
        of_exhausted("cannot begin", Exhausted::Descriptors),
        of_exhausted("cannot begin", Exhausted::SystemDescriptors),
        of_exhausted("cannot begin", Exhausted::Threads),
        of_exhausted("cannot begin", Exhausted::Memory),
    ]);
    assert!(rows.iter().all(|row| row.outcome() != Outcome::Answered));
    check_rows("This machine", &rows);
}
