//! The compiled route plan: which route a request takes, and what is done for it, without CPython's types.
//!
//! ```text
//!   inspection (Python) -- Description --> Plan::compile --> Router: method and path -> native route and captures
//!                                                       '-> Program of each native route: operations and registers
//! ```
//! The executor asks [`Plan::find`], gathers what the route's program asks for ([`query`], [`cookies`]), and runs its
//! operations ([`Program`]). Everything here is pure: no sockets, no clock, no Python.

mod captures;
mod content_type;
mod convertor;
pub mod cookies;
mod description;
mod flatten;
mod form;
mod gathered;
mod hosts;
mod limits;
mod listing;
mod methods;
mod missed;
mod names;
mod objects;
mod paths;
mod pattern;
mod plan;
mod program;
pub mod query;
mod router;
mod segments;
mod shape;
mod summary;
mod template;
#[cfg(test)]
mod testing;
mod texts;

pub use captures::{Capture, Captures};
pub use content_type::{BodyKind, body_kind, is_urlencoded};
pub use convertor::Convertor;
pub use description::*;
pub use flatten::{MAX_CALLS, MAX_DEPTH, MAX_REGISTERS};
pub use form::{FormMember, FormModel, FormModelStep};
pub use gathered::Gathered;
pub use hosts::{PlainHost, plain_url};
pub use limits::{BodyLimit, BodySize, Level};
pub use methods::MAX_METHODS;
pub use missed::Miss;
pub use names::Names;
pub use paths::RequestPath;
pub use plan::{MAX_ROUTES, NativeRoute, Plan, PlanError};
pub use program::*;
pub use router::{Found, Why};
pub use summary::{RouteSummary, Runs, Summary};
pub use template::MAX_CAPTURES;
pub use texts::Text;
