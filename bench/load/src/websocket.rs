//! `websocket`: closed echo loops.
//!
//! Each connection sends a binary message, waits until the same bytes have come back, and sends the next. A connection
//! that fails is opened again, so that the count of failures is one of exchanges and not just of connections.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::connection::open_stream;
use crate::fault::Fault;
use crate::latency::{Latencies, Summary};
use crate::options::WebsocketOptions;

/// Pause after a failure, so that a server which refuses everything is asked a bounded number of times.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(20);

/// The JSON that `websocket` prints.
#[derive(Debug, Serialize)]
pub struct WebsocketReport {
    pub exchanges: usize,
    pub failures: u64,
    pub failures_by_kind: BTreeMap<Fault, u64>,
    pub elapsed_s: f64,
    pub exchanges_per_second: f64,
    pub latency: Summary,
}

type Socket = WebSocketStream<TcpStream>;

pub async fn run(options: WebsocketOptions) -> WebsocketReport {
    let start = Instant::now();
    let (results, mut finished) = unbounded_channel();
    for index in 0..options.connections {
        tokio::spawn(echo_until(start + options.duration, options.clone(), index, results.clone()));
    }
    drop(results);

    let mut latencies = Latencies::default();
    let mut failures_by_kind = BTreeMap::new();
    while let Some(result) = finished.recv().await {
        match result {
            Ok(latency) => latencies.record(latency),
            Err(fault) => *failures_by_kind.entry(fault).or_default() += 1,
        }
    }
    let elapsed = start.elapsed().as_secs_f64();
    WebsocketReport {
        exchanges: latencies.count(),
        failures: failures_by_kind.values().sum(),
        failures_by_kind,
        elapsed_s: elapsed,
        exchanges_per_second: latencies.count() as f64 / elapsed,
        latency: latencies.summary(),
    }
}

async fn echo_until(
    end: Instant,
    options: WebsocketOptions,
    index: u32,
    results: UnboundedSender<Result<Duration, Fault>>,
) {
    // Each connection sends bytes of its own, so that an echo to the wrong client is noticed.
    let message: Bytes = (0..options.size).map(|position| (position.wrapping_mul(31) ^ index) as u8).collect();
    let mut socket = None;
    while Instant::now() < end {
        let sent = Instant::now();
        let attempt = async {
            let mut open = match socket.take() {
                Some(open) => open,
                None => return connect(&options).await.map(|open| (open, None)),
            };
            echo(&mut open, &message).await?;
            Ok((open, Some(sent.elapsed())))
        };
        let fault = match timeout(options.timeout, attempt).await {
            Ok(Ok((open, latency))) => {
                socket = Some(open);
                match latency {
                    Some(latency) if results.send(Ok(latency)).is_err() => return,
                    _ => continue,
                }
            }
            Ok(Err(fault)) => fault,
            Err(_) => Fault::Timeout,
        };
        if results.send(Err(fault)).is_err() {
            return;
        }
        tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
    }
    if let Some(mut open) = socket {
        // Only politeness: how the server ends a connection is not what is measured.
        let _ = timeout(Duration::from_secs(1), open.close(None)).await;
    }
}

async fn connect(options: &WebsocketOptions) -> Result<Socket, Fault> {
    let stream = open_stream(&options.target).await?;
    let address = format!("ws://{}{}", options.target.address, options.target.path);
    let (socket, _) = client_async(address, stream).await.map_err(|_| Fault::Handshake)?;
    Ok(socket)
}

async fn echo(socket: &mut Socket, message: &Bytes) -> Result<(), Fault> {
    socket.send(Message::Binary(message.clone())).await.map_err(|error| fault_of(&error))?;
    loop {
        match socket.next().await {
            Some(Ok(Message::Binary(echo))) if echo == *message => return Ok(()),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => return Err(Fault::ClosedBeforeAnswer),
            Some(Ok(_)) => return Err(Fault::WrongEcho),
            Some(Err(error)) => return Err(fault_of(&error)),
        }
    }
}

fn fault_of(error: &Error) -> Fault {
    match error {
        Error::Io(error) => Fault::from_exchange(error, 0),
        Error::Protocol(_) => Fault::Malformed,
        _ => Fault::ClosedBeforeAnswer,
    }
}
