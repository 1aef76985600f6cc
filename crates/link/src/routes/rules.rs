//! Rules for routes: the operator's over the code's, and both in the words of dispatch.

use andon_dispatch as dispatch;
use andon_wire::rule::{Priority, Rule, Run};

/// What the operator leaves open the code may say.
pub(super) fn merged(own: Rule, operator: Option<Rule>) -> Rule {
    let operator = operator.unwrap_or_default();
    Rule {
        run: operator.run.or(own.run),
        concurrency: operator.concurrency.or(own.concurrency),
        timeout: operator.timeout.or(own.timeout),
        priority: operator.priority.or(own.priority),
    }
}

pub(super) fn for_dispatch(rule: Rule) -> dispatch::RouteRule {
    let run = |run| match run {
        Run::Loop => dispatch::Run::Loop,
        Run::Thread => dispatch::Run::Thread,
        Run::Heavy => dispatch::Run::Heavy,
    };
    let priority = |priority| match priority {
        Priority::Low => dispatch::Priority::Low,
        Priority::Normal => dispatch::Priority::Normal,
        Priority::High => dispatch::Priority::High,
    };
    dispatch::RouteRule {
        run: rule.run.map(run),
        concurrency: rule.concurrency,
        priority: rule.priority.map(priority).unwrap_or_default(),
        offloadable: false,
    }
}
