//! Durations on the command line: seconds, with a fraction if wanted.

use std::{str::FromStr, time::Duration};

/// A duration given in seconds, such as `5` or `0.25`; `0` turns the time-out off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub Duration);

/// A year: longer durations are taken for a mistake.
const LONGEST: f64 = 366.0 * 24.0 * 3600.0;

impl Seconds {
    /// The duration, or `None` where zero turned it off.
    pub fn limit(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
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
    fn negative_infinite_and_wordy_durations_are_refused() {
        for text in ["-1", "inf", "NaN", "5s", "1e12", ""] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
    }
}
