//! Sign-in with a device code, and the models available to a credential.

use super::access::{AGENT, Access};
use super::error::Error;
use crate::api::models::{LIST_TIMEOUT, Listing, fetch};
use crate::auth::device::{self, Ended};
use crate::auth::issuer::Issuer;
use crate::auth::signed_in::SignedIn;
use crate::clock::seconds;
use crate::http::{BaseUrl, Http, HttpSetup, IDLE_TIMEOUT};
use crate::models::{Backend, Model, catalogue, find_or_unknown, remote};

/// Signs in with a code that the user enters on any device. `show` receives the address to open and the code; the function
/// blocks until the code is entered. The result is not stored: that is up to the caller.
///
/// # Errors
/// If the sign-in fails or times out.
pub fn sign_in(issuer: &str, show: impl FnOnce(&str, &str)) -> Result<SignedIn, Error> {
    let base = BaseUrl::parse(issuer).map_err(Error::Address)?;
    let issuer = Issuer::new(base, &HttpSetup::new(AGENT));
    let device = issuer.device(&|_, _| {}).map_err(Error::SignIn)?;
    show(&issuer.device_url(), device.code.expose());
    let (code, verifier) = device::wait(&issuer, &device).map_err(|ended| match ended {
        Ended::TimedOut | Ended::Cancelled => Error::TimedOut,
        Ended::Failed(error) => Error::SignIn(error),
    })?;
    let tokens = issuer
        .exchange(&code, &verifier, &issuer.device_redirect(), &|_, _| {})
        .map_err(Error::SignIn)?;
    SignedIn::first(tokens, seconds()).map_err(Error::Token)
}

/// Fetches the models available to this credential.
///
/// # Errors
/// If the list cannot be fetched.
pub fn models(access: &Access) -> Result<Vec<Model>, Error> {
    let http = Http::new(&access.setup, IDLE_TIMEOUT);
    let listing = fetch(
        &http,
        &access.endpoints,
        &access.authority,
        None,
        LIST_TIMEOUT,
    );
    let Listing::New(body, _) = listing.map_err(Error::Models)? else {
        return Err(Error::NoList);
    };
    let known = catalogue::of(access.backend);
    if access.backend == Backend::Subscription {
        return remote::parse(&body, &known).ok_or(Error::NoList);
    }
    let ids = remote::ids(&body).ok_or(Error::NoList)?;
    let model = |id: &String| find_or_unknown(&known, id);
    Ok(ids.iter().map(model).collect())
}
