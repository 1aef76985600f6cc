//! What happens inside the workers of a run: the turns of their loops, the steps of requests, and their threads.

use std::time::Duration;

use andon_dispatch::{Event, Executor, RequestId, WorkerId};

use crate::{
    Simulation, Step,
    outcome::End,
    simulation::Happening,
    worker::{Execution, GIL_WAIT, Item},
};

impl Simulation {
    /// The loop comes past what is there, until a step holds it or nothing is left.
    pub(crate) fn run_loop(&mut self, id: WorkerId) {
        while let Some(worker) = self.workers.get_mut(&id)
            && worker.running.is_none()
            && let Some(item) = worker.next_item()
        {
            match item {
                Item::Offer(request, number) => self.come_past(id, request, number),
                Item::Continue(request) => self.next_step(id, request),
            }
        }
        self.remove_if_done(id);
    }

    /// Claims what was offered, unless it was taken back.
    fn come_past(&mut self, id: WorkerId, request: RequestId, number: u64) {
        let now = self.now;
        let claimed = self.request(request).filter(|request| request.offer == Some(number));
        let is_claimed = claimed.is_some();
        if let Some(request) = claimed {
            (request.offer, request.started) = (None, now);
        }
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.taken += 1;
        worker.started += usize::from(is_claimed);
        let total = worker.taken;
        if is_claimed {
            self.next_step(id, request);
        }
        self.plan(now + self.world.wire, Happening::Told(id, total));
    }

    pub(crate) fn go_on(&mut self, id: WorkerId, request: RequestId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.ready.push_back(Item::Continue(request));
        }
        self.run_loop(id);
    }

    fn next_step(&mut self, id: WorkerId, number: RequestId) {
        let now = self.now;
        let Some(request) = self.request(number) else { return };
        let step = request.steps.next();
        let on_thread = request.executor == Executor::Thread;
        match step.map(|step| if on_thread { step.on_thread() } else { step }) {
            Some(Step::Hold { time, computes }) => {
                self.hold(id, Execution { request: number, since: now, computes }, time)
            }
            Some(Step::Suspend(time)) => self.plan(now + time, Happening::GoesOn(id, number)),
            Some(Step::Wait(time)) => {
                request.usage.thread_total += time;
                self.plan(now + time, Happening::GoesOn(id, number));
            }
            Some(Step::Compute(time)) => {
                if let Some(worker) = self.workers.get_mut(&id) {
                    worker.to_compute.push_back((number, time));
                }
                self.compute_next(id);
            }
            None => self.answer(id, number),
        }
    }

    fn hold(&mut self, id: WorkerId, step: Execution, time: Duration) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.running = Some(step);
        let gil = if worker.computing.is_some() { GIL_WAIT } else { Duration::ZERO };
        self.plan(self.now + time + gil, Happening::StepEnds(id));
    }

    pub(crate) fn step_ends(&mut self, id: WorkerId) {
        let Some(step) = self.workers.get_mut(&id).and_then(|worker| worker.running.take()) else { return };
        let held = self.now.saturating_sub(step.since);
        let Some(request) = self.request(step.request) else { return };
        let usage = &mut request.usage;
        usage.loop_longest = usage.loop_longest.max(held);
        usage.loop_total += held;
        if step.computes {
            usage.loop_processor += held;
        }
        // A further step on the loop waits for its turn, anything else begins now.
        let holds_again = matches!(request.steps.as_slice().first(), Some(Step::Hold { .. }));
        if holds_again && let Some(worker) = self.workers.get_mut(&id) {
            worker.ready.push_back(Item::Continue(step.request));
        } else {
            self.next_step(id, step.request);
        }
        self.run_loop(id);
    }

    /// Lets the next in line compute, if none does.
    fn compute_next(&mut self, id: WorkerId) {
        let now = self.now;
        let Some(worker) = self.workers.get_mut(&id).filter(|worker| worker.computing.is_none()) else { return };
        if let Some((request, time)) = worker.to_compute.pop_front() {
            worker.computing = Some(Execution { request, since: now, computes: true });
            self.plan(now + time, Happening::Computed(id));
        }
    }

    pub(crate) fn computed(&mut self, id: WorkerId) {
        let Some(work) = self.workers.get_mut(&id).and_then(|worker| worker.computing.take()) else { return };
        let time = self.now.saturating_sub(work.since);
        if let Some(request) = self.request(work.request) {
            request.usage.thread_total += time;
            request.usage.thread_processor += time;
        }
        self.compute_next(id);
        self.go_on(id, work.request);
    }

    fn answer(&mut self, id: WorkerId, number: RequestId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.started -= 1;
        }
        let Some(usage) = self.request(number).map(|request| request.usage) else { return };
        self.end(number, |request| End::Answered { started: request.started, worker: id });
        self.step(Event::Measured { request: number, usage });
        self.step(Event::Ended(number));
    }
}
