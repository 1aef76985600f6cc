//! Native routes: requests that are served without the framework's own code, by a plan of it.
//!
//! ```text
//!   Worker.set_native --> Application      the plan, with the Python objects that it names; guards
//!   Worker (a request) --> Execution       its code on one route, stepped by the request's Exchange
//!   NativeApp           -'                 the same as an ASGI application, for tests
//!   NativeCore          -'                 the same at the bottom of the application's middleware
//!   NativeDispatch                         a middleware with `dispatch`, around that
//! ```
//! What is not understood, and what was changed, is served by the application itself. See `execution` for the parts.

mod anyio;
mod application;
mod asgi;
mod asgi_call;
mod binding;
mod body;
mod calling;
mod calls;
mod chain;
mod concurrency;
mod dispatch;
mod execution;
mod exits;
mod face;
mod failing;
mod form;
mod form_fields;
mod framework;
mod generators;
mod guards;
mod incoming;
mod injection;
mod interpreter;
mod items;
mod json;
mod layers;
mod limits;
mod mounted;
mod native_app;
mod parameters;
mod raising;
mod refusals;
mod result;
mod scope;
mod sending;
mod splice;
mod stepping;
mod streams;
mod threads;
mod validation;
mod visit;

pub(crate) use anyio::default_limiter;
pub(crate) use application::{Application, Inspected, Served, Taken};
pub(crate) use calls::Calls;
pub(crate) use dispatch::NativeDispatch;
pub(crate) use execution::{Execution, Under};
pub(crate) use face::{Face, Wire};
pub(crate) use incoming::{Incoming, Parts};
pub(crate) use interpreter::{copy_context, within_context};
pub(crate) use layers::{Around, Asked, Entered, Refused};
pub(crate) use native_app::NativeApp;
pub(crate) use refusals::refuse;
pub(crate) use splice::{NativeCore, install as splice};
pub(crate) use stepping::{Drive, Place, Progress};
