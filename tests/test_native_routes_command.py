"""``andon routes``: the table of an application's routes, as text and as JSON."""

import json
import subprocess
from pathlib import Path

import andon

from tests.support.server import APPLICATIONS, EXECUTABLE
from tests.support.server_process import clean_environment

EXAMPLES = APPLICATIONS.parent.parent / "examples"

TABLE = """\
methods   path                          served  runs    tier  endpoint or reason
GET,HEAD  /openapi.json                 native  loop    2     FastAPI's documentation
GET,HEAD  /docs                         native  loop    2     FastAPI's documentation
GET,HEAD  /docs/oauth2-redirect         native  loop    2     FastAPI's documentation
GET,HEAD  /redoc                        native  loop    2     FastAPI's documentation
POST      /parcels                      native  thread  2     parcels.receive
GET       /parcels                      native  thread  2     parcels.list_parcels
GET       /parcels/{number}             native  thread  2     parcels.show
PUT       /parcels/{number}/state       native  thread  2     parcels.move
GET       /parcels/{number}/postage     native  loop    1     parcels.postage
GET       /changes                      native  loop    2     live.changes
PUT       /photos                       native  loop    2     uploads.put_photo
POST      /photos                       native  thread  3     uploads.post_photo
GET       /blocking/fast                native  loop    1     blocking.fast
GET       /blocking/fast-def            native  thread  1     blocking.fast_def
GET       /blocking/async-sleep         native  loop    1     blocking.async_sleep
GET       /blocking/sleep-in-def        native  thread  1     blocking.sleep_in_def
GET       /blocking/sleep-in-async-def  native  loop    1     blocking.sleep_in_async_def
GET       /blocking/cpu-in-async-def    native  loop    1     blocking.cpu_in_async_def
GET       /blocking/cpu-in-def          native  thread  1     blocking.cpu_in_def
GET       /blocking/await-then-sleep    native  loop    1     blocking.await_then_sleep
GET       /                             native  thread  2     main.index
GET       /desk                         native  thread  2     main.desk
GET       /health                       native  loop    1     main.health
23 of 23 routes are native (100 %)
"""


def routes(
    directory: Path, *arguments: str, app_dir: Path = APPLICATIONS
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EXECUTABLE, "routes", "--app-dir", app_dir, *arguments],
        env=clean_environment(),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_the_table_of_the_examples(tmp_path: Path) -> None:
    completed = routes(tmp_path, "main:app", app_dir=EXAMPLES)
    assert completed.stdout == TABLE
    assert (completed.returncode, completed.stderr) == (0, "")


def test_the_same_as_json(tmp_path: Path) -> None:
    told = json.loads(routes(tmp_path, "main:app", "--json", app_dir=EXAMPLES).stdout)
    assert told["reason"] is None
    by_path = {(route["path"], route["methods"][0]): route for route in told["routes"]}
    assert by_path["/docs", "GET"]["native"]
    assert by_path["/health", "GET"] == {
        "methods": ["GET"],
        "path": "/health",
        "native": True,
        "runs": "loop",
        "tier": 1,
        "endpoint": "main.health",
        "reason": None,
    }


def test_off_leaves_nothing_native(tmp_path: Path) -> None:
    completed = routes(tmp_path, "main:app", "--native", "off", app_dir=EXAMPLES)
    last = completed.stdout.splitlines()[-2:]
    assert last[0] == "0 of 23 routes are native (0 %)"
    assert last[1] == "nothing is served natively: `--native off`"


def test_an_application_without_routes_to_tell_has_a_reason(tmp_path: Path) -> None:
    completed = routes(tmp_path, "raw:app")
    reason = "the application is no FastAPI() but a `function`"
    assert completed.stdout == f"nothing is served natively: {reason}\n"
    assert completed.returncode == 0


def test_what_the_application_prints_is_kept_out_of_the_answer(tmp_path: Path) -> None:
    (tmp_path / "talking.py").write_text(
        "from fastapi import FastAPI\n"
        "print('{}')\n"
        "def make():\n    print('made')\n    return FastAPI(openapi_url=None)\n"
    )
    completed = routes(tmp_path, "talking:make", "--factory", "--json", app_dir=tmp_path)
    assert json.loads(completed.stdout) == {
        "reason": None,
        "middleware": [],
        "middleware_is_native": False,
        "routes": [],
    }
    assert completed.stderr == "{}\nmade\n"


def test_an_application_that_cannot_be_loaded_ends_with_4_and_its_traceback(tmp_path: Path) -> None:
    completed = routes(tmp_path, "import_raises:app")
    assert (completed.returncode, completed.stdout) == (4, "")
    assert completed.stderr.startswith("error: cannot load `import_raises:app`: KeyError")
    assert "in read_setting" in completed.stderr
    assert str(Path(andon.__file__).parent) not in completed.stderr
    assert completed.stderr.count("\n\nhint: ") == 1


def test_a_missing_module_ends_with_4_and_a_hint(tmp_path: Path) -> None:
    completed = routes(tmp_path, "no_such_module:app")
    assert completed.returncode == 4
    assert "--app-dir" in completed.stderr


def test_wrong_arguments_end_with_2(tmp_path: Path) -> None:
    assert routes(tmp_path).returncode == 2
    assert routes(tmp_path, "main:app", "--port", "80").returncode == 2


def test_help_says_that_the_lifespan_is_not_run(tmp_path: Path) -> None:
    completed = routes(tmp_path, "--help")
    assert completed.returncode == 0
    assert "its lifespan is not run" in " ".join(completed.stdout.split())
