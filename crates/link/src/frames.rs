//! Taking in the frames of a worker. Whatever they say, nothing is believed that slots and generations do not back.

use andon_dispatch::{Event as Happened, WorkerId};
use andon_wire::{Flags, Frame, FromWorker, Usage, WireError, frame::parse_credit, websocket::Close};

use crate::{exchange::Event, hub::Hub, workers::Notice};

impl Hub {
    /// Takes in one frame.
    pub(crate) fn receive(&mut self, worker: WorkerId, frame: Frame) -> Result<(), WireError> {
        let kind = FromWorker::try_from(frame.header.kind)?;
        match kind {
            FromWorker::Ready => self.ready(worker)?,
            FromWorker::Failed => self.failed(worker, &frame.payload)?,
            FromWorker::Claimed => {}
            FromWorker::Finished => self.finished(worker, &frame)?,
            FromWorker::Routes => self.routes.lock().install(&frame.payload)?,
            FromWorker::Stall => self.stalled(worker, &frame.header, &frame.payload)?,
            _ => self.deliver(worker, kind, frame)?,
        }
        Ok(())
    }

    fn ready(&mut self, worker: WorkerId) -> Result<(), WireError> {
        let Some(link) = self.links.get_mut(&worker) else {
            return Ok(());
        };
        link.end_start()?;
        link.notify(Notice::Ready);
        // One that was told to end while it started is given nothing.
        if !link.retired {
            self.step(Happened::WorkerReady(worker));
        }
        Ok(())
    }

    fn failed(&mut self, worker: WorkerId, payload: &[u8]) -> Result<(), WireError> {
        let (&failure, text) = payload.split_first().ok_or(WireError::Truncated)?;
        if let Some(link) = self.links.get_mut(&worker) {
            link.end_start()?;
            let text = String::from_utf8_lossy(text).into_owned();
            link.notify(Notice::Failed { failure: failure.try_into()?, text });
        }
        Ok(())
    }

    fn finished(&mut self, worker: WorkerId, frame: &Frame) -> Result<(), WireError> {
        // Before the slot is freed: what cannot be read ends the link, which ends the exchanges that have slots.
        let usage = Usage::parse(&frame.payload)?;
        let Some(link) = self.links.get_mut(&worker) else {
            return Ok(());
        };
        let Some(cell) = link.slots.release(frame.header.slot, frame.header.generation) else {
            return Ok(());
        };
        let measured = measured(&usage, link.is_first(cell.route));
        cell.push(Event::Finished { failed: frame.header.flags.contains(Flags::FAILED), usage });
        self.step(Happened::Measured { request: cell.request, usage: measured });
        self.end(cell.request);
        self.tell_if_idle(worker);
        Ok(())
    }

    fn deliver(&mut self, worker: WorkerId, kind: FromWorker, frame: Frame) -> Result<(), WireError> {
        let Frame { header, payload } = frame;
        let Some(link) = self.links.get(&worker) else {
            return Ok(());
        };
        let Some(cell) = link.slots.get(header.slot, header.generation) else {
            return Ok(());
        };
        // It could still be taken back and given to another worker, which would then answer as well.
        if link.slots.is_offered(header.slot) {
            return Err(WireError::Invalid("frame of a request that was not started"));
        }
        let end = header.flags.contains(Flags::END);
        cell.push(match kind {
            FromWorker::RequestCredit => {
                cell.add_credit(parse_credit(&payload)?);
                return Ok(());
            }
            FromWorker::Usage => Event::Usage(Usage::parse(&payload)?),
            FromWorker::Response => Event::Response { payload, end },
            FromWorker::ResponseBody => Event::Body { bytes: payload, end },
            FromWorker::Informational => Event::Informational(payload),
            FromWorker::File => Event::File(payload),
            FromWorker::WebSocketAccept => Event::WebSocketAccept(payload),
            FromWorker::WebSocketMessage => {
                Event::WebSocketMessage { text: header.flags.contains(Flags::TEXT), end, bytes: payload }
            }
            FromWorker::WebSocketClose => Event::WebSocketClose(Close::parse(&payload)?),
            FromWorker::Ready
            | FromWorker::Failed
            | FromWorker::Finished
            | FromWorker::Claimed
            | FromWorker::Stall
            | FromWorker::Routes => return Err(WireError::Invalid("frame")),
        });
        Ok(())
    }
}

/// What a worker has measured, in the words of dispatch.
fn measured(usage: &Usage, first: bool) -> andon_dispatch::Usage {
    andon_dispatch::Usage {
        loop_longest: usage.loop_longest,
        loop_total: usage.loop_total,
        loop_processor: usage.loop_processor,
        thread_total: usage.thread_total,
        thread_processor: usage.thread_processor,
        excused: usage.excuses.any(),
        first,
    }
}
