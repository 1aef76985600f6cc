//! Every option of the server, declared once: its name, help, environment variable and default.
//!
//! [`Settings`] is what the command line parses into; every part of the server takes the group that concerns it and
//! nothing more. The command line wins over the environment. What cannot be right is refused here, by clap, with exit
//! code 2.

mod duration;
mod limits;
mod serving;
mod websocket;

pub use duration::Seconds;
pub use limits::{Limits, Timeouts};
pub use serving::{Application, Binding, Lifespan, LogLevel, Logging, LoopKind, Reload, ResponseFields, Settings};
pub use websocket::WebSocketOptions;

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
    fn an_application_is_required_and_wrong_values_are_refused() {
        assert!(Settings::try_parse_from(["andon"]).is_err());
        assert!(parse(&["--workers", "0"]).is_err());
        assert!(parse(&["--limit-request-fields", "2000"]).is_err());
        assert!(parse(&["--timeout-keep-alive", "soon"]).is_err());
    }
}
