//! `rate`: an open loop at a constant rate.
//!
//! A thread of its own says when each request is due and never waits for an answer. Connections take due requests from
//! one queue, first come first served, the longest idle connection first. Latency counts from the due time, so a
//! request that had to wait for a free connection, because the server sat on all of them, shows that wait.
//!
//! The run ends by itself: every request is answered or given up `--timeout` after it was due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout_at;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::http::{Answer, Request};
use crate::options::{MAX_REQUESTS, RateOptions};
use crate::schedule::Schedule;
use crate::tally::{Keys, Outcome, RateReport, Tally};
use crate::target::Target;

/// What all connections of a run share.
struct Run {
    target: Target,
    request: Vec<u8>,
    timeout: Duration,
}

/// A request that has become due.
struct Due {
    /// From the start of the run.
    offset: Duration,
    at: Instant,
}

pub async fn run(options: RateOptions) -> Result<RateReport, String> {
    let schedule = Schedule::new(options.rate, options.duration, options.requests);
    if schedule.count() > MAX_REQUESTS {
        return Err(format!("{} requests are more than {MAX_REQUESTS}", schedule.count()));
    }
    let run = Arc::new(Run::new(&options)?);
    let keys = Keys {
        header: options.count_header.as_ref().map(|name| name.to_ascii_lowercase()),
        json: options.count_json.clone(),
    };
    let mut tally = Tally::new(keys, options.interval);

    let (outcomes, mut finished) = unbounded_channel();
    let (due, queue) = unbounded_channel();
    if options.new_connections {
        tokio::spawn(new_connections(run, queue, outcomes, options.connections as usize));
    } else {
        let connections = open_all(&run, options.connections, options.prime).await;
        let queue = Arc::new(Mutex::new(queue));
        for connection in connections {
            tokio::spawn(kept_alive(run.clone(), connection, queue.clone(), outcomes.clone()));
        }
        drop(outcomes);
    }

    let start = Instant::now();
    std::thread::spawn(move || pace(start, schedule, &due));
    while let Some(outcome) = finished.recv().await {
        tally.record(&outcome);
    }
    Ok(tally.report(start.elapsed()))
}

impl Run {
    fn new(options: &RateOptions) -> Result<Self, String> {
        let body = match &options.body_file {
            Some(path) => std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?,
            None => Vec::new(),
        };
        let request = Request {
            method: &options.method,
            target: &options.target,
            headers: &options.headers,
            body: &body,
            keep_alive: !options.new_connections,
        };
        Ok(Self { request: request.encode(), target: options.target.clone(), timeout: options.timeout })
    }

    fn deadline(&self, due: &Due) -> tokio::time::Instant {
        (due.at + self.timeout).into()
    }
}

/// Hands out requests as they become due. A thread, because tokio's timer is only precise to a millisecond.
fn pace(start: Instant, schedule: Schedule, due: &UnboundedSender<Due>) {
    for index in 0..schedule.count() {
        let offset = schedule.due(index);
        let at = start + offset;
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if due.send(Due { offset, at }).is_err() {
            return;
        }
    }
}

/// Opens the kept-alive connections before the clock starts. One that fails is opened again when it is needed.
async fn open_all(run: &Run, count: u32, prime: bool) -> Vec<Option<Connection>> {
    let mut connections = Vec::new();
    let deadline = tokio::time::Instant::now() + run.timeout;
    for _ in 0..count {
        let opening = async {
            let mut connection = Connection::open(&run.target).await.ok()?;
            if prime {
                connection.exchange(&run.request).await.ok()?;
            }
            Some(connection)
        };
        connections.push(timeout_at(deadline, opening).await.ok().flatten());
    }
    connections
}

/// One kept-alive connection: takes one due request after the other until no more come.
async fn kept_alive(
    run: Arc<Run>,
    mut connection: Option<Connection>,
    queue: Arc<Mutex<UnboundedReceiver<Due>>>,
    outcomes: UnboundedSender<Outcome>,
) {
    loop {
        // tokio's mutex is fair, so connections take turns in the order in which they became idle.
        let next = queue.lock().await.recv().await;
        let Some(due) = next else { return };
        let outcome = exchange(&run, &mut connection, due).await;
        if outcomes.send(outcome).is_err() {
            return;
        }
    }
}

/// A new connection for each request, at most `at_once` at a time.
async fn new_connections(
    run: Arc<Run>,
    mut queue: UnboundedReceiver<Due>,
    outcomes: UnboundedSender<Outcome>,
    at_once: usize,
) {
    let permits = Arc::new(Semaphore::new(at_once));
    while let Some(due) = queue.recv().await {
        let (run, permits, outcomes) = (run.clone(), permits.clone(), outcomes.clone());
        tokio::spawn(async move {
            let outcome = match timeout_at(run.deadline(&due), permits.acquire()).await {
                Ok(Ok(_permit)) => exchange(&run, &mut None, due).await,
                _ => unsent(&due),
            };
            // The receiver outlives every sender, and a lost outcome has nowhere else to go.
            let _ = outcomes.send(outcome);
        });
    }
}

fn unsent(due: &Due) -> Outcome {
    Outcome { due: due.offset, sent_after: None, result: Err(Fault::NoFreeConnection), reconnected: false }
}

/// One request, on `connection` if it is open. After an error `connection` is `None`.
async fn exchange(run: &Run, connection: &mut Option<Connection>, due: Due) -> Outcome {
    if due.at.elapsed() >= run.timeout {
        return unsent(&due);
    }
    let stale = connection.take_if(|open| open.is_stale()).is_some();
    let mut sent_after = None;
    let attempt = async {
        let mut open = match connection.take() {
            Some(open) => open,
            None => Connection::open(&run.target).await?,
        };
        sent_after = Some(due.at.elapsed());
        let answer = open.exchange(&run.request).await?;
        Ok::<_, Fault>((open, answer))
    };
    let result = match timeout_at(run.deadline(&due), attempt).await {
        Ok(Ok((open, answer))) => {
            *connection = answer.keep_alive.then_some(open);
            Ok(measured(answer, &due))
        }
        Ok(Err(fault)) => Err(fault),
        Err(_) => Err(Fault::Timeout),
    };
    Outcome { due: due.offset, sent_after, result, reconnected: stale }
}

fn measured(answer: Answer, due: &Due) -> (Answer, Duration) {
    (answer, due.at.elapsed())
}
