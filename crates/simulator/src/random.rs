//! Seeded random numbers (splitmix64) and the distributions that loads are made of.

use std::time::Duration;

/// A seeded source.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Uniform over (0, 1].
    pub fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// True in such a share of cases.
    pub fn chance(&mut self, share: f64) -> bool {
        self.unit() <= share
    }

    /// Exponentially distributed.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-self.unit().ln())
    }

    /// Pareto distributed with the tail index 1.5: finite mean, no variance; cut at a thousand times the mean.
    pub fn heavy_tailed(&mut self, mean: Duration) -> Duration {
        const INDEX: f64 = 1.5;
        let least = (INDEX - 1.0) / INDEX;
        mean.mul_f64((least / self.unit().powf(1.0 / INDEX)).min(1000.0))
    }
}
