"""Reading what the inspection of an application has found, and an application to inspect."""

from typing import Any

from andon.native import inspect
from andon.native.description import Barrier, Dependant, Native, Opaque, Route
from andon.native.inspection import Inspection
from fastapi import FastAPI


async def endpoint() -> None:
    """Answers nothing."""


def application(**settings: Any) -> FastAPI:
    """An application with one route that could be native."""
    app = FastAPI(openapi_url=None, **settings)
    app.get("/")(endpoint)
    return app


class Found:
    """An inspection, asked by path."""

    def __init__(self, app: Any) -> None:
        self.inspection: Inspection = inspect(app)

    def route(self, path: str) -> Route:
        """The only route of that path."""
        (route,) = (each for each in self.inspection.description.routes if each.path == path)
        return route

    def native(self, path: str) -> Native:
        """How a route is served natively."""
        serve = self.route(path).serve
        assert isinstance(serve, Native), serve
        return serve

    def reason(self, path: str) -> str:
        """Why a route is not native."""
        serve = self.route(path).serve
        assert isinstance(serve, Opaque | Barrier), serve
        return serve.reason

    def paths(self) -> list[str]:
        """All paths in their order, without the documentation's."""
        ours = (each for each in self.inspection.description.routes if not _is_documentation(each))
        return [each.path for each in ours]

    def object(self, number: int | None) -> Any:
        """The object of a number."""
        assert number is not None
        return self.inspection.objects[number]

    def calls(self, dependant: Dependant) -> list[Any]:
        """The callables on which a dependant depends directly."""
        return [self.object(each.call) for each in dependant.dependencies]


def _is_documentation(route: Route) -> bool:
    return isinstance(route.serve, Native) and "documentation" in route.serve.endpoint
