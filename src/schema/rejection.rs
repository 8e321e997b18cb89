//! What strict mode does not take, and what does not fit a schema: the first place, and why.

/// Why strict mode does not take a schema: the first place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Where in the schema, as a JSON pointer (RFC 6901); empty for the whole.
    pub at: String,
    /// What is wrong there, and what to do.
    pub why: String,
}

/// Why a value does not fit: the first place, or that of the alternative which comes closest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Where in the value, as a JSON pointer (RFC 6901); empty for the whole.
    pub at: String,
    /// What is wrong there.
    pub why: String,
}

pub(super) fn unfit<T>(at: &str, why: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit {
        at: at.to_owned(),
        why: why.into(),
    })
}
