//! Durations on the command line: seconds, with a fraction if wanted.

use std::{str::FromStr, time::Duration};

/// A duration given in seconds, such as `5` or `0.25`; `0` turns the time-out off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

/// A year: longer durations are taken for a mistake.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0;

/// Where zero makes no sense, less than this makes none either.
const SHORTEST: f64 = 0.001;

impl Seconds {
    /// The duration, or `None` where zero turned it off.
    pub fn limit(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
    }

    /// Reads a duration that cannot be turned off.
    pub(crate) fn parse_positive(text: &str) -> Result<Self, String> {
        Self::positive(text.parse::<f64>().unwrap_or(f64::NAN))
    }

    /// A duration of a millisecond or more.
    pub(crate) fn positive(seconds: f64) -> Result<Self, String> {
        if (SHORTEST..=LONGEST).contains(&seconds) {
            Ok(Self(Duration::from_secs_f64(seconds)))
        } else {
            Err("expected a number of seconds between 0.001 and one year".to_owned())
        }
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(seconds) if (0.0..=LONGEST).contains(&seconds) => Ok(Self(Duration::from_secs_f64(seconds))),
            _ => Err("expected a number of seconds between 0 and one year".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_seconds() {
        assert_eq!("0.25".parse(), Ok(Seconds(Duration::from_millis(250))));
    }

    #[test]
    fn zero_turns_a_limit_off() {
        assert_eq!("0".parse::<Seconds>().map(Seconds::limit), Ok(None));
    }

    #[test]
    fn what_cannot_be_turned_off_is_a_millisecond_at_least() {
        assert_eq!(Seconds::parse_positive("0.02"), Ok(Seconds(Duration::from_millis(20))));
        for text in ["0", "0.0001", "-1", "soon", "NaN"] {
            assert!(Seconds::parse_positive(text).is_err(), "{text}");
        }
    }

    #[test]
    fn negative_infinite_and_wordy_durations_are_refused() {
        for text in ["-1", "inf", "NaN", "5s", "1e12", ""] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }
}
