"""`--reload`: a change brings new workers, and a mistake in it does not stop the old ones."""

from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support import AndonServer, wait_until

RELOAD_SECONDS = 20.0

APPLICATION = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": %s})
"""


class Project:
    """A folder with an application in it, which the test edits."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.write("edited.py", APPLICATION % 'b"one"')

    def write(self, name: str, text: str) -> None:
        """Replace a file as an editor does: another one is renamed over it.

        Python takes bytecode from its cache where a source has the same size and the same second of
        change, so the tests write texts of different sizes.
        """
        partial = self.directory / f".{name}.partial"
        partial.write_text(text)
        partial.rename(self.directory / name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An application which answers `one`."""
    return Project(tmp_path)


def _start(start_server: StartServer, project: Project, *options: str) -> AndonServer:
    return start_server("edited:app", "--reload", *options, application_directory=project.directory)


def _wait_for_answer(server: AndonServer, body: bytes) -> None:
    wait_until(lambda: server.get("/").body == body, f"the answer is {body!r}", RELOAD_SECONDS)


def test_a_change_is_served_without_one_failed_request(
    start_server: StartServer, project: Project
) -> None:
    server = _start(start_server, project, "--reload-dir", str(project.directory))
    assert server.get("/").body == b"one"
    project.write("edited.py", APPLICATION % 'b"second"')

    def answers_second() -> bool:
        response = server.get("/")
        assert response.status == 200
        assert response.body in (b"one", b"second")
        return response.body == b"second"

    wait_until(answers_second, "the change is served", RELOAD_SECONDS)


def test_a_change_of_an_imported_module_is_served(
    start_server: StartServer, project: Project
) -> None:
    project.write("part.py", 'BODY = b"three"\n')
    project.write("edited.py", "from part import BODY\n" + APPLICATION % "BODY")
    server = _start(start_server, project, "--reload-dir", str(project.directory))
    assert server.get("/").body == b"three"
    project.write("part.py", 'BODY = b"four"\n')
    _wait_for_answer(server, b"four")


def test_a_mistake_is_shown_and_the_old_generation_goes_on(
    start_server: StartServer, project: Project
) -> None:
    server = _start(start_server, project, "--reload-dir", str(project.directory))
    project.write("edited.py", "def broken(:\n")
    wait_until(lambda: "SyntaxError" in server.stderr, "the mistake is shown", RELOAD_SECONDS)
    assert server.get("/").body == b"one"
    project.write("edited.py", APPLICATION % 'b"mended"')
    _wait_for_answer(server, b"mended")


def test_without_a_folder_the_working_directory_is_watched(
    start_server: StartServer, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    project = Project(scratch)
    server = start_server("edited:app", "--reload", application_directory=scratch, scratch=scratch)
    project.write("edited.py", APPLICATION % 'b"five"')
    _wait_for_answer(server, b"five")
