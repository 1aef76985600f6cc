//! Gives memory back after many connections have gone idle.
//!
//! What hyper holds for a connection is freed when that is parked, but between what stays the C library keeps most of it
//! for later. Soon after many were parked it is told to let go of whole pages; `docs/performance.md` has the figures.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// So few parked connections have left nothing worth looking for.
const MANY: u32 = 1000;
/// Those that are opened together are parked together.
const GATHER: Duration = Duration::from_millis(250);

/// Parked connections since memory was last given back.
static PARKED: AtomicU32 = AtomicU32::new(0);

/// A connection was parked.
pub(crate) fn count_parked() {
    if PARKED.fetch_add(1, Ordering::Relaxed) + 1 == MANY {
        tokio::spawn(async {
            tokio::time::sleep(GATHER).await;
            PARKED.store(0, Ordering::Relaxed);
            // It takes some milliseconds, which nobody waits for.
            drop(tokio::task::spawn_blocking(trim));
        });
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the C library offers it nowhere else")]
fn trim() {
    // SAFETY: may be called at any time, from any thread (malloc_trim(3): MT-Safe).
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries keep less, or offer nothing.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
