//! `andon-bare-hyper`: hyper answering constants, without Python.
//!
//! The throughput case of the bench runs it as its reference: no server that calls Python can do more on that machine
//! with the same HTTP library. It listens on loopback addresses only and runs until it is told to end by a signal.

mod answers;

use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use clap::Parser;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

/// Reference server of Andon's bench: answers without Python.
#[derive(Debug, Parser)]
struct Options {
    /// A loopback address.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    #[arg(long)]
    port: u16,
    /// Threads that serve connections; one runs the event loop that Andon's front has.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("andon-bare-hyper: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    if !options.host.is_loopback() {
        return Err(format!("`{}` is not a loopback address", options.host));
    }
    let address = SocketAddr::new(options.host, options.port);
    let runtime = runtime(options.threads).map_err(|error| format!("cannot start the runtime: {error}"))?;
    runtime.block_on(async {
        let listener =
            TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
        accept(listener).await.map_err(|error| format!("cannot accept: {error}"))
    })
}

fn runtime(threads: u16) -> std::io::Result<Runtime> {
    match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().worker_threads(threads.into()).enable_all().build(),
    }
}

/// Serves connections until the process is ended, or none can be accepted any more.
async fn accept(listener: TcpListener) -> std::io::Result<()> {
    let mut http = http1::Builder::new();
    // As in Andon's front: a timer per request would be measured otherwise.
    http.header_read_timeout(None);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(http.clone(), stream));
    }
}

async fn serve(http: http1::Builder, stream: TcpStream) {
    // Without it answers are right, only later.
    let _ = stream.set_nodelay(true);
    // A client that leaves in the middle is no fault of this server; what it missed is counted by the client.
    let _ = http.serve_connection(TokioIo::new(stream), service_fn(answers::answer)).await;
}
