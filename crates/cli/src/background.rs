//! What goes on beside serving: the number of workers, the stall log, and what was learned of the routes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use andon_config::LogFormat;
use andon_link::{StallReport, Workers};
use andon_observe::StallLog;
use andon_supervisor::Commands;
use tokio::sync::mpsc::Receiver;

use crate::profiles::ProfileFile;

/// How often what was learned is saved, and how often the stall log is looked through.
const MINUTE: Duration = Duration::from_secs(60);

/// Tells the supervisor how many workers dispatch wants.
pub(crate) async fn resize(workers: Arc<Workers>, commands: Commands) {
    let mut wanted = workers.wanted();
    while wanted.changed().await.is_ok() {
        commands.resize(*wanted.borrow_and_update());
    }
}

/// Logs what is told of stalls, until the end of the server.
pub(crate) async fn log_stalls(mut stalls: Receiver<StallReport>, format: LogFormat) {
    let (mut log, epoch) = (StallLog::new(format), Instant::now());
    let mut minute = tokio::time::interval(MINUTE);
    loop {
        tokio::select! {
            report = stalls.recv() => match report {
                Some(report) => log.report(epoch.elapsed(), &report),
                None => return,
            },
            _ = minute.tick() => log.flush(epoch.elapsed()),
        }
    }
}

/// Saves what was learned every minute; the last time is after the end of the server.
pub(crate) async fn save_profiles(file: Arc<ProfileFile>, workers: Arc<Workers>) {
    loop {
        tokio::time::sleep(MINUTE).await;
        let (file, profiles) = (Arc::clone(&file), workers.profiles());
        // On a thread: a slow disk must not hold up the front. A panic there has been reported already.
        let _ = tokio::task::spawn_blocking(move || file.save(profiles)).await;
    }
}
