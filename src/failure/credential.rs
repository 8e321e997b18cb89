//! The credential that a command uses: its name in messages, and the hint for when the service refuses it.

use super::value::Failure;
use crate::auth::identity::is_personal;
use crate::auth::store::CredentialStore;
use crate::auth::{CredentialSource, FoundCredential, What};
use crate::outcome::Outcome;

/// The credential that a command uses.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    source: CredentialSource,
    kind: UsedKind,
    /// The credential that would be used otherwise.
    next: Option<CredentialSource>,
    /// The recipient: the host of a service, or the name of a provider in `models.json`.
    provider: Option<String>,
}

#[derive(Clone, Debug)]
enum UsedKind {
    Key,
    Token,
    Personal,
    /// A sign-in, in codex-run's file or in that of another program (`foreign`).
    SignIn {
        renewable: bool,
        foreign: bool,
    },
    /// The key of a server in `models.json`.
    OfServer,
}

impl Used {
    /// Describes the first of the credentials found; `host` is the service that receives it.
    pub(crate) fn of(
        found: &[FoundCredential],
        store: Option<&CredentialStore>,
        host: Option<String>,
    ) -> Option<Self> {
        let first = found.first()?;
        let kind = match &first.what {
            What::Key(_) if first.source.provider().is_some() => UsedKind::OfServer,
            What::NoKey => UsedKind::OfServer,
            What::Key(_) | What::NotUsable(_) => UsedKind::Key,
            What::Token(_) => UsedKind::Token,
            What::Personal(_) => UsedKind::Personal,
            What::SignIn(Ok(saved)) if is_personal(saved.access.expose()) => UsedKind::Personal,
            What::SignIn(saved) => UsedKind::SignIn {
                renewable: saved.as_ref().is_ok_and(|saved| saved.refresh.is_some()),
                foreign: store.is_some_and(CredentialStore::is_foreign),
            },
            What::NotOurs(_) => return None,
        };
        Some(Self {
            source: first.source.clone(),
            kind,
            next: found.get(1).map(|next| next.source.clone()),
            provider: first.source.provider().map(str::to_owned).or(host),
        })
    }

    /// The recipient, if known.
    pub(super) fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// Whether a new sign-in takes its place. Others come before it, or are for another service.
    pub(crate) fn is_replaced_by_sign_in(&self) -> bool {
        matches!(
            self.source,
            CredentialSource::File(_) | CredentialSource::PersonalIn(_)
        )
    }

    /// Whether it belongs to a server in `models.json`.
    pub(super) fn is_of_server(&self) -> bool {
        matches!(self.kind, UsedKind::OfServer)
    }

    /// The hint for when it is refused or has expired.
    pub(super) fn hint(&self) -> String {
        let source = &self.source;
        let words = match self.kind {
            UsedKind::Key => format!(
                "check {source}: the key may be mistyped, revoked, or meant for another service"
            ),
            UsedKind::Token => format!(
                "put a new token in {source}: `codex token` prints one on a machine where you are signed in"
            ),
            UsedKind::Personal => {
                "it may have expired or been revoked: create a new one in the workspace settings"
                    .to_owned()
            }
            UsedKind::SignIn {
                renewable: false, ..
            } => {
                "store a new one with `codex login --with-access-token`, or sign in with `codex login`"
                    .to_owned()
            }
            UsedKind::SignIn { foreign: true, .. } => format!(
                "sign in again with the program that owns {source}, or run `codex login --auth-file {source}`"
            ),
            UsedKind::SignIn { .. } => "run `codex login` to sign in again".to_owned(),
            UsedKind::OfServer => format!("check {source}"),
        };
        match (&self.next, source) {
            // A variable is easily unset; an entry in a file is not.
            (Some(next), CredentialSource::Variable(_)) => {
                format!("{words}; or unset it to use {next}")
            }
            _ => words,
        }
    }
}

impl Failure {
    /// A credential that the service refused with this message; `otherwise` is the hint if the credential is unknown.
    pub(super) fn refused(why: &str, used: Option<&Used>, otherwise: &str) -> Self {
        match used {
            Some(used) => Self::new(
                Outcome::SignIn,
                format!(
                    "the service refused the credential from {}: {why}",
                    used.source
                ),
            )
            .hint(used.hint()),
            None => Self::new(
                Outcome::SignIn,
                format!("the service refused the credential: {why}"),
            )
            .hint(otherwise),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault::of_fault;
    use super::*;
    use crate::secret::Secret;
    use crate::wire::fault::{self, FaultHead};

    fn found(source: CredentialSource) -> FoundCredential {
        let key = Secret::new("sk-invented".to_owned());
        let what = match source {
            CredentialSource::Server(_) => What::NoKey,
            _ => What::Key(key),
        };
        FoundCredential { what, source }
    }

    #[test]
    fn a_refusal_names_the_credential_and_what_to_do_about_it() {
        let check = |sources: &[CredentialSource], provider: &str, what: &str, hint: &str| {
            let sources: Vec<FoundCredential> = sources.iter().cloned().map(found).collect();
            let used = Used::of(&sources, None, Some("api.example".to_owned()));
            let head = FaultHead::read(401, |_| None);
            let failure = of_fault(&fault::from_response(&head, b"", 0), used.as_ref());
            assert_eq!(
                failure.what(),
                format!("the service refused the credential{what}: no reason given [HTTP 401]")
            );
            assert!(
                failure
                    .advice()
                    .is_some_and(|advice| advice.starts_with(hint)),
                "{failure:?}"
            );
            assert_eq!(failure.http_status(), Some(401));
            assert_eq!(failure.provider().unwrap_or_default(), provider);
        };
        let variable = CredentialSource::Variable("CODEX_API_KEY");
        check(&[], "", "", "it may have expired or been revoked");
        check(
            &[
                variable.clone(),
                CredentialSource::KeyIn("/h/auth.json".into()),
            ],
            "api.example",
            " from CODEX_API_KEY",
            "check CODEX_API_KEY: the key may be mistyped, revoked, or meant for another service; or unset it to use the \
             key in /h/auth.json",
        );
        check(
            &[CredentialSource::KeyIn("/h/auth.json".into()), variable],
            "api.example",
            " from the key in /h/auth.json",
            "check the key in /h/auth.json: the key may be mistyped, revoked, or meant for another service",
        );
        check(
            &[CredentialSource::ServerKey("box".to_owned())],
            "box",
            " from the key of box in models.json",
            "check the key of box in models.json",
        );
    }

    #[test]
    fn a_404_from_a_custom_server_hints_at_its_base_url() {
        let check = |source: CredentialSource, hint: &str| {
            let used = Used::of(&[found(source)], None, None);
            let head = FaultHead::read(404, |_| None);
            let failure = of_fault(&fault::from_response(&head, b"", 0), used.as_ref());
            assert!(
                failure.advice().is_some_and(|advice| advice.contains(hint)),
                "{failure:?}"
            );
        };
        check(
            CredentialSource::Server("box".to_owned()),
            "check its \"baseUrl\"",
        );
        check(
            CredentialSource::Variable("OPENAI_API_KEY"),
            "check the address: ",
        );
    }
}
