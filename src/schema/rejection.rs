//! The first place where a schema is not supported by strict mode, or a value does not match a schema.

/// Why strict mode does not support a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The location in the schema, as a JSON pointer (RFC 6901); empty for the whole schema.
    pub at: String,
    /// What is wrong there, and how to fix it.
    pub why: String,
}

/// Why a value does not match: the first mismatch, or that of the closest alternative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The location in the value, as a JSON pointer (RFC 6901); empty for the whole value.
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
