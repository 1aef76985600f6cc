//! A stall for programs: an object of JSON. Durations are in milliseconds.

use std::time::Duration;

use andon_link::{HeldUp, StallReport};
use andon_wire::stall::{Place, StackFrame, StallKind};
use serde_json::{Value, json};

use super::advice::advice;

/// What is known of a stall; what is not, is `null`.
pub(super) fn details(report: &StallReport, left_out: u64) -> Value {
    let stall = &report.stall;
    let own = stall.own_frame();
    json!({
        "event": "stall",
        "worker": report.worker,
        "route": report.route.as_ref(),
        "elapsed_ms": milliseconds(report.elapsed),
        "ongoing": report.ongoing,
        "kind": kind(stall.kind),
        "place": place(stall.place),
        "file": own.map(|frame| frame.file.as_str()),
        "line": own.map(|frame| frame.line),
        "function": own.map(|frame| frame.function.as_str()),
        "system_call": Some(&stall.system_call).filter(|call| !call.is_empty()),
        "processor_ms": milliseconds(stall.processor),
        "stack": stall.frames.as_ref().map(|frames| frames.iter().map(frame).collect::<Vec<_>>()),
        "held_up": report.held_up.iter().map(held_up).collect::<Vec<_>>(),
        "held_up_count": report.held_up_count.max(report.held_up.len()),
        "hint": advice(stall),
        "left_out": left_out,
    })
}

fn kind(kind: StallKind) -> &'static str {
    match kind {
        StallKind::Computing => "computing",
        StallKind::Blocked => "blocked",
        StallKind::GilHeld => "gil-held",
        StallKind::Starved => "starved",
        StallKind::GarbageCollection => "garbage-collection",
    }
}

fn place(place: Place) -> &'static str {
    match place {
        Place::EventLoop => "event-loop",
        Place::Thread => "thread",
    }
}

fn frame(frame: &StackFrame) -> Value {
    json!({ "file": frame.file, "line": frame.line, "function": frame.function, "own": frame.own })
}

/// With three decimals.
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

fn held_up(request: &HeldUp) -> Value {
    json!({
        "route": request.route.as_ref(),
        "waited_ms": milliseconds(request.waited),
        "placed_elsewhere": request.placed_elsewhere,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stall::text::tests::sleeping;

    #[test]
    fn object_has_all_that_the_text_has() {
        let told = details(&sleeping(), 3);
        assert_eq!(told["route"], "GET /reports");
        assert_eq!(told["elapsed_ms"], 1200.0);
        assert_eq!((&told["kind"], &told["place"]), (&json!("blocked"), &json!("event-loop")));
        assert_eq!((&told["file"], &told["line"]), (&json!("/srv/main.py"), &json!(14)));
        assert_eq!(told["stack"].as_array().map(Vec::len), Some(2));
        assert_eq!(told["held_up"][1], json!({ "route": "GET /", "waited_ms": 1100.0, "placed_elsewhere": false }));
        assert_eq!((&told["held_up_count"], &told["left_out"]), (&json!(2), &json!(3)));
        assert!(told["hint"].as_str().is_some_and(|hint| hint.contains("asyncio.sleep")));
    }

    #[test]
    fn what_is_not_known_is_null_and_the_object_is_one_line() {
        let mut report = sleeping();
        report.stall.frames = None;
        let told = details(&report, 0);
        assert!(told["file"].is_null() && told["stack"].is_null() && told["line"].is_null());
        assert!(!told.to_string().contains('\n'));
    }
}
