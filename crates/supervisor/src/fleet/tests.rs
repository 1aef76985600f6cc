//! The rules of start-up, replacement, reload and stop, one sentence each.

use std::{io, time::Duration};

use super::*;

/// A fleet, the time, and what it has asked for.
struct Scene {
    fleet: Fleet,
    now: Duration,
    spawned: Vec<(MemberId, u32)>,
    retired: Vec<MemberId>,
    shut_down: Vec<MemberId>,
    killed: Vec<MemberId>,
    serving: usize,
    reports: Vec<String>,
    outcome: Option<Result<(), StartError>>,
}

impl Scene {
    fn new(workers: u32, reload: bool) -> Self {
        let graceful = Duration::from_secs(30);
        let mut scene = Self {
            fleet: Fleet::new(FleetSettings { workers, reload, graceful, seed: 1 }),
            now: Duration::ZERO,
            spawned: Vec::new(),
            retired: Vec::new(),
            shut_down: Vec::new(),
            killed: Vec::new(),
            serving: 0,
            reports: Vec::new(),
            outcome: None,
        };
        scene.tell(Event::Begin);
        scene
    }

    /// A fleet of two whose first generation serves.
    fn serving() -> Self {
        let mut scene = Self::new(2, false);
        scene.all_ready();
        assert_eq!(scene.serving, 1);
        scene
    }

    fn tell(&mut self, event: Event) {
        for action in self.fleet.step(self.now, event) {
            match action {
                Action::Spawn { id, seat } => self.spawned.push((id, seat)),
                Action::Retire(id) => self.retired.push(id),
                Action::Shutdown(id) => self.shut_down.push(id),
                Action::Kill(id) => self.killed.push(id),
                Action::Serving => self.serving += 1,
                Action::Report(report) => self.reports.push(format!("{report:?}")),
                Action::End(outcome) => self.outcome = Some(outcome),
            }
        }
    }

    /// Makes every member ready that has not said so.
    fn all_ready(&mut self) {
        for (id, _) in self.spawned.clone() {
            self.tell(Event::Ready(id));
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.tell(Event::Time);
    }

    fn gone(&mut self, id: u32) {
        self.tell(Event::Gone(MemberId(id), Departure::Exited(0)));
    }

    fn load_fails(&mut self, id: u32) {
        self.tell(Event::Failed(MemberId(id), StartError::Load { text: format!("text of {id}") }));
    }

    fn reported(&self, word: &str) -> usize {
        self.reports.iter().filter(|report| report.starts_with(word)).count()
    }
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<MemberId> {
    numbers.into_iter().map(MemberId).collect()
}

// Start-up

#[test]
fn serving_begins_when_all_workers_are_ready() {
    let mut scene = Scene::new(2, false);
    assert_eq!(scene.spawned, [(MemberId(0), 1), (MemberId(1), 2)]);
    scene.tell(Event::Ready(MemberId(0)));
    assert_eq!(scene.serving, 0);
    scene.tell(Event::Ready(MemberId(1)));
    assert_eq!(scene.serving, 1);
}

#[test]
fn first_failure_to_load_stops_all_and_is_told_once() {
    let mut scene = Scene::new(3, false);
    scene.tell(Event::Ready(MemberId(0)));
    scene.load_fails(1);
    scene.load_fails(2);
    assert_eq!((&scene.retired, &scene.shut_down), (&ids([0]), &ids([2])));
    scene.tell(Event::Idle(MemberId(0)));
    assert_eq!(scene.shut_down, ids([2, 0]));
    [0, 1].iter().for_each(|&id| scene.gone(id));
    assert!(scene.outcome.is_none());
    scene.gone(2);
    assert!(matches!(scene.outcome, Some(Err(StartError::Load { text })) if text == "text of 1"));
}

#[test]
fn process_that_dies_while_it_starts_ends_the_server() {
    let mut scene = Scene::new(1, false);
    scene.tell(Event::Closed(MemberId(0)));
    scene.tell(Event::Gone(MemberId(0), Departure::Exited(1)));
    assert!(matches!(scene.outcome, Some(Err(StartError::Died { seat: 1, how: Departure::Exited(1) }))));
}

#[test]
fn process_that_cannot_be_started_ends_the_server() {
    let mut scene = Scene::new(2, false);
    scene.tell(Event::SpawnFailed(MemberId(0), io::ErrorKind::NotFound.into()));
    scene.tell(Event::SpawnFailed(MemberId(1), io::ErrorKind::NotFound.into()));
    assert!(matches!(scene.outcome, Some(Err(StartError::Spawn { seat: 1, .. }))));
}

#[test]
fn failed_start_does_not_wait_for_a_sibling_that_hangs() {
    let mut scene = Scene::new(2, false);
    scene.load_fails(0);
    scene.gone(0);
    scene.pass(Duration::from_secs(3));
    assert_eq!(scene.killed, ids([1]));
}

// Replacement

#[test]
fn dead_worker_is_replaced_at_once_in_its_seat() {
    let mut scene = Scene::serving();
    scene.tell(Event::Closed(MemberId(1)));
    scene.gone(1);
    assert_eq!(scene.spawned[2..], [(MemberId(2), 2)]);
    assert_eq!(scene.serving, 1);
}

#[test]
fn worker_that_dies_again_is_replaced_after_a_delay() {
    let mut scene = Scene::serving();
    scene.gone(0);
    scene.gone(2);
    assert_eq!(scene.spawned.len(), 3);
    assert!(scene.fleet.deadline() <= Some(Duration::from_millis(100)));
    scene.pass(Duration::from_millis(100));
    assert_eq!(scene.spawned.len(), 4);
}

#[test]
fn replacement_that_fails_to_load_is_tried_again() {
    let mut scene = Scene::serving();
    scene.gone(0);
    scene.load_fails(2);
    assert_eq!(scene.reported("ReplacementFailed"), 1);
    assert!(scene.outcome.is_none());
    scene.gone(2);
    scene.pass(Duration::from_millis(100));
    assert_eq!(scene.spawned.len(), 4);
}

#[test]
fn replacement_that_cannot_be_started_is_tried_again() {
    let mut scene = Scene::serving();
    scene.gone(0);
    scene.tell(Event::SpawnFailed(MemberId(2), io::ErrorKind::OutOfMemory.into()));
    scene.pass(Duration::from_millis(100));
    assert_eq!(scene.spawned.len(), 4);
}

#[test]
fn process_that_outlives_its_socket_is_killed_and_replaced() {
    let mut scene = Scene::serving();
    scene.tell(Event::Closed(MemberId(0)));
    scene.pass(LINGER);
    assert_eq!(scene.killed, ids([0]));
    scene.gone(0);
    assert_eq!(scene.spawned.len(), 3);
}

// SIGHUP

#[test]
fn old_generation_is_retired_only_when_the_new_one_is_ready() {
    let mut scene = Scene::serving();
    scene.tell(Event::Reload);
    assert_eq!(scene.spawned.len(), 4);
    scene.tell(Event::Ready(MemberId(2)));
    assert!(scene.retired.is_empty());
    scene.tell(Event::Ready(MemberId(3)));
    assert_eq!(scene.retired, ids([0, 1]));
    assert_eq!(scene.reported("Rolled"), 1);
}

#[test]
fn old_generation_stays_when_the_new_one_fails() {
    let mut scene = Scene::serving();
    scene.tell(Event::Reload);
    scene.tell(Event::Ready(MemberId(2)));
    scene.load_fails(3);
    [2, 3].iter().for_each(|&id| scene.gone(id));
    assert_eq!(scene.reported("RollFailed"), 1);
    assert!(scene.retired.is_empty());
    assert_eq!(scene.spawned.len(), 4);
    assert!(scene.outcome.is_none());
}

#[test]
fn worker_that_dies_during_a_roll_is_replaced_and_does_not_count_as_new() {
    let mut scene = Scene::serving();
    scene.tell(Event::Reload);
    scene.gone(0);
    assert_eq!(scene.spawned[4..], [(MemberId(4), 1)]);
    [2, 4].iter().for_each(|&id| scene.tell(Event::Ready(MemberId(id))));
    assert!(scene.retired.is_empty());
    scene.tell(Event::Ready(MemberId(3)));
    assert_eq!(scene.retired, ids([1, 4]));
}

#[test]
fn reload_during_a_reload_is_done_after_it() {
    let mut scene = Scene::serving();
    scene.tell(Event::Reload);
    scene.tell(Event::Reload);
    assert_eq!(scene.spawned.len(), 4);
    scene.all_ready();
    assert_eq!(scene.spawned.len(), 6);
    assert_eq!(scene.reported("Rolling"), 2);
}

#[test]
fn retired_worker_is_shut_down_when_it_is_idle_and_not_replaced() {
    let mut scene = Scene::serving();
    scene.tell(Event::Reload);
    scene.all_ready();
    scene.tell(Event::Idle(MemberId(0)));
    scene.tell(Event::Idle(MemberId(0)));
    assert_eq!(scene.shut_down, ids([0]));
    scene.tell(Event::Closed(MemberId(0)));
    scene.gone(0);
    assert_eq!(scene.spawned.len(), 4);
}

#[test]
fn retired_worker_that_is_never_idle_is_shut_down_and_then_killed() {
    let mut scene = Scene::serving();
    scene.tell(Event::Reload);
    scene.all_ready();
    scene.pass(Duration::from_secs(30));
    assert_eq!(scene.shut_down, ids([0, 1]));
    scene.pass(Duration::from_secs(5));
    assert_eq!(scene.killed, ids([0, 1]));
}

// Another number of workers

#[test]
fn more_workers_are_started_beside_those_that_serve() {
    let mut scene = Scene::serving();
    scene.tell(Event::Resize(4));
    assert_eq!(scene.spawned[2..], [(MemberId(2), 3), (MemberId(3), 4)]);
    scene.all_ready();
    assert_eq!((scene.serving, scene.reported("Resized")), (1, 1));
    assert!(scene.retired.is_empty());
}

#[test]
fn surplus_workers_are_retired_and_not_replaced() {
    let mut scene = Scene::serving();
    scene.tell(Event::Resize(1));
    assert_eq!(scene.retired, ids([1]));
    scene.tell(Event::Idle(MemberId(1)));
    assert_eq!(scene.shut_down, ids([1]));
    scene.gone(1);
    assert_eq!(scene.spawned.len(), 2);
}

#[test]
fn surplus_worker_may_take_as_long_as_its_requests_need() {
    let mut scene = Scene::serving();
    scene.tell(Event::Resize(1));
    scene.pass(Duration::from_secs(24 * 3600));
    assert!(scene.shut_down.is_empty());
    scene.tell(Event::Stop(Duration::from_secs(10)));
    scene.pass(Duration::from_secs(10));
    assert_eq!(scene.shut_down, ids([0, 1]));
}

#[test]
fn seat_of_a_retired_worker_is_taken_again_when_it_is_wanted() {
    let mut scene = Scene::serving();
    scene.tell(Event::Resize(1));
    scene.tell(Event::Resize(2));
    assert_eq!(scene.spawned[2..], [(MemberId(2), 2)]);
    scene.gone(1);
    assert_eq!(scene.spawned.len(), 3);
}

#[test]
fn surplus_worker_that_has_not_come_up_is_told_to_end() {
    let mut scene = Scene::serving();
    scene.tell(Event::Resize(3));
    scene.tell(Event::Resize(2));
    assert_eq!(scene.shut_down, ids([2]));
}

#[test]
fn dead_worker_is_replaced_only_up_to_the_wanted_number() {
    let mut scene = Scene::serving();
    scene.gone(1);
    scene.gone(2);
    assert!(scene.fleet.deadline().is_some());
    scene.tell(Event::Resize(1));
    assert_eq!(scene.fleet.deadline(), None);
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.spawned.len(), 3);
    scene.gone(0);
    assert_eq!(scene.spawned[3..], [(MemberId(3), 1)]);
}

#[test]
fn new_generation_has_the_wanted_number_of_workers() {
    let mut scene = Scene::serving();
    scene.tell(Event::Resize(3));
    scene.all_ready();
    scene.tell(Event::Reload);
    assert_eq!(scene.spawned.len(), 6);
    scene.all_ready();
    assert_eq!(scene.retired, ids([0, 1, 2]));
}

#[test]
fn number_that_changes_during_a_roll_holds_for_both_generations() {
    let mut scene = Scene::serving();
    scene.tell(Event::Reload);
    scene.tell(Event::Resize(3));
    assert_eq!(scene.spawned[4..], [(MemberId(4), 3)]);
    scene.tell(Event::Ready(MemberId(4)));
    scene.all_ready();
    assert_eq!(scene.reported("Rolled"), 1);
    assert_eq!(scene.retired, ids([0, 1, 4]));
    assert_eq!(scene.spawned[5..], [(MemberId(5), 3)]);
}

#[test]
fn number_that_changes_during_the_first_start_waits_for_it() {
    let mut scene = Scene::new(1, false);
    scene.tell(Event::Resize(2));
    assert_eq!(scene.spawned.len(), 1);
    scene.all_ready();
    assert_eq!(scene.serving, 1);
    assert_eq!(scene.spawned[1..], [(MemberId(1), 2)]);
}

#[test]
fn number_does_not_change_while_all_stops() {
    let mut scene = Scene::serving();
    scene.tell(Event::Stop(Duration::from_secs(10)));
    scene.tell(Event::Resize(4));
    assert_eq!((scene.spawned.len(), scene.reported("Resized")), (2, 0));
}

// --reload

#[test]
fn code_that_cannot_be_loaded_waits_for_a_change() {
    let mut scene = Scene::new(2, true);
    scene.load_fails(0);
    scene.load_fails(1);
    [0, 1].iter().for_each(|&id| scene.gone(id));
    assert!(scene.outcome.is_none());
    assert_eq!(scene.reported("FirstFailed"), 1);
    assert_eq!(scene.fleet.deadline(), None);
    scene.tell(Event::Changed);
    scene.all_ready();
    assert_eq!(scene.serving, 1);
}

#[test]
fn mistake_in_a_change_leaves_the_old_generation_serving() {
    let mut scene = Scene::new(1, true);
    scene.all_ready();
    scene.tell(Event::Changed);
    scene.load_fails(1);
    scene.gone(1);
    assert!(scene.retired.is_empty());
    assert_eq!(scene.spawned.len(), 2);
    scene.tell(Event::Changed);
    scene.all_ready();
    assert_eq!(scene.retired, ids([0]));
}

#[test]
fn change_while_workers_start_gives_them_up() {
    let mut scene = Scene::new(1, true);
    scene.tell(Event::Changed);
    assert_eq!(scene.shut_down, ids([0]));
    scene.tell(Event::Ready(MemberId(0)));
    assert_eq!(scene.serving, 0);
    scene.tell(Event::Ready(MemberId(1)));
    assert_eq!(scene.serving, 1);
}

#[test]
fn old_worker_has_five_seconds_after_a_change() {
    let mut scene = Scene::new(1, true);
    scene.all_ready();
    scene.tell(Event::Changed);
    scene.all_ready();
    scene.pass(Duration::from_secs(5));
    assert_eq!(scene.shut_down, ids([0]));
}

// Stop

#[test]
fn stop_lets_workers_end_what_they_have_and_then_shuts_them_down() {
    let mut scene = Scene::serving();
    scene.tell(Event::Stop(Duration::from_secs(10)));
    assert_eq!(scene.retired, ids([0, 1]));
    assert!(scene.shut_down.is_empty());
    [0, 1].iter().for_each(|&id| scene.tell(Event::Idle(MemberId(id))));
    assert_eq!(scene.shut_down, ids([0, 1]));
    scene.gone(0);
    assert!(scene.outcome.is_none());
    scene.gone(1);
    assert!(matches!(scene.outcome, Some(Ok(()))));
    assert_eq!(scene.spawned.len(), 2);
}

#[test]
fn worker_that_does_not_end_in_time_is_killed() {
    let mut scene = Scene::serving();
    scene.tell(Event::Stop(Duration::from_secs(10)));
    scene.tell(Event::Idle(MemberId(0)));
    scene.pass(Duration::from_secs(10));
    assert_eq!((&scene.shut_down, &scene.killed), (&ids([0, 1]), &ids([0])));
    scene.pass(Duration::from_secs(5));
    assert_eq!(scene.killed, ids([0, 1]));
}

#[test]
fn lifespan_shutdown_has_five_seconds_even_where_no_time_is_left() {
    let mut scene = Scene::serving();
    scene.tell(Event::Stop(Duration::ZERO));
    scene.pass(Duration::ZERO);
    assert_eq!(scene.shut_down, ids([0, 1]));
    scene.pass(Duration::from_secs(4));
    assert!(scene.killed.is_empty());
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.killed, ids([0, 1]));
}

#[test]
fn stop_during_a_reload_leaves_retired_workers_no_more_time_than_others() {
    let mut scene = Scene::serving();
    scene.tell(Event::Reload);
    scene.all_ready();
    scene.tell(Event::Stop(Duration::from_secs(1)));
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.shut_down.len(), 4);
}

#[test]
fn stop_now_kills_all_at_once() {
    let mut scene = Scene::serving();
    scene.tell(Event::Stop(Duration::from_secs(10)));
    scene.tell(Event::StopNow);
    assert_eq!(scene.killed, ids([0, 1]));
    [0, 1].iter().for_each(|&id| scene.gone(id));
    assert!(matches!(scene.outcome, Some(Ok(()))));
}

#[test]
fn dead_seats_are_not_filled_while_all_stops() {
    let mut scene = Scene::serving();
    scene.gone(0);
    scene.gone(2);
    scene.tell(Event::Stop(Duration::from_secs(10)));
    scene.pass(Duration::from_secs(1));
    assert_eq!(scene.spawned.len(), 3);
    scene.gone(1);
    assert!(matches!(scene.outcome, Some(Ok(()))));
}

#[test]
fn stop_while_nothing_runs_ends_at_once() {
    let mut scene = Scene::new(1, true);
    scene.load_fails(0);
    scene.gone(0);
    scene.tell(Event::Stop(Duration::from_secs(10)));
    assert!(matches!(scene.outcome, Some(Ok(()))));
}

#[test]
fn reload_is_ignored_while_all_stops() {
    let mut scene = Scene::serving();
    scene.tell(Event::Stop(Duration::from_secs(10)));
    scene.tell(Event::Reload);
    scene.tell(Event::Changed);
    assert_eq!(scene.spawned.len(), 2);
}
