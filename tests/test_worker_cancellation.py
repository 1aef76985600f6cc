"""What happens to a request whose client has gone."""

from tests.support.fake_front import FINISHED, RESPONSE, FakeFront


def test_a_task_is_cancelled_when_its_client_has_gone_if_that_is_chosen() -> None:
    with FakeFront("holding:app", options={"cancel_on_disconnect": True}) as front:
        slot = front.request("/suspend")
        front.answer("/light")
        front.disconnect(slot)
        front.of(slot, FINISHED)


def test_work_in_the_background_is_not_cancelled_with_its_client() -> None:
    with FakeFront("holding:app", options={"cancel_on_disconnect": True}) as front:
        slot = front.request("/after-answer")
        front.of(slot, RESPONSE)
        front.disconnect(slot)
        front.of(slot, FINISHED)
        assert front.answer("/counted-later") == b"1"


def test_otherwise_it_goes_on() -> None:
    with FakeFront("holding:app") as front:
        slot = front.request("/suspend")
        front.disconnect(slot)
        front.answer("/light")
        assert not [f for f in front.frames if (f.slot, f.kind) == (slot, FINISHED)]
