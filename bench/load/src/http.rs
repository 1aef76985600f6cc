//! HTTP/1.1 as a client needs it: a request written once as bytes, and answers recognized in a buffer.
//!
//! Pure: no sockets. [`crate::connection`] feeds it. Understood are `content-length`, `chunked`, bodies that end with
//! the connection, and interim answers (1xx), which are skipped.

use crate::fault::Fault;
use crate::target::Target;

/// An answer larger than this is taken for a fault of the server.
const MAX_ANSWER: usize = 64 << 20;
const MAX_HEADERS: usize = 64;

/// What every request of a run looks like.
pub struct Request<'a> {
    pub method: &'a str,
    pub target: &'a Target,
    /// `name: value` lines.
    pub headers: &'a [String],
    pub body: &'a [u8],
    pub keep_alive: bool,
}

impl Request<'_> {
    pub fn encode(&self) -> Vec<u8> {
        let Target { address, path } = self.target;
        let mut head = format!("{} {path} HTTP/1.1\r\nhost: {address}\r\n", self.method);
        for header in self.headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        if !self.body.is_empty() {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        if !self.keep_alive {
            head.push_str("connection: close\r\n");
        }
        head.push_str("\r\n");
        [head.as_bytes(), self.body].concat()
    }
}

/// A complete answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Whether the connection can carry another request.
    pub keep_alive: bool,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Looks for a complete answer at the start of `buffer`: the answer and the number of bytes it took, or `None` when
/// more bytes are needed. `closed` says that no more will come.
pub fn parse_answer(buffer: &[u8], closed: bool) -> Result<Option<(Answer, usize)>, Fault> {
    if buffer.len() > MAX_ANSWER {
        return Err(Fault::Malformed);
    }
    let mut start = 0;
    loop {
        let Some((head, length)) = parse_head(&buffer[start..])? else { return Ok(None) };
        start += length;
        if !(100..200).contains(&head.status) {
            let Some((body, end, framed)) = parse_body(&head, &buffer[start..], closed)? else { return Ok(None) };
            let keep_alive = framed && head.keep_alive;
            let answer = Answer { status: head.status, keep_alive, headers: head.headers, body };
            return Ok(Some((answer, start + end)));
        }
    }
}

struct Head {
    status: u16,
    keep_alive: bool,
    headers: Vec<(String, String)>,
}

impl Head {
    fn value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn parse_head(buffer: &[u8]) -> Result<Option<(Head, usize)>, Fault> {
    let mut storage = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut storage);
    let length = match response.parse(buffer).map_err(|_| Fault::Malformed)? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let text = |value| String::from_utf8_lossy(value).into_owned();
    let headers = response.headers.iter().map(|header| (header.name.to_ascii_lowercase(), text(header.value)));
    let mut head =
        Head { status: response.code.ok_or(Fault::Malformed)?, keep_alive: true, headers: headers.collect() };
    let asked_to_close = head.value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    head.keep_alive = response.version == Some(1) && !asked_to_close;
    Ok(Some((head, length)))
}

/// The body, its length in `buffer`, and whether its end was framed (and not just the end of the connection).
fn parse_body(head: &Head, buffer: &[u8], closed: bool) -> Result<Option<(Vec<u8>, usize, bool)>, Fault> {
    if matches!(head.status, 204 | 304) {
        return Ok(Some((Vec::new(), 0, true)));
    }
    if head.value("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return Ok(decode_chunks(buffer)?.map(|(body, end)| (body, end, true)));
    }
    let Some(length) = head.value("content-length") else {
        return Ok(closed.then(|| (buffer.to_vec(), buffer.len(), false)));
    };
    let length: usize = length.parse().map_err(|_| Fault::Malformed)?;
    Ok(buffer.get(..length).map(|body| (body.to_vec(), length, true)))
}

fn decode_chunks(buffer: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Fault> {
    let mut body = Vec::new();
    let mut position = 0;
    loop {
        let (line, size) = match httparse::parse_chunk_size(&buffer[position..]).map_err(|_| Fault::Malformed)? {
            httparse::Status::Complete((line, size)) => (line, usize::try_from(size).map_err(|_| Fault::Malformed)?),
            httparse::Status::Partial => return Ok(None),
        };
        if size > MAX_ANSWER {
            return Err(Fault::Malformed);
        }
        let data = position + line;
        if size == 0 {
            return Ok(trailer_end(&buffer[data..]).map(|end| (body, data + end)));
        }
        let Some(chunk) = buffer.get(data..data + size + 2) else { return Ok(None) };
        body.extend_from_slice(&chunk[..size]);
        position = data + size + 2;
    }
}

/// The trailer section ends with an empty line (RFC 9112, section 7.1.2).
fn trailer_end(buffer: &[u8]) -> Option<usize> {
    if buffer.starts_with(b"\r\n") {
        return Some(2);
    }
    buffer.windows(4).position(|window| window == b"\r\n\r\n").map(|position| position + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str, closed: bool) -> Option<(Answer, usize)> {
        parse_answer(text.as_bytes(), closed).unwrap()
    }

    #[test]
    fn request_has_host_length_and_body() {
        let request = Request {
            method: "POST",
            target: &"http://127.0.0.1:80/a?b=1".parse().unwrap(),
            headers: &["content-type: text/plain".to_owned()],
            body: b"xy",
            keep_alive: true,
        };
        let expected = "POST /a?b=1 HTTP/1.1\r\nhost: 127.0.0.1:80\r\ncontent-type: text/plain\r\n\
                        content-length: 2\r\n\r\nxy";
        assert_eq!(String::from_utf8(request.encode()).unwrap(), expected);
    }

    #[test]
    fn answer_with_a_length_ends_where_it_says() {
        let text = "HTTP/1.1 200 OK\r\nX-Pid: 7\r\ncontent-length: 2\r\n\r\nokHTTP/1.1";
        let (answer, length) = answer(text, false).unwrap();
        assert_eq!((answer.status, answer.keep_alive, answer.body.as_slice()), (200, true, &b"ok"[..]));
        assert_eq!((answer.header("x-pid"), length), (Some("7"), text.len() - 8));
    }

    #[test]
    fn every_prefix_of_an_answer_is_incomplete() {
        for text in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: b\r\n\r\n",
        ] {
            for end in 0..text.len() {
                assert_eq!(answer(&text[..end], false), None, "{:?}", &text[..end]);
            }
            assert_eq!(answer(text, false).unwrap().1, text.len());
        }
    }

    #[test]
    fn chunks_are_joined() {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        assert_eq!(answer(text, false).unwrap().0.body, b"abcd");
    }

    #[test]
    fn body_without_length_ends_with_the_connection() {
        let text = "HTTP/1.1 200 OK\r\n\r\nabc";
        assert_eq!(answer(text, false), None);
        let (answer, _) = answer(text, true).unwrap();
        assert_eq!((answer.body.as_slice(), answer.keep_alive), (&b"abc"[..], false));
    }

    #[test]
    fn interim_answers_are_skipped() {
        let text = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        let (answer, length) = answer(text, false).unwrap();
        assert_eq!((answer.status, length), (204, text.len()));
    }

    #[test]
    fn close_is_honoured() {
        let text = "HTTP/1.1 503 Busy\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n";
        assert!(!answer(text, false).unwrap().0.keep_alive);
        assert!(!answer("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", false).unwrap().0.keep_alive);
    }

    #[test]
    fn nonsense_is_malformed() {
        assert_eq!(parse_answer(b"hello world, this is no HTTP\r\n\r\n", false), Err(Fault::Malformed));
        let length = b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n";
        assert_eq!(parse_answer(length, false), Err(Fault::Malformed));
        let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n";
        assert_eq!(parse_answer(chunk, false), Err(Fault::Malformed));
    }
}
