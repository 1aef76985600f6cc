//! The time of a log line: UTC, as RFC 3339 has it, with milliseconds.

use std::fmt;
use std::time::{Duration, SystemTime};

const SECONDS_OF_DAY: u64 = 86_400;

/// A moment, in UTC. Its display is as in `2026-11-22T01:02:03.123Z`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timestamp(Duration);

impl Timestamp {
    pub(crate) fn now() -> Self {
        // A clock before 1970 is not worth a failure of the log.
        Self(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (year, month, day) = civil(seconds / SECONDS_OF_DAY);
        let of_day = seconds % SECONDS_OF_DAY;
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let millisecond = self.0.subsec_millis();
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    }
}

/// Year, month and day of the Gregorian calendar, from days since 1970-01-01 (Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms", `civil_from_days`): years begin in March, so that the leap day is the last of one.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moment_is_written_as_rfc_3339_has_it() {
        assert_eq!(Timestamp(Duration::from_millis(1_795_309_323_045)).to_string(), "2026-11-22T01:02:03.045Z");
    }

    #[test]
    fn dates_around_leap_days_are_right() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (19_782, (2024, 2, 29)),
            (20_453, (2025, 12, 31)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(days), date, "{days}");
        }
    }
}
