//! The credential that was refused, by its name, with a hint that fits it.

use super::value::{About, Failure};
use crate::auth::personal::is_personal;
use crate::auth::store::Store;
use crate::auth::{Found, Source, What};
use crate::outcome::Outcome;

/// The credential that a command uses.
#[derive(Debug)]
pub(crate) struct Used {
    source: Source,
    kind: Kind,
    /// What would be used without it.
    next: Option<Source>,
}

#[derive(Debug)]
enum Kind {
    Key,
    Token,
    Personal,
    /// A sign-in, in a file of our own or of another program.
    SignIn {
        renewable: bool,
        foreign: bool,
    },
    /// The key of a server of the user's own.
    OfServer,
}

impl Used {
    /// The first of those that were found.
    pub(crate) fn of(found: &[Found], store: Option<&Store>) -> Option<Self> {
        let first = found.first()?;
        let kind = match &first.what {
            What::Key(_) if first.source.provider().is_some() => Kind::OfServer,
            What::Nobody => Kind::OfServer,
            What::Key(_) | What::NotUsable(_) => Kind::Key,
            What::Token(_) => Kind::Token,
            What::Personal(_) => Kind::Personal,
            What::SignIn(Ok(saved)) if is_personal(saved.access.expose()) => Kind::Personal,
            What::SignIn(saved) => Kind::SignIn {
                renewable: saved.as_ref().is_ok_and(|saved| saved.refresh.is_some()),
                foreign: store.is_some_and(Store::is_foreign),
            },
            What::NotOurs(_) => return None,
        };
        Some(Self {
            source: first.source.clone(),
            kind,
            next: found.get(1).map(|next| next.source.clone()),
        })
    }

    fn hint(&self) -> String {
        let source = &self.source;
        let words = match self.kind {
            Kind::Key => format!(
                "look at {source}: the key may be mistyped, revoked, or for another service"
            ),
            Kind::Token => format!(
                "put a new token into {source}: `codex token` prints one where you are signed in"
            ),
            Kind::Personal => {
                "it may have ended or been withdrawn: make another one in the workspace's settings"
                    .to_owned()
            }
            Kind::SignIn {
                renewable: false, ..
            } => {
                "store a new one: `codex login --with-access-token`, or sign in with `codex login`"
                    .to_owned()
            }
            Kind::SignIn { foreign: true, .. } => format!(
                "sign in again with the program that keeps {source}, or with `codex login --auth-file {source}`"
            ),
            Kind::SignIn { .. } => "run `codex login` to sign in again".to_owned(),
            Kind::OfServer => format!("look at {source}"),
        };
        match (&self.next, source) {
            // A variable is put away with a word; an entry of a file is not.
            (Some(next), Source::Variable(_)) => {
                format!("{words}; or unset it, and {next} is used")
            }
            _ => words,
        }
    }
}

/// What a command ended in, with the name of the credential that it used.
pub(crate) fn with_credential<E>(used: Option<Used>, ended: Result<(), E>) -> Result<(), Failure>
where
    Failure: From<E>,
{
    ended.map_err(|error| Failure::from(error).of_credential(used.as_ref()))
}

impl Failure {
    /// The same with the name of the credential that was used, if it is about that.
    pub(crate) fn of_credential(mut self, used: Option<&Used>) -> Self {
        let Some(used) = used else {
            return self;
        };
        match self.about.take().map(|about| *about) {
            Some(About::Place) if matches!(used.kind, Kind::OfServer) => {
                self.hint("look at its \"baseUrl\", which commonly ends in /v1")
            }
            None | Some(About::Place) => self,
            Some(About::Refused(why)) => {
                self.what = format!(
                    "the service refused the credential from {}: {why}",
                    used.source
                );
                self.hint(used.hint())
            }
            Some(About::Ended) => self.hint(used.hint()),
        }
    }

    /// The failure of a credential that the service refused in these words.
    pub(super) fn refused(why: String, hint: &str) -> Self {
        let what = format!("the service refused the credential: {why}");
        Self {
            about: Some(Box::new(About::Refused(why))),
            ..Self::new(Outcome::SignIn, what).hint(hint)
        }
    }
}
