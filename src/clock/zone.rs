//! A time zone: the offset and the abbreviation of local time at a moment (pure). It is read from the contents of a `TZif` file
//! (RFC 9636) or from the rule that POSIX defines for the variable `TZ`. `jiff` and `tz-rs` read the same for 270 KB and 33 KB
//! more in a static program.

use super::local_time::LocalTime;
use super::zone_rule::ZoneRule;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone {
    /// The moments at which local time changes, in Unix seconds and in order, each with the index of the local time from then on.
    changes: Vec<(i64, usize)>,
    /// The local times; the first one applies before every change.
    times: Vec<LocalTime>,
    /// What applies after the last change.
    rule: Option<ZoneRule>,
}

impl TimeZone {
    /// Parses the contents of a `TZif` file; `None` if that is not what they are.
    #[must_use]
    pub fn from_file(bytes: &[u8]) -> Option<Self> {
        let (mut header, mut data) = Header::read(bytes)?;
        if header.version < 2 {
            return Self::from_block(data, &header, 4, None);
        }
        // The first block is for readers of version 1.
        (header, data) = Header::read(data.get(header.block_bytes(4)?..)?)?;
        let footer = data.get(header.block_bytes(8)?..)?.strip_prefix(b"\n")?;
        let footer = footer.split(|byte| *byte == b'\n').next()?;
        let rule = std::str::from_utf8(footer).ok().and_then(ZoneRule::parse);
        Self::from_block(data, &header, 8, rule)
    }

    /// Parses a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`; `None` if it is not one.
    #[must_use]
    pub fn from_rule(text: &str) -> Option<Self> {
        Some(Self {
            changes: Vec::new(),
            times: Vec::new(),
            rule: Some(ZoneRule::parse(text)?),
        })
    }

    /// The local time at this moment, in Unix seconds; `None` for a zone without any.
    #[must_use]
    pub fn at(&self, unix: i64) -> Option<&LocalTime> {
        let past = self.changes.partition_point(|(at, _)| *at <= unix);
        let by_rule = self.rule.as_ref().filter(|_| past == self.changes.len());
        match (by_rule, past) {
            (Some(rule), _) => Some(rule.at(unix)),
            (None, 0) => self.times.first(),
            (None, past) => self.times.get(self.changes[past - 1].1),
        }
    }

    fn from_block(
        data: &[u8],
        header: &Header,
        time_bytes: usize,
        rule: Option<ZoneRule>,
    ) -> Option<Self> {
        let (moments, data) = data.split_at_checked(header.times * time_bytes)?;
        let (indices, data) = data.split_at_checked(header.times)?;
        let (types, data) = data.split_at_checked(header.types * 6)?;
        let names = data.get(..header.name_bytes)?;
        let time = |record: &[u8]| {
            let offset = i32::from_be_bytes(record.get(..4)?.try_into().ok()?);
            let name = names.get(usize::from(*record.get(5)?)..)?;
            let name = name.split(|byte| *byte == 0).next()?;
            Some(LocalTime {
                offset: i64::from(offset),
                name: String::from_utf8_lossy(name).into_owned(),
            })
        };
        let times: Option<Vec<LocalTime>> = types.chunks_exact(6).map(time).collect();
        let times = times.filter(|times| !times.is_empty() || rule.is_some())?;
        let moments = moments.chunks_exact(time_bytes).map(|bytes| {
            let sign = if bytes[0] & 0x80 == 0 { 0 } else { -1 };
            bytes
                .iter()
                .fold(sign, |value: i64, byte| value << 8 | i64::from(*byte))
        });
        let changes: Vec<(i64, usize)> = moments
            .zip(indices.iter().map(|n| usize::from(*n)))
            .collect();
        changes
            .iter()
            .all(|(_, n)| *n < times.len())
            .then_some(Self {
                changes,
                times,
                rule,
            })
    }
}

/// The header of a block.
struct Header {
    version: u8,
    /// Numbers of records, and the bytes of all abbreviations.
    times: usize,
    types: usize,
    name_bytes: usize,
    leaps: usize,
    /// Bytes of indicators, which are not needed.
    indicators: usize,
}

impl Header {
    const BYTES: usize = 44;

    /// Reads a header and returns what follows.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, rest) = bytes.split_at_checked(Self::BYTES)?;
        let counts = header.strip_prefix(b"TZif")?.get(16..)?;
        let count = |n: usize| {
            let bytes = counts.get(n * 4..n * 4 + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        };
        let header = Self {
            version: header[4].saturating_sub(b'0'),
            indicators: count(0)?.checked_add(count(1)?)?,
            leaps: count(2)?,
            times: count(3)?,
            types: count(4)?,
            name_bytes: count(5)?,
        };
        // Then no sum below overflows.
        header.block_bytes(8)?;
        Some((header, rest))
    }

    /// The bytes of a block whose moments have this many bytes.
    fn block_bytes(&self, time_bytes: usize) -> Option<usize> {
        let times = self.times.checked_mul(time_bytes + 1)?;
        let leaps = self.leaps.checked_mul(time_bytes + 4)?;
        let sum = times.checked_add(self.types.checked_mul(6)?)?;
        let sum = sum.checked_add(self.name_bytes)?.checked_add(leaps)?;
        sum.checked_add(self.indicators)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A `TZif` file with these changes, and a rule for what follows.
    fn file(version: u8, changes: &[(i64, u8)], rule: &str) -> Vec<u8> {
        let block = |wide: bool| {
            let mut block = b"TZif".to_vec();
            block.push(version);
            block.extend([0; 15]);
            let times = u32::try_from(changes.len()).expect("a few");
            for count in [0, 0, 0, times, 2, 8] {
                block.extend(count.to_be_bytes());
            }
            for (at, _) in changes {
                let bytes = at.to_be_bytes();
                block.extend(if wide { &bytes[..] } else { &bytes[4..] });
            }
            block.extend(changes.iter().map(|(_, n)| *n));
            for (offset, at) in [(-3600_i32, 0), (7200, 4)] {
                block.extend(offset.to_be_bytes());
                block.extend([0, at]);
            }
            block.extend(b"AAA\0BBB\0");
            block
        };
        let mut bytes = block(false);
        if version >= b'2' {
            bytes.extend(block(true));
            bytes.extend(format!("\n{rule}\n").bytes());
        }
        bytes
    }

    #[test]
    fn a_file_has_changes_and_a_rule_for_what_follows() {
        let check = |bytes: &[u8], unix: i64, expected: &str| {
            let zone = TimeZone::from_file(bytes).expect("a zone");
            let found = zone
                .at(unix)
                .map(|time| format!("{} {}", time.name, time.offset));
            assert_eq!(found.as_deref(), Some(expected), "{unix}");
        };
        let changes = [(-100, 1), (100, 0), (200, 1)];
        for version in [0, b'2', b'4'] {
            let bytes = file(version, &changes, "");
            for (unix, expected) in [
                (-101, "AAA -3600"),
                (-100, "BBB 7200"),
                (99, "BBB 7200"),
                (100, "AAA -3600"),
                (1_800_000_000, "BBB 7200"),
            ] {
                check(&bytes, unix, expected);
            }
        }
        let bytes = file(b'2', &changes, "<+0530>-5:30");
        check(&bytes, 199, "AAA -3600");
        check(&bytes, 200, "+0530 19800");
        check(&file(b'2', &[], "CET-1"), -5, "CET 3600");
    }

    #[test]
    fn no_cut_or_changed_file_is_a_panic() {
        let whole = file(b'2', &[(1, 0), (2, 1)], "CET-1CEST,M3.5.0,M10.5.0/3");
        for end in 0..whole.len() {
            let zone = TimeZone::from_file(&whole[..end]);
            assert!(zone.is_none() || end >= whole.len() - 28, "{end}");
            for byte in [0, 0xff] {
                let mut changed = whole.clone();
                changed[end] = byte;
                let _ = TimeZone::from_file(&changed).map(|zone| zone.at(3).cloned());
            }
        }
        assert_eq!(TimeZone::from_rule("Europe/Berlin"), None);
    }
}
