//! Everything between a client's socket and a worker: listener, HTTP/1.1, WebSockets, limits, rejections, shutdown.
//!
//! ```text
//!   Front::serve ── accept ──> connection ── hyper ──> service ── submit ──> andon_link::Workers
//!                                  |                     |  checks, request_head, request_body
//!                                  |                     |  answer, body, file   <── Event ── Exchange
//!                                  '── websocket::session <── 101
//! ```
//! The front knows nothing of Python, workers or placement: it makes a request head out of what a client sent, hands
//! it to [`andon_link`], and makes an answer out of the events that come back. What a client sends and what a worker
//! sends are both taken for hostile.
//!
//! hyper's types stay inside this crate.

mod accept;
mod admitted;
mod answer;
mod answer_stream;
mod body;
mod checks;
mod closing;
mod connection;
mod endpoint;
mod explanation;
mod file;
mod front;
mod interim;
mod listener;
mod record;
mod rejection;
mod request_body;
mod request_head;
mod service;
mod settings;
mod stream;
mod terms;
mod trimming;
mod watch;
mod websocket;

pub use front::{Front, Served};
pub use listener::{BindError, Listener, bind};
pub use settings::{FrontSettings, WebSocketSettings};
