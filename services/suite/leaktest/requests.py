"""What is asked: every route, for everything that a site shows, in every way."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from suite.leaktest.routes import BULK, HEADER_ACCEPTS, ROUTES, SENSITIVE_PATHS, Route
from suite.leaktest.world import Instance, Series, Study, World


@dataclass(frozen=True)
class Ask:
    """A request.

    Args:
        template: The route that it belongs to, with parameters in braces.
        path: Path and query.
        method: HTTP method.
        headers: Header fields.
        body: Content.
    """

    template: str
    path: str = field(repr=False)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


def requests(world: World, routes: Iterable[Route] = ROUTES) -> Iterator[Ask]:
    """Give the requests of viewers for everything, on all routes."""
    for route in routes:
        for values in _values(route, world):
            yield from _asks(route, values, route.accepts, route.queries[:1])


def every_query(world: World, routes: Iterable[Route] = ROUTES) -> Iterator[Ask]:
    """Give requests with every query that a route may get."""
    for route in routes:
        for values in _values(route, world):
            yield from _asks(route, values, route.accepts[:1], route.queries[1:])


def every_accept(world: World, routes: Iterable[Route] = ROUTES) -> Iterator[Ask]:
    """Give requests with every media type there is, for everything on all routes."""
    for route in routes:
        for values in _values(route, world):
            yield from _asks(route, values, HEADER_ACCEPTS, route.queries[:1])


def sensitive_bulk(world: World) -> Iterator[Ask]:
    """Give requests for elements that no metadata offers as bulk data."""
    for instance in world.instances:
        for path in SENSITIVE_PATHS:
            yield Ask(BULK, f"{instance.path}/bulk/{path}")


def _asks(
    route: Route,
    values: Mapping[str, str],
    accepts: Sequence[str],
    queries: Sequence[str],
) -> Iterator[Ask]:
    path = _filled(route.template, values)
    if route.bodies:
        for body in route.bodies:
            filled = _filled(body.decode(), values).encode()
            yield Ask(route.template, path, "POST", body=filled)
        return
    for accept in accepts:
        for query in queries:
            full = path + _filled(query, values)
            yield Ask(route.template, full, headers={"Accept": accept})


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _values(route: Route, world: World) -> Iterator[Mapping[str, str]]:
    """Give the values of a route's parameters for everything that it can show."""
    text = "".join(
        (route.template, *route.queries, *(b.decode() for b in route.bodies))
    )
    if "{id}" in route.template:
        yield from _by_id(route, world)
    elif "{instance}" in text:
        yield from _by_instance(route, world)
    elif "{series}" in text:
        for study, series in _pairs(world):
            yield {"study": study.uid, "series": series.uid}
    elif "{study}" in text:
        yield from ({"study": study.uid} for study in world.studies)
    else:
        yield {}


def _pairs(world: World) -> Iterator[tuple[Study, Series]]:
    return ((study, one) for study in world.studies for one in study.series)


def _by_instance(route: Route, world: World) -> Iterator[Mapping[str, str]]:
    for study, series in _pairs(world):
        for instance in series.instances:
            own = {"study": study.uid, "series": series.uid, "instance": instance.uid}
            for more in _within(route, instance):
                yield {**own, **more}


def _within(route: Route, instance: Instance) -> Iterator[Mapping[str, str]]:
    """Give what is asked for within an instance: frames, elements."""
    last = str(instance.frames)
    if "{frames}" in route.template:
        every = ",".join(str(n + 1) for n in range(min(instance.frames, 100)))
        yield from ({"frames": frames} for frames in sorted({"1", last, every}))
    elif "{frame}" in route.template:
        yield from ({"frame": frame} for frame in sorted({"1", last}))
    elif "{tag_path}" in route.template:
        yield from ({"tag_path": path} for path in dict.fromkeys(instance.bulk))
    elif "{index}" in route.template:
        for index in sorted({"0", str(instance.frames - 1)}):
            yield {"index": index}
    else:
        yield {}


def _by_id(route: Route, world: World) -> Iterator[Mapping[str, str]]:
    level = route.template.removeprefix("/osimis-viewer").split("/")[1]
    if level == "patients":
        yield from ({"id": study.patient} for study in world.studies)
    elif level == "studies":
        yield from ({"id": study.id} for study in world.studies)
    elif level == "series":
        yield from ({"id": series.id} for series in world.series)
    else:
        for instance in world.instances:
            for more in _within(route, instance):
                yield {"id": instance.id, **more}


def sample(world: World) -> World:
    """Return the last instance of each class of the first study: few, but all kinds."""
    study = world.studies[0]
    last = {
        instance.sop_class: (series, instance)
        for series in study.series
        for instance in series.instances
    }
    chosen = tuple(replace(one, instances=(i,)) for one, i in last.values())
    return World((replace(study, series=chosen),))


def narrow(world: World) -> World:
    """Return one instance of one series: what is asked about most ways goes quickly."""
    study = world.studies[0]
    series = study.series[-1]
    chosen = replace(series, instances=series.instances[-1:])
    return World((replace(study, series=(chosen,)),))
