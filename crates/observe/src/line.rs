//! One line of the access log. The front fills in [`Answered`]; the text is put straight into the log's buffer.
//!
//! Everything that a client can choose is escaped, so that a request can neither forge a line nor end a quotation.

use std::{io::Write, time::Duration};

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// An answer with this status.
    Status(u16),
    /// A WebSocket that was open (status 101) and closed with this code.
    WebSocketClosed(u16),
}

/// What a line tells.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The client's address and port as text.
    pub client: &'a str,
    /// Method as sent.
    pub method: &'a str,
    /// Path as sent, still percent-encoded.
    pub path: &'a [u8],
    /// Query as sent, if there is one, without the question mark.
    pub query: Option<&'a [u8]>,
    /// HTTP version such as `1.1`.
    pub version: &'a str,
    /// Status or close code.
    pub outcome: Outcome,
    /// Bytes of the answer's body, or of the WebSocket's messages to the client.
    pub bytes: u64,
    /// From the end of the request head to the end of the answer.
    pub elapsed: Duration,
    /// Where the application ran it, if a worker was given it.
    pub placed: Option<Placed>,
}

/// Where a request ran, and why there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Number of the worker.
    pub worker: u32,
    /// The lane in which requests of its route wait.
    pub lane: &'static str,
    /// Whether it ran on the event loop or on a thread.
    pub executor: &'static str,
    /// Why it was placed so.
    pub reason: &'static str,
    /// From its arrival to its placement.
    pub queued: Duration,
    /// From its placement to the head of its answer.
    pub ran: Duration,
    /// CPU time up to the head of its answer, where that was asked for.
    pub processor: Option<Duration>,
}

impl Answered<'_> {
    /// Appends the line, with its line feed.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.client.as_bytes());
        out.extend_from_slice(b" \"");
        put_escaped(out, self.method.as_bytes());
        out.push(b' ');
        put_escaped(out, self.path);
        if let Some(query) = self.query {
            out.push(b'?');
            put_escaped(out, query);
        }
        out.extend_from_slice(b" HTTP/");
        out.extend_from_slice(self.version.as_bytes());
        out.extend_from_slice(b"\" ");
        match self.outcome {
            Outcome::Status(status) => put_number(out, status.into()),
            Outcome::WebSocketClosed(code) => {
                out.extend_from_slice(b"101/");
                put_number(out, code.into());
            }
        }
        out.push(b' ');
        put_number(out, self.bytes);
        out.extend_from_slice(b"B ");
        put_milliseconds(out, self.elapsed);
        out.extend_from_slice(b"ms");
        if let Some(placed) = &self.placed {
            placed.put(out);
        }
        out.push(b'\n');
    }
}

impl Placed {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b" worker=");
        put_number(out, self.worker.into());
        for (name, value) in [(" lane=", self.lane), (" executor=", self.executor), (" reason=", self.reason)] {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(value.as_bytes());
        }
        let times = [(" queue=", Some(self.queued)), (" run=", Some(self.ran)), (" cpu=", self.processor)];
        for (name, time) in times.into_iter().filter_map(|(name, time)| Some((name, time?))) {
            out.extend_from_slice(name.as_bytes());
            put_milliseconds(out, time);
            out.extend_from_slice(b"ms");
        }
    }
}

/// Appends bytes with control characters, quotes, backslashes and everything outside ASCII as `\xNN`.
fn put_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        if matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\') {
            out.push(byte);
        } else {
            // Writing into a Vec cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

/// Appends a decimal number; `write!` takes about four times as long and this runs for every request.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends milliseconds with one decimal.
fn put_milliseconds(out: &mut Vec<u8>, elapsed: Duration) {
    let tenths = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX) / 100;
    put_number(out, tenths / 10);
    out.push(b'.');
    put_number(out, tenths % 10);
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn answered<'a>(path: &'a [u8], query: Option<&'a [u8]>, outcome: Outcome) -> Answered<'a> {
        Answered {
            client: "127.0.0.1:53412",
            method: "GET",
            path,
            query,
            version: "1.1",
            outcome,
            bytes: 12,
            elapsed: Duration::from_micros(3_149),
            placed: None,
        }
    }

    pub(crate) fn placed() -> Placed {
        Placed {
            worker: 2,
            lane: "normal",
            executor: "loop",
            reason: "least-busy",
            queued: Duration::from_micros(120),
            ran: Duration::from_micros(2_900),
            processor: Some(Duration::from_micros(500)),
        }
    }

    fn text(answered: &Answered<'_>) -> String {
        let mut out = Vec::new();
        answered.put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn line_has_client_target_status_size_and_time() {
        let line = text(&answered(b"/path", Some(b"query"), Outcome::Status(200)));
        assert_eq!(line, "127.0.0.1:53412 \"GET /path?query HTTP/1.1\" 200 12B 3.1ms\n");
    }

    #[test]
    fn line_ends_with_the_placement_where_there_was_one() {
        let answered = Answered { placed: Some(placed()), ..answered(b"/", None, Outcome::Status(200)) };
        let placement = "worker=2 lane=normal executor=loop reason=least-busy queue=0.1ms run=2.9ms cpu=0.5ms\n";
        assert!(text(&answered).ends_with(&format!(" 200 12B 3.1ms {placement}")), "{}", text(&answered));
        let unmeasured = Answered { placed: Some(Placed { processor: None, ..placed() }), ..answered };
        assert!(text(&unmeasured).ends_with(" run=2.9ms\n"));
    }

    #[test]
    fn websocket_line_has_its_close_code() {
        let line = text(&answered(b"/ws", None, Outcome::WebSocketClosed(1006)));
        assert_eq!(line, "127.0.0.1:53412 \"GET /ws HTTP/1.1\" 101/1006 12B 3.1ms\n");
    }

    #[test]
    fn quotes_line_feeds_and_escapes_cannot_forge_a_line() {
        let line = text(&answered(b"/\"\n\x1b[2J\\\xff", None, Outcome::Status(200)));
        assert!(line.contains(r"/\x22\x0a\x1b[2J\x5c\xff HTTP/1.1"), "{line}");
    }

    proptest! {
        #[test]
        fn every_target_stays_on_one_printable_line(path in proptest::collection::vec(any::<u8>(), 0..64)) {
            let line = text(&answered(&path, None, Outcome::Status(200)));
            prop_assert_eq!(line.matches('"').count(), 2);
            prop_assert!(line.trim_end_matches('\n').bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }

        #[test]
        fn numbers_are_decimal(number: u64) {
            let mut out = Vec::new();
            put_number(&mut out, number);
            prop_assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
