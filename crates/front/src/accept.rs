//! The accept loop: a task per connection, no more of them than allowed.

use std::{io, sync::Arc, time::Duration};

use tokio::net::TcpListener;

use crate::{connection, front::Shared};

/// The wait after an accept that failed for want of descriptors or memory; doubled up to the longest.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Accepts connections for as long as it is polled.
pub(crate) async fn run(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut wait = SHORTEST_WAIT;
    // The permit comes first: at the limit, clients wait in the kernel's backlog instead of holding a descriptor.
    while let Ok(permit) = Arc::clone(&shared.permits).acquire_owned().await {
        match listener.accept().await {
            Ok((socket, client)) => {
                wait = SHORTEST_WAIT;
                tokio::spawn(connection::serve(socket, client, Arc::clone(shared), permit));
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                tracing::error!("cannot accept connections: {error}; trying again in {} ms", wait.as_millis());
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
    }
}

/// The client gave up before it was accepted; the next one is not affected.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
