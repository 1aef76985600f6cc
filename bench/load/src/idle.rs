//! `idle`: connections that do one request each and then only stay open.
//!
//! Two lines of JSON: the first when all connections are open, the second after standard input has ended (or after
//! `--hold-at-most`), with how many the server had closed by then. In between the bench measures what they cost.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::http::Request;
use crate::options::IdleOptions;
use crate::print_json;

/// The first line.
#[derive(Debug, Serialize)]
struct Opened {
    opened: usize,
    failures: u64,
    failures_by_kind: BTreeMap<Fault, u64>,
}

/// The second line.
#[derive(Debug, Serialize)]
struct Held {
    held: usize,
    closed_by_server: usize,
}

pub async fn run(options: IdleOptions) -> Result<(), String> {
    let (connections, failures_by_kind) = open_all(&options).await;
    let failures = failures_by_kind.values().sum();
    print_json(&Opened { opened: connections.len(), failures, failures_by_kind })?;

    let mut ignored = Vec::new();
    // However standard input ends, by its end, an error or the time-out, the connections are to be closed.
    let _ = timeout(options.hold_at_most, tokio::io::stdin().read_to_end(&mut ignored)).await;

    let closed_by_server = connections.iter().filter(|connection| connection.is_stale()).count();
    print_json(&Held { held: connections.len() - closed_by_server, closed_by_server })
}

async fn open_all(options: &IdleOptions) -> (Vec<Connection>, BTreeMap<Fault, u64>) {
    let request = Request { method: "GET", target: &options.target, headers: &[], body: &[], keep_alive: true };
    let request = Arc::new(request.encode());
    let permits = Arc::new(Semaphore::new(options.opening as usize));
    let mut opening = JoinSet::new();
    for _ in 0..options.connections {
        let (options, request, permits) = (options.clone(), request.clone(), permits.clone());
        opening.spawn(async move {
            let _permit = permits.acquire().await;
            timeout(options.timeout, open(&options, &request)).await.unwrap_or(Err(Fault::Timeout))
        });
    }
    let mut connections = Vec::new();
    let mut failures = BTreeMap::new();
    while let Some(result) = opening.join_next().await {
        match result {
            Ok(Ok(connection)) => connections.push(connection),
            Ok(Err(fault)) => *failures.entry(fault).or_default() += 1,
            Err(_) => *failures.entry(Fault::Connect).or_default() += 1,
        }
    }
    (connections, failures)
}

async fn open(options: &IdleOptions, request: &[u8]) -> Result<Connection, Fault> {
    let mut connection = Connection::open(&options.target).await?;
    let answer = connection.exchange(request).await?;
    if answer.keep_alive { Ok(connection) } else { Err(Fault::ClosedInAnswer) }
}
