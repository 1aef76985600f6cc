//! Starlette's `BaseHTTPMiddleware` in Rust: what its `__call__` does around the `dispatch` of the application.
//!
//! ```text
//!   NativeDispatch   takes the place of the middleware     --> Around, the code of one request
//!     dispatch(request, call_next)                             code of the application
//!       CallNext       runs what is inside in a Task of its own (Inner), and waits for the head of its answer
//!         Channel      what the inside sends, until somebody takes it
//!       Response       a `_StreamingResponse`, whose body is in the channel
//! ```
//! What is observable is as with Starlette's own code: there is a Task, which has a copy of the context; the inside sends
//! as slowly as is taken from it; it goes on after its last message when the answer has been sent. There is no task group:
//! this code itself waits for the Tasks, and has them cancelled as a task group would if `dispatch` fails.

mod around;
mod call_next;
mod calling;
mod channel;
mod inner;
mod layer;
mod parts;
mod receiving;
mod response;
mod send;

pub(crate) use channel::Outlet;
pub(crate) use layer::{NativeDispatch, install};
