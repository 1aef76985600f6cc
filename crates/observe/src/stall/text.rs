//! A stall for people: what, where with the user's own line on top, the stack, who had to wait, what to change.
//!
//! ```text
//! worker 2: `GET /reports` held the event loop for 1.20 s: a blocking call (clock_nanosleep)
//!     at /srv/main.py:14, in report
//!     stack, innermost first:
//!       > /srv/main.py:14, in report
//!         /srv/venv/lib/python3.13/site-packages/fastapi/routing.py:302, in app
//!     held up: 2 requests: `GET /items/{item_id}` for 0.02 s (then given to another worker), `GET /` for 1.10 s
//!     hint: `time.sleep` blocks the event loop: use `await asyncio.sleep(...)`, or ...
//! ```
//! Names come from the application, and routes may come from clients: nothing in them can begin a line.

use std::{
    fmt::{self, Display, Write},
    time::Duration,
};

use andon_link::{HeldUp, StallReport};
use andon_wire::stall::{Place, StackFrame, Stall, StallKind};

use super::{advice::advice, limit::Spot};

/// Frames that are shown at most.
const MOST_FRAMES: usize = 24;

/// Frames that are shown of those which called the user's outermost one: the framework's, and then the server's.
const CALLERS: usize = 2;

/// Requests that are named.
const MOST_HELD_UP: usize = 5;

/// The whole report, without a line feed at its end.
pub(super) fn text(report: &StallReport, left_out: u64) -> String {
    let mut text = headline(report);
    put_stack(&mut text, &report.stall);
    put_held_up(&mut text, report);
    // Writing to a string cannot fail.
    let _ = write!(text, "\n    hint: {}", advice(&report.stall));
    if left_out > 0 {
        let _ = write!(text, "\n    since the last report of this place it has stalled {left_out} more times");
    }
    text
}

/// What has happened, in one line.
pub(super) fn headline(report: &StallReport) -> String {
    let verb = if report.ongoing { "has held" } else { "held" };
    let (elapsed, route) = (seconds(report.elapsed), Printable(&report.route));
    let kind = kind_in_words(&report.stall);
    format!("worker {}: `{route}` {verb} the event loop for {elapsed}: {kind}", report.worker)
}

/// What is told of a place when nothing followed the reports that were left out.
pub(super) fn left_out(spot: &Spot, count: u64) -> String {
    let times = if count == 1 { "once" } else { "times" };
    let count = if count == 1 { String::new() } else { format!("{count} ") };
    let place =
        if spot.file.is_empty() { String::new() } else { format!(", at {}:{}", Printable(&spot.file), spot.line) };
    format!("`{}` has stalled {count}{times} more within a minute{place}", Printable(&spot.route))
}

fn kind_in_words(stall: &Stall) -> String {
    match (stall.kind, stall.place) {
        (StallKind::Computing, _) => "it computes".to_owned(),
        (StallKind::Blocked, _) if stall.system_call.is_empty() => "a blocking call".to_owned(),
        (StallKind::Blocked, _) => format!("a blocking call ({})", Printable(&stall.system_call)),
        (StallKind::GilHeld, Place::Thread) => {
            "its thread keeps the GIL, without which the event loop cannot run".to_owned()
        }
        (StallKind::GilHeld, Place::EventLoop) => "native code keeps the GIL".to_owned(),
        (StallKind::Starved, _) => "the machine is busy with other things".to_owned(),
        (StallKind::GarbageCollection, _) => "Python collects garbage".to_owned(),
    }
}

fn put_stack(text: &mut String, stall: &Stall) {
    let Some(frames) = &stall.frames else {
        text.push_str("\n    the stack could not be had: native code keeps the GIL");
        return;
    };
    if let Some(frame) = stall.own_frame() {
        let _ = write!(text, "\n    at {}", Line(frame));
    }
    if frames.is_empty() {
        return;
    }
    text.push_str("\n    stack, innermost first:");
    let shown = shown(frames);
    for frame in &frames[..shown] {
        let _ = write!(text, "\n      {} {}", if frame.own { '>' } else { ' ' }, Line(frame));
    }
    let more = if stall.cut { " and more" } else { "" };
    match frames.len() - shown {
        0 => {}
        left => _ = write!(text, "\n        ... ({left}{more} that called these)"),
    }
}

/// How many frames say what an operator needs: down to the user's outermost one, and who called that.
fn shown(frames: &[StackFrame]) -> usize {
    let outermost = frames.iter().rposition(|frame| frame.own);
    outermost.map_or(frames.len(), |index| index + 1 + CALLERS).min(frames.len()).min(MOST_FRAMES)
}

fn put_held_up(text: &mut String, report: &StallReport) {
    let named = &report.held_up[..report.held_up.len().min(MOST_HELD_UP)];
    let count = report.held_up_count.max(report.held_up.len());
    let plural = if count == 1 { "" } else { "s" };
    match count {
        0 => text.push_str("\n    held up: nobody"),
        _ => {
            let _ = write!(text, "\n    held up: {count} request{plural}");
        }
    }
    for (index, request) in named.iter().enumerate() {
        let _ = write!(text, "{} {}", if index == 0 { ":" } else { "," }, Waited(request));
    }
    if count > named.len() && !named.is_empty() {
        let _ = write!(text, ", and {} more", count - named.len());
    }
}

/// A request that waited.
struct Waited<'a>(&'a HeldUp);

impl Display for Waited<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` for {}", Printable(&self.0.route), seconds(self.0.waited))?;
        if self.0.placed_elsewhere { formatter.write_str(" (then given to another worker)") } else { Ok(()) }
    }
}

/// A line of code.
struct Line<'a>(&'a StackFrame);

impl Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StackFrame { line, file, function, .. } = self.0;
        write!(formatter, "{}:{line}, in {}", Printable(file), Printable(function))
    }
}

/// Text without what could begin a line or move a terminal's cursor.
struct Printable<'a>(&'a str);

impl Display for Printable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            _ if character.is_control() => write!(formatter, "{}", character.escape_default()),
            _ => formatter.write_char(character),
        })
    }
}

/// With two decimals, as in `0.12 s`.
fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A handler that sleeps, called by its framework.
    pub(in crate::stall) fn sleeping() -> StallReport {
        let frame = |own, line, file: &str, function: &str| StackFrame {
            own,
            line,
            file: file.to_owned(),
            function: function.to_owned(),
        };
        let stall = Stall {
            kind: StallKind::Blocked,
            place: Place::EventLoop,
            since: Duration::from_secs(5),
            elapsed: Duration::from_millis(100),
            processor: Duration::ZERO,
            system_call: "clock_nanosleep".to_owned(),
            frames: Some(vec![frame(true, 14, "/srv/main.py", "report"), frame(false, 302, "/lib/routing.py", "app")]),
            cut: false,
        };
        let held_up = |route: &str, waited, placed_elsewhere| HeldUp {
            route: route.into(),
            waited: Duration::from_millis(waited),
            placed_elsewhere,
        };
        StallReport {
            worker: 2,
            route: "GET /reports".into(),
            elapsed: Duration::from_millis(1200),
            ongoing: false,
            stall,
            held_up: vec![held_up("GET /items/{item_id}", 20, true), held_up("GET /", 1100, false)],
            held_up_count: 2,
        }
    }

    #[test]
    fn report_names_route_place_stack_those_who_waited_and_what_to_change() {
        let expected = "worker 2: `GET /reports` held the event loop for 1.20 s: a blocking call (clock_nanosleep)
    at /srv/main.py:14, in report
    stack, innermost first:
      > /srv/main.py:14, in report
        /lib/routing.py:302, in app
    held up: 2 requests: `GET /items/{item_id}` for 0.02 s (then given to another worker), `GET /` for 1.10 s
    hint: `time.sleep` blocks the event loop: use `await asyncio.sleep(...)`, or declare the endpoint with `def`: \
                        it then runs on a thread and holds up nobody";
        assert_eq!(text(&sleeping(), 0), expected);
    }

    #[test]
    fn number_of_those_left_out_is_told() {
        assert!(text(&sleeping(), 7).ends_with("it has stalled 7 more times"));
    }

    #[test]
    fn stall_that_goes_on_and_holds_up_nobody_is_said_so() {
        let report = StallReport { ongoing: true, held_up: Vec::new(), held_up_count: 0, ..sleeping() };
        let text = text(&report, 0);
        assert!(text.starts_with("worker 2: `GET /reports` has held the event loop for 1.20 s"), "{text}");
        assert!(text.contains("held up: nobody"), "{text}");
    }

    #[test]
    fn stack_that_could_not_be_had_is_said_so() {
        let mut report = sleeping();
        report.stall.frames = None;
        assert!(text(&report, 0).contains("the stack could not be had"));
    }

    #[test]
    fn frames_of_the_framework_are_left_out() {
        let mut report = sleeping();
        let outer = StackFrame { file: "/lib/outer.py".to_owned(), ..StackFrame::default() };
        report.stall.frames.as_mut().unwrap().extend(vec![outer; 20]);
        let text = text(&report, 0);
        assert_eq!(text.matches("/lib/").count(), CALLERS);
        assert!(text.contains("... (19 that called these)"), "{text}");
    }

    #[test]
    fn only_the_first_of_many_are_named() {
        let mut report = sleeping();
        report.held_up = vec![report.held_up[1].clone(); 8];
        report.held_up_count = 40;
        let text = text(&report, 0);
        assert!(text.contains("held up: 40 requests: ") && text.contains(", and 35 more"), "{text}");
        assert_eq!(text.matches("`GET /` for").count(), MOST_HELD_UP);
    }

    #[test]
    fn names_cannot_begin_a_line() {
        let mut report = sleeping();
        report.route = "GET /\n2026 ERROR forged\x1b[2J".into();
        assert_eq!(headline(&report).lines().count(), 1);
        assert!(!text(&report, 0).contains('\x1b'));
    }

    #[test]
    fn those_left_out_are_told_alone_where_nothing_followed() {
        let spot = Spot { route: "GET /".into(), file: "main.py".to_owned(), line: 3 };
        assert_eq!(left_out(&spot, 2), "`GET /` has stalled 2 times more within a minute, at main.py:3");
    }
}
