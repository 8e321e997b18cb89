//! The substitutes of a conversation: each with the client of its service.

use super::super::authority;
use super::error::Error;
use super::host::Host;
use super::question::profile;
use super::settings::RunSettings;
use super::substitute_model::OtherService;
use crate::agent::Substitute;
use crate::api::Client;
use crate::auth::critical_section::Critical;
use crate::auth::{self, Authority};
use crate::http::Http;
use crate::id::ThreadId;

/// The substitutes of a conversation, and what signs the requests to services other than that of the first model.
pub(super) struct ReadySubstitutes {
    pub(super) substitutes: Vec<Substitute>,
    pub(super) authorities: Vec<Authority>,
}

impl ReadySubstitutes {
    /// Checks that requests to each service can be signed. `client` is that of the first model.
    pub(super) fn of(
        settings: &RunSettings,
        host: &Host,
        client: &Client,
        thread: &ThreadId,
        critical: &Critical,
    ) -> Result<Self, Error> {
        let models = &settings.substitutes;
        let is_one_service = models.iter().all(|model| model.service.is_none());
        let mut authorities = Vec::new();
        let mut substitutes = Vec::new();
        for model in models {
            let client = match &model.service {
                None if is_one_service => None,
                None => Some(client.renewed()),
                Some(service) => {
                    let authority = service.authority(host, critical)?;
                    authorities.push(authority.clone());
                    let http = Http::new(&host.setup, settings.idle_timeout);
                    Some(Client::new(http, &service.endpoints, authority, thread))
                }
            };
            substitutes.push(Substitute {
                profile: profile(settings, &model.choice, &model.clamped),
                after: model.after,
                note: model.clamped.note(),
                searches: model.choice.searches,
                client,
            });
        }
        Ok(Self {
            substitutes,
            authorities,
        })
    }
}

impl OtherService {
    /// What signs the requests, after checking that it can.
    fn authority(&self, host: &Host, critical: &Critical) -> Result<Authority, Error> {
        let chosen = auth::choose(&self.found).map_err(Error::Credential)?;
        let source = self.sign_in_source.clone();
        let authority = authority(chosen, source, &host.setup, critical)
            .ok_or(Error::Credential(auth::Error::Missing))?;
        if let Authority::SignIn(sign_in) = &authority {
            sign_in.check().map_err(Error::SignIn)?;
        }
        Ok(authority)
    }
}
