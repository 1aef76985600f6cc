//! One line of the access log as an object of JSON, for programs.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{Answered, Outcome};

impl Answered<'_> {
    /// Appends the object, with its line feed. Durations are in milliseconds; what is not known is left out.
    pub(crate) fn put_json(&self, out: &mut Vec<u8>) {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        put("event", json!("answer"));
        put("client", json!(self.client));
        put("method", json!(self.method));
        put("path", text(self.path));
        if let Some(query) = self.query {
            put("query", text(query));
        }
        put("version", json!(self.version));
        match self.outcome {
            Outcome::Status(status) => put("status", json!(status)),
            Outcome::WebSocketClosed(code) => {
                put("status", json!(101));
                put("close_code", json!(code))
            }
        };
        put("bytes", json!(self.bytes));
        put("elapsed_ms", milliseconds(self.elapsed));
        if let Some(placed) = &self.placed {
            put("worker", json!(placed.worker));
            put("lane", json!(placed.lane));
            put("executor", json!(placed.executor));
            put("reason", json!(placed.reason));
            put("queue_ms", milliseconds(placed.queued));
            put("run_ms", milliseconds(placed.ran));
            if let Some(processor) = placed.processor {
                put("cpu_ms", milliseconds(processor));
            }
        }
        // Text and numbers can always be written, and so can a Vec.
        let _ = serde_json::to_writer(&mut *out, &object);
        out.push(b'\n');
    }
}

/// What is sent percent-encoded is ASCII; anything else is shown as a replacement character.
fn text(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}

/// With three decimals.
fn milliseconds(duration: Duration) -> Value {
    json!(duration.as_micros() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::tests::{answered, placed};

    fn object(answered: &Answered<'_>) -> Value {
        let mut out = Vec::new();
        answered.put_json(&mut out);
        assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn object_has_what_the_line_has() {
        let answered = Answered { placed: Some(placed()), ..answered(b"/a", Some(b"b=1"), Outcome::Status(200)) };
        let expected = json!({
            "event": "answer", "client": "127.0.0.1:53412", "method": "GET", "path": "/a", "query": "b=1",
            "version": "1.1", "status": 200, "bytes": 12, "elapsed_ms": 3.149, "worker": 2, "lane": "normal",
            "executor": "loop", "reason": "least-busy", "queue_ms": 0.12, "run_ms": 2.9, "cpu_ms": 0.5,
        });
        assert_eq!(object(&answered), expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let told = object(&answered(b"/a\n\"\xff", None, Outcome::WebSocketClosed(1006)));
        assert_eq!((&told["status"], &told["close_code"]), (&json!(101), &json!(1006)));
        assert!(told.get("query").is_none() && told.get("worker").is_none());
        assert_eq!(told["path"], "/a\n\"\u{fffd}");
    }
}
