//! Who is asking. Credentials that were found, and which one counts; a sign-in, how one begins (`pkce`,
//! `callback`, `device`), where it is kept (`store`) and how it stays valid (`sign_in`). A ChatGPT token belongs
//! to the subscription backend and a key to the API; the type keeps them apart from here on.

pub mod again;
mod authority;
pub mod bounds;
pub mod callback;
pub mod change;
mod choice;
mod credential;
pub mod critical;
pub mod device;
mod form;
pub mod identity;
pub mod issued;
pub mod issuer;
pub mod opener;
pub mod page;
pub mod personal;
pub mod pkce;
mod plan;
mod poll;
pub mod printed;
pub mod redirect;
pub mod refusal;
pub mod sign_in;
pub mod signed_in;
mod source;
pub mod store;
pub mod token;

pub use authority::Authority;
pub use choice::{Chosen, Error, FoundCredential, What, choose, key, plain};
pub use credential::Credential;
pub use source::CredentialSource;
