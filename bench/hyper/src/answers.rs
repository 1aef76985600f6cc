//! What is answered, by path: the same status, type and body as the applications in `bench/apps`.
//!
//! Pure but for the echo, which reads the request's body. Called for each request.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Answers `/echo` with the request's body, `/async` with a small JSON object, and everything else with five bytes.
///
/// # Errors
/// None: a body that does not arrive is answered 400, so that the load client counts it.
pub async fn answer<B: Body>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match request.uri().path() {
        "/echo" => match request.into_body().collect().await {
            Ok(body) => Response::new(Full::new(body.to_bytes())),
            Err(_) => refusal(),
        },
        "/async" => constant(JSON, br#"{"hello":"world"}"#),
        _ => constant(PLAIN, b"hello"),
    })
}

fn constant(content_type: HeaderValue, body: &'static [u8]) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(body)));
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

fn refusal() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn body_of(path: &str, body: &'static str) -> Bytes {
        let request = Request::builder().uri(path).body(Full::<Bytes>::from(body)).unwrap();
        answer(request).await.unwrap().into_body().collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn root_is_five_bytes() {
        assert_eq!(body_of("/", "").await, "hello");
    }

    #[tokio::test]
    async fn echo_gives_the_body_back() {
        assert_eq!(body_of("/echo", "0123456789abcdef").await, "0123456789abcdef");
    }

    #[tokio::test]
    async fn json_is_what_the_application_answers() {
        assert_eq!(body_of("/async?a=b", "").await, r#"{"hello":"world"}"#);
    }
}
