//! Local time: its difference from UTC, and its name.

/// Local time of a part of the year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// Seconds to add to UTC.
    pub offset: i64,
    /// The abbreviation: `CET`.
    pub name: String,
}
