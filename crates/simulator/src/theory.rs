//! What queueing theory says of the loads that it can solve.

/// Mean wait in a queue before `servers` equal ones, in units of the mean service time, both exponential (Erlang C).
/// `utilisation` is below 1.
pub fn erlang_c_wait(servers: u32, utilisation: f64) -> f64 {
    let offered = f64::from(servers) * utilisation;
    // Erlang B by its recursion, then C from B.
    let blocked =
        (1..=servers).fold(1.0, |blocked, server| offered * blocked / (f64::from(server) + offered * blocked));
    let waits = blocked / (1.0 - utilisation * (1.0 - blocked));
    waits / (f64::from(servers) * (1.0 - utilisation))
}

/// Mean wait before one server with any distribution of service, in units of its mean (Pollaczek and Khinchine).
/// `variation` is the variance of the service time over its squared mean.
pub fn pollaczek_khinchine_wait(utilisation: f64, variation: f64) -> f64 {
    utilisation / (1.0 - utilisation) * (1.0 + variation) / 2.0
}
