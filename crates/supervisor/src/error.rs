//! Why a generation of workers could not start.

use std::{io, sync::Arc};

use thiserror::Error;

use crate::Departure;

/// The first failure of a start. The workers that came up beside it have been stopped.
#[derive(Debug, Clone, Error)]
pub enum StartError {
    /// The application could not be imported.
    #[error("the application could not be loaded")]
    Load {
        /// Message and traceback, for the operator.
        text: String,
    },
    /// The application was imported, but its lifespan start-up failed.
    #[error("the application's lifespan start-up failed")]
    Startup {
        /// Message and traceback, for the operator.
        text: String,
    },
    /// The process ended before it had said anything.
    #[error("worker {seat} {how} before it was ready")]
    Died {
        /// Number of the worker, from 1.
        seat: u32,
        /// How its process ended.
        how: Departure,
    },
    /// There is no process.
    #[error("worker {seat} could not be started as a process: {source}")]
    Spawn {
        /// Number of the worker, from 1.
        seat: u32,
        /// What the system says.
        source: Arc<io::Error>,
    },
}

impl StartError {
    /// What the worker wrote about its failure, if it could.
    pub fn text(&self) -> Option<&str> {
        match self {
            StartError::Load { text } | StartError::Startup { text } => Some(text),
            StartError::Died { .. } | StartError::Spawn { .. } => None,
        }
    }
}
