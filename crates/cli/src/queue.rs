//! From the options to what the workers' queue is told: the one place where options and dispatch meet.

use std::{ops::RangeInclusive, time::Duration};

use andon_config::{OnBlock, RoutePriority, RouteRule, RouteRules, RouteRun, Seconds, Settings};
use andon_dispatch::{Elastic, SavedProfile};
use andon_link::QueueSettings;
use andon_wire::rule::{Priority, Rule, Run};

/// What is learned of routes, by name.
pub(crate) type RouteProfiles = Vec<(String, SavedProfile)>;

/// As the options say, with rules and profiles from their files. `workers` is the smallest and the largest number.
pub(crate) fn settings(
    options: &Settings,
    workers: &RangeInclusive<u16>,
    rules: RouteRules,
    profiles: RouteProfiles,
) -> QueueSettings {
    let (min_workers, max_workers) = (usize::from(*workers.start()), usize::from(*workers.end()));
    let elastic = Elastic { min_workers, max_workers, ..Elastic::default() };
    let dispatch = andon_dispatch::Settings {
        concurrency: options.limits.concurrency.map(|limit| limit as usize),
        queue_requests: options.queue.requests as usize,
        queue_bytes: options.queue.bytes,
        queue_timeout: or_for_ever(options.queue.timeout),
        heavy_queue_timeout: or_for_ever(options.queue.heavy_timeout),
        threads: options.workers.threads,
        stall_after: options.dispatch.stall_after.0,
        offload: options.dispatch.on_block == OnBlock::Offload,
        elastic: (min_workers < max_workers).then_some(elastic),
        ..andon_dispatch::Settings::default()
    };
    let rules = rules.0.into_iter().map(|(name, rule)| (name, on_the_wire(rule))).collect();
    QueueSettings { dispatch, rules, profiles, trace: options.dispatch.dispatch_trace.clone() }
}

/// A limit that was turned off is a year, so that it can still be added to any time.
fn or_for_ever(limit: Seconds) -> Duration {
    limit.limit().unwrap_or(Duration::from_secs(366 * 24 * 3600))
}

fn on_the_wire(rule: RouteRule) -> Rule {
    let run = |run| match run {
        RouteRun::Loop => Run::Loop,
        RouteRun::Thread => Run::Thread,
        RouteRun::Heavy => Run::Heavy,
    };
    let priority = |priority| match priority {
        RoutePriority::Low => Priority::Low,
        RoutePriority::Normal => Priority::Normal,
        RoutePriority::High => Priority::High,
    };
    Rule {
        run: rule.run.map(run),
        concurrency: rule.concurrency,
        timeout: rule.timeout,
        priority: rule.priority.map(priority),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn queue(arguments: &[&str], workers: RangeInclusive<u16>, rules: RouteRules) -> QueueSettings {
        let options = Settings::try_parse_from(["andon", "main:app"].iter().chain(arguments)).unwrap();
        settings(&options, &workers, rules, Vec::new())
    }

    #[test]
    fn options_have_the_defaults_of_the_rule() {
        let queue = queue(&[], 2..=2, RouteRules::default());
        assert_eq!(queue.dispatch, andon_dispatch::Settings::default());
    }

    #[test]
    fn every_option_reaches_the_rule() {
        let arguments = [
            "--limit-concurrency=7",
            "--queue-requests=8",
            "--queue-bytes=9",
            "--queue-timeout=1",
            "--heavy-queue-timeout=2",
            "--stall-after=0.05",
            "--threads=3",
            "--on-block=offload",
            "--dispatch-trace=trace.jsonl",
        ];
        let queue = queue(&arguments, 2..=5, RouteRules::default());
        let expected = andon_dispatch::Settings {
            concurrency: Some(7),
            queue_requests: 8,
            queue_bytes: 9,
            queue_timeout: Duration::from_secs(1),
            heavy_queue_timeout: Duration::from_secs(2),
            stall_after: Duration::from_millis(50),
            threads: 3,
            offload: true,
            elastic: Some(Elastic { min_workers: 2, max_workers: 5, ..Elastic::default() }),
            ..andon_dispatch::Settings::default()
        };
        assert_eq!(queue.dispatch, expected);
        assert_eq!(queue.trace, Some("trace.jsonl".into()));
    }

    #[test]
    fn limit_that_is_turned_off_is_out_of_reach() {
        let queue = queue(&["--queue-timeout=0"], 1..=1, RouteRules::default());
        assert!(queue.dispatch.queue_timeout > Duration::from_secs(300 * 24 * 3600));
    }

    #[test]
    fn rules_keep_their_names_and_values() {
        let rule = RouteRule {
            run: Some(RouteRun::Heavy),
            concurrency: Some(4),
            timeout: Some(Duration::from_secs(30)),
            priority: Some(RoutePriority::High),
        };
        let expected = Rule {
            run: Some(Run::Heavy),
            concurrency: Some(4),
            timeout: Some(Duration::from_secs(30)),
            priority: Some(Priority::High),
        };
        let rules = RouteRules(vec![("GET /reports".to_owned(), rule)]);
        assert_eq!(queue(&[], 1..=1, rules).rules, [("GET /reports".to_owned(), expected)]);
    }
}
