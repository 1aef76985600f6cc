//! How an answer came about, in its own header fields:
//!
//! ```text
//! Server-Timing: queue;dur=0.120, run;dur=2.900, cpu;dur=0.500
//! Andon-Placement: worker=2; lane=normal; executor=loop; reason=least-busy
//! ```
//! Times are in milliseconds, up to the head of the answer. The access log has the same.

use andon_dispatch::Executor;
use andon_link::Placement;
use andon_observe::Placed;
use andon_wire::Usage;
use http::{HeaderMap, HeaderName, HeaderValue};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
const ANDON_PLACEMENT: HeaderName = HeaderName::from_static("andon-placement");

/// What is told of a placement. `usage` is there if it was asked for.
pub(crate) fn placed(placement: &Placement, usage: Option<Usage>) -> Placed {
    Placed {
        worker: placement.worker,
        lane: placement.lane.name(),
        executor: match placement.executor {
            Executor::Loop => "loop",
            Executor::Thread => "thread",
        },
        reason: placement.reason.name(),
        queued: placement.queued,
        ran: placement.running(),
        processor: usage.map(|usage| usage.loop_processor + usage.thread_processor),
    }
}

/// Adds the fields. Timings of the application's own stay beside ours.
pub(crate) fn put_fields(fields: &mut HeaderMap, placed: &Placed) {
    let Placed { worker, lane, executor, reason, queued, ran, processor } = placed;
    let milliseconds = |time: &std::time::Duration| time.as_secs_f64() * 1000.0;
    let mut timing = format!("queue;dur={:.3}, run;dur={:.3}", milliseconds(queued), milliseconds(ran));
    if let Some(processor) = processor {
        timing += &format!(", cpu;dur={:.3}", milliseconds(processor));
    }
    let placement = format!("worker={worker}; lane={lane}; executor={executor}; reason={reason}");
    // Both are ASCII. An answer that has as many fields as a map can hold goes without.
    if let (Ok(timing), Ok(placement)) = (HeaderValue::try_from(timing), HeaderValue::try_from(placement)) {
        let _ = fields.try_append(SERVER_TIMING, timing);
        let _ = fields.try_insert(ANDON_PLACEMENT, placement);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn fields_are_as_their_standards_have_them() {
        let placed = Placed {
            worker: 2,
            lane: "heavy",
            executor: "thread",
            reason: "waited",
            queued: Duration::from_micros(1_200),
            ran: Duration::from_millis(3),
            processor: Some(Duration::from_micros(500)),
        };
        let mut fields = HeaderMap::new();
        fields.insert(SERVER_TIMING, HeaderValue::from_static("db;dur=1"));
        put_fields(&mut fields, &placed);
        let timings: Vec<_> = fields.get_all(SERVER_TIMING).iter().collect();
        assert_eq!(timings, ["db;dur=1", "queue;dur=1.200, run;dur=3.000, cpu;dur=0.500"]);
        assert_eq!(fields[ANDON_PLACEMENT], "worker=2; lane=heavy; executor=thread; reason=waited");
    }
}
