"""What is told apart between releases of FastAPI, and which are known."""

import json
from dataclasses import astuple, replace
from types import SimpleNamespace
from typing import Any

import pytest
from andon.native import digests
from andon.native.releases.callables import callables_of
from andon.native.releases.included import app_of, watched
from andon.native.releases.models import gatherer_of, names_of
from andon.native.releases.release import release_of


@pytest.mark.parametrize("version", ["0.165.0", "0.166.0rc1", "1.0", "unknown"])
def test_nothing_is_otherwise_in_the_newest_releases(version: str) -> None:
    assert all(astuple(release_of(version)))


def test_the_oldest_release_is_otherwise_in_all_but_forms() -> None:
    oldest = release_of("0.137.0")
    assert oldest.looks_at_own_form
    assert not any(astuple(replace(oldest, looks_at_own_form=False)))


def test_a_change_counts_from_the_very_patch() -> None:
    assert not release_of("0.156.3").has_body_aliases
    assert release_of("0.156.4").has_body_aliases
    assert not release_of("0.159.1").looks_at_own_form
    assert not release_of("0.162.5").closes_after_any
    assert release_of("0.162.6").closes_after_any


def test_every_known_release_was_compared_beside_a_known_starlette() -> None:
    known: dict[str, Any] = json.loads(digests.KNOWN.read_text())
    assert known["tested"].keys() == known["fastapi"].keys()
    for beside in known["tested"].values():
        assert beside and set(beside) <= known["starlette"].keys()


def test_dependants_of_old_releases_tell_by_themselves_how_they_are_called() -> None:
    dependant = SimpleNamespace(
        is_async_gen_callable=False,
        is_gen_callable=True,
        is_coroutine_callable=False,
        cache_key=("call", (), ""),
        oauth_scopes=["me"],
    )
    callables = callables_of(SimpleNamespace())
    assert callables.kind(dependant) == "generator"
    assert callables.cache_key(dependant) == ("call", (), "")
    assert callables.scopes(dependant) == ["me"]


def test_a_model_of_old_releases_must_be_alone() -> None:
    class Model:
        pass

    field: Any = SimpleNamespace(name="q", field_info=SimpleNamespace(annotation=Model))
    dependencies = SimpleNamespace(
        BaseModel=Model,
        lenient_issubclass=issubclass,
        request_params_to_args=lambda fields, received: ({"q": received}, []),
    )
    assert names_of(SimpleNamespace(), dependencies) is None
    assert gatherer_of(field, [field, field], None, dependencies) is None
    gather = gatherer_of(field, [field], None, dependencies)
    assert gather is not None and gather({"a": "1"}) == ({"a": "1"}, [])


def test_what_serves_an_included_route_is_watched() -> None:
    shape = SimpleNamespace(app="application")
    assert app_of(None, shape, None) == "application"  # type: ignore[arg-type]
    assert watched(shape) == [(vars(shape), "app", "application")]
