//! Credentials: which were found and which one is used; how a sign-in starts (`pkce`, `callback`, `device`), where it
//! is stored (`store`) and how it stays valid (`sign_in`). A ChatGPT token belongs to the subscription backend and an
//! API key to the public API; the `Credential` type keeps them apart.

pub mod access_token;
mod authority;
pub mod callback;
mod choice;
mod credential;
pub mod critical_section;
pub mod device;
mod device_poll;
mod form;
pub mod identity;
pub mod issuer;
pub mod key_command;
pub mod opener;
pub mod page;
pub mod pkce;
pub mod redirect;
pub mod refusal;
mod renewal_plan;
pub mod retry;
pub mod sign_in;
pub mod signed_in;
mod source;
pub mod store;
pub mod store_change;
pub mod token;
pub mod token_response;
pub mod workspace;

pub use authority::Authority;
pub use choice::{Chosen, Error, FoundCredential, What, choose, key, plain};
pub use credential::Credential;
pub use source::CredentialSource;
