//! Every option of the server, declared once: its name, help, environment variable and default.
//!
//! [`Settings`] is what the command line parses into; every part of the server takes the group that concerns it and
//! nothing more. The command line wins over the environment. What cannot be right is refused here, by clap, with exit
//! code 2. [`RouteRules`] is what a file says of single routes; it is read by its own, for it depends on the options.

mod dispatch;
mod duration;
mod limits;
mod peers;
mod requests;
mod routes;
mod serving;
mod websocket;
mod workers;

pub use dispatch::{DispatchOptions, OnBlock, QueueOptions};
pub use duration::Seconds;
pub use limits::{Limits, Timeouts};
pub use peers::TrustedPeers;
pub use requests::RequestOptions;
pub use routes::{RoutePriority, RouteRule, RouteRules, RouteRun, RulesError};
pub use serving::{Application, Binding, Lifespan, LogFormat, LogLevel, Logging, Reload, ResponseFields, Settings};
pub use websocket::WebSocketOptions;
pub use workers::{LoopKind, NativeRoutes, WorkerOptions};

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Settings, clap::Error> {
        Settings::try_parse_from(["andon", "main:app"].iter().chain(arguments))
    }

    #[test]
    fn every_option_is_declared_consistently() {
        Settings::command().debug_assert();
    }

    #[test]
    fn an_option_and_its_opposite_override_each_other() {
        assert!(parse(&[]).unwrap().logging.access());
        assert!(!parse(&["--no-access-log"]).unwrap().logging.access());
        assert!(parse(&["--no-access-log", "--access-log"]).unwrap().logging.access());
        assert!(!parse(&["--no-ws-per-message-deflate"]).unwrap().websocket.deflate());
        assert!(!parse(&["--ws-per-message-deflate=false"]).unwrap().websocket.deflate());
    }

    #[test]
    fn groups_with_like_names_do_not_mix() {
        let settings = parse(&["--limit-request-head", "9000", "--timeout-request-head", "0"]).unwrap();
        assert_eq!(settings.limits.request_head, 9000);
        assert_eq!(settings.timeouts.request_head.limit(), None);
    }

    #[test]
    fn number_of_workers_follows_from_what_is_given() {
        let range = |arguments: &[&str]| parse(arguments).unwrap().workers.range(4);
        assert_eq!(range(&[]), 5..=8);
        assert_eq!(range(&["--workers", "2"]), 2..=2);
        assert_eq!(range(&["--max-workers", "3"]), 3..=3);
        assert_eq!(range(&["--max-workers", "6"]), 5..=6);
        assert_eq!(range(&["--workers", "2", "--max-workers", "6"]), 3..=6);
        assert_eq!(range(&["--workers", "2", "--max-workers", "6", "--spare-workers", "0"]), 2..=6);
        assert_eq!(range(&["--workers", "2", "--max-workers", "3", "--spare-workers", "9"]), 3..=3);
    }

    #[test]
    fn fewer_workers_at_most_than_at_least_are_refused() {
        let settings = parse(&["--workers", "4", "--max-workers", "2"]).unwrap();
        assert!(settings.check().unwrap_err().to_string().contains("--max-workers"));
        assert!(parse(&["--workers", "2", "--max-workers", "2"]).unwrap().check().is_ok());
    }

    #[test]
    fn what_a_stall_is_cannot_be_turned_off() {
        assert!(parse(&["--stall-after", "0"]).is_err());
        assert!(parse(&["--stall-report-after", "0"]).is_err());
        assert_eq!(parse(&["--queue-timeout", "0"]).unwrap().queue.timeout.limit(), None);
    }

    #[test]
    fn an_application_is_required_and_wrong_values_are_refused() {
        assert!(Settings::try_parse_from(["andon"]).is_err());
        assert!(parse(&["--workers", "0"]).is_err());
        assert!(parse(&["--limit-request-fields", "2000"]).is_err());
        assert!(parse(&["--timeout-keep-alive", "soon"]).is_err());
    }
}
