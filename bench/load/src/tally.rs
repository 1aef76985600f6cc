//! Counts what became of each request and turns that into the report of a `rate` run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::fault::Fault;
use crate::http::Answer;
use crate::latency::{Interval, Latencies, Summary, Timeline};

/// What became of one request.
pub struct Outcome {
    /// From the start of the run to the moment at which the request was due.
    pub due: Duration,
    /// From due to sent: waiting for a free connection or opening one, plus the client's own lateness.
    pub sent_after: Option<Duration>,
    /// From due to the last byte of the answer.
    pub result: Result<(Answer, Duration), Fault>,
    /// Whether a connection that the server had closed while it was idle had to be replaced first.
    pub reconnected: bool,
}

/// What the answers are to be counted by, beside their status.
#[derive(Default)]
pub struct Keys {
    /// Name of a header, in lower case.
    pub header: Option<String>,
    /// Name of a field of a JSON object.
    pub json: Option<String>,
}

/// Running totals of a `rate` run.
pub struct Tally {
    keys: Keys,
    statuses: BTreeMap<u16, u64>,
    errors: BTreeMap<Fault, u64>,
    by_header: BTreeMap<String, u64>,
    by_json: BTreeMap<String, u64>,
    latencies: Latencies,
    latencies_by_status: BTreeMap<u16, Latencies>,
    sending: Latencies,
    timeline: Option<Timeline>,
    reconnects: u64,
}

/// The JSON that `rate` prints. Latencies are those of complete answers of any status; errors have none.
#[derive(Debug, Serialize)]
pub struct RateReport {
    pub requests: u64,
    pub answers: usize,
    pub errors: u64,
    pub errors_by_kind: BTreeMap<Fault, u64>,
    pub answers_by_status: BTreeMap<u16, u64>,
    pub answers_by_header: BTreeMap<String, u64>,
    pub answers_by_json: BTreeMap<String, u64>,
    /// Connections that the server had closed while they were idle, and that were replaced without losing a request.
    pub reconnects: u64,
    /// Seconds from the first due time until the last request was answered or given up.
    pub elapsed_s: f64,
    pub latency: Summary,
    /// What a refused request waited for its refusal, apart from what an admitted one waited for its answer.
    pub latency_by_status: BTreeMap<u16, Summary>,
    /// How late requests were sent: the wait for a free connection, the time to open a new one, and the client's own
    /// imprecision.
    pub sent_late: Summary,
    pub timeline: Vec<Interval>,
}

impl Tally {
    pub fn new(keys: Keys, interval: Option<Duration>) -> Self {
        Self {
            keys,
            statuses: BTreeMap::new(),
            errors: BTreeMap::new(),
            by_header: BTreeMap::new(),
            by_json: BTreeMap::new(),
            latencies: Latencies::default(),
            latencies_by_status: BTreeMap::new(),
            sending: Latencies::default(),
            timeline: interval.map(Timeline::new),
            reconnects: 0,
        }
    }

    pub fn record(&mut self, outcome: &Outcome) {
        self.reconnects += u64::from(outcome.reconnected);
        if let Some(lateness) = outcome.sent_after {
            self.sending.record(lateness);
        }
        match &outcome.result {
            Err(fault) => *self.errors.entry(*fault).or_default() += 1,
            Ok((answer, latency)) => {
                self.latencies.record(*latency);
                self.latencies_by_status.entry(answer.status).or_default().record(*latency);
                if let Some(timeline) = &mut self.timeline {
                    timeline.record(outcome.due, *latency);
                }
                self.count(answer);
            }
        }
    }

    fn count(&mut self, answer: &Answer) {
        *self.statuses.entry(answer.status).or_default() += 1;
        if let Some(name) = &self.keys.header {
            let value = answer.header(name).unwrap_or("(absent)").to_owned();
            *self.by_header.entry(value).or_default() += 1;
        }
        if let Some(name) = &self.keys.json {
            *self.by_json.entry(json_field(&answer.body, name)).or_default() += 1;
        }
    }

    pub fn report(self, elapsed: Duration) -> RateReport {
        let errors = self.errors.values().sum();
        let answers = self.latencies.count();
        RateReport {
            requests: errors + answers as u64,
            answers,
            errors,
            errors_by_kind: self.errors,
            answers_by_status: self.statuses,
            answers_by_header: self.by_header,
            answers_by_json: self.by_json,
            reconnects: self.reconnects,
            elapsed_s: elapsed.as_secs_f64(),
            latency: self.latencies.summary(),
            latency_by_status: self
                .latencies_by_status
                .into_iter()
                .map(|(status, latencies)| (status, latencies.summary()))
                .collect(),
            sent_late: self.sending.summary(),
            timeline: self.timeline.map(|timeline| timeline.intervals()).unwrap_or_default(),
        }
    }
}

fn json_field(body: &[u8], name: &str) -> String {
    let document: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    match document.as_ref().and_then(|document| document.get(name)) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "(absent)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(result: Result<(Answer, Duration), Fault>) -> Outcome {
        Outcome { due: Duration::ZERO, sent_after: Some(Duration::ZERO), result, reconnected: false }
    }

    #[test]
    fn refusals_have_latencies_of_their_own() {
        let mut tally = Tally::new(Keys::default(), None);
        for (status, milliseconds) in [(200, 90), (503, 1), (503, 3)] {
            let answer = Answer { status, ..answer("") };
            tally.record(&outcome(Ok((answer, Duration::from_millis(milliseconds)))));
        }
        let report = tally.report(Duration::from_secs(1));
        assert_eq!(report.latency_by_status[&200].p50_ms, Some(90.0));
        assert_eq!(report.latency_by_status[&503].max_ms, Some(3.0));
    }

    fn answer(body: &str) -> Answer {
        let headers = vec![("x-worker".to_owned(), "1".to_owned())];
        Answer { status: 200, keep_alive: true, headers, body: body.into() }
    }

    #[test]
    fn answers_are_counted_by_header_and_field() {
        let keys = Keys { header: Some("x-worker".to_owned()), json: Some("pid".to_owned()) };
        let mut tally = Tally::new(keys, None);
        for body in [r#"{"pid": 3}"#, r#"{"pid": 3}"#, r#"{"pid": "a"}"#, "no json"] {
            tally.record(&outcome(Ok((answer(body), Duration::from_millis(2)))));
        }
        let report = tally.report(Duration::from_secs(1));
        assert_eq!(report.answers_by_header["1"], 4);
        assert_eq!(report.answers_by_json["3"], 2);
        assert_eq!((report.answers_by_json["a"], report.answers_by_json["(absent)"]), (1, 1));
    }

    #[test]
    fn errors_are_requests_without_a_latency() {
        let mut tally = Tally::new(Keys::default(), None);
        tally.record(&outcome(Err(Fault::Timeout)));
        tally.record(&outcome(Ok((answer(""), Duration::from_millis(2)))));
        let report = tally.report(Duration::from_secs(1));
        assert_eq!((report.requests, report.answers, report.errors), (2, 1, 1));
        assert_eq!(report.latency.max_ms, Some(2.0));
        assert!(serde_json::to_string(&report).unwrap().contains(r#""errors_by_kind":{"timeout":1}"#));
    }
}
