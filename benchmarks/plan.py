"""How long everything is measured."""

from dataclasses import dataclass

from orthanc_share.registry.tallies import WRITE_DOWN_EVERY


@dataclass(frozen=True)
class Plan:
    """Sizes of a run.

    Args:
        rounds: Pairs of each comparison.
        seconds: Length of one measurement.
        tokens: Different tokens; more than the service remembers.
        validations: Questions before memory is read.
        slow_clients: Clients that send a byte a second.
        idle_connections: Connections that send nothing.
        request_timeout: Seconds that a request may take to arrive.
        images: Images of 0.5 MB of the series.
        frames: Frames of 0.5 MB of the multiframe image.
        described: Images of the study whose metadata are asked for.
        streams: Clients that download at once.
        rewrites: Heads that are rewritten for one measurement.
        kept_shares: Shares of a registry after years.
        kept_events: Its events.
        registry_pairs: Pairs of processes, with registry and without.
        registry_turns: Measurements of each process: once it is the first of its pair,
            once the second.
        registry_seconds: Length of their measurements: that of a report's interval, so
            that each has just one report of what was granted.
        registry_rounds: Times that each question is put to a registry.
    """

    rounds: int = 9
    seconds: int = 3
    tokens: int = 100_000
    validations: int = 1_000_000
    slow_clients: int = 300
    idle_connections: int = 1_000
    request_timeout: float = 15.0
    images: int = 100
    frames: int = 200
    described: int = 500
    streams: int = 10
    rewrites: int = 300
    kept_shares: int = 100_000
    kept_events: int = 1_000_000
    registry_pairs: int = 6
    registry_turns: int = 2
    registry_seconds: int = int(WRITE_DOWN_EVERY)
    registry_rounds: int = 60


FULL = Plan()
"""The run whose table counts."""

QUICK = Plan(
    rounds=1,
    seconds=1,
    tokens=20_000,
    validations=1,
    slow_clients=30,
    idle_connections=100,
    request_timeout=3.0,
    images=3,
    frames=4,
    described=10,
    streams=2,
    rewrites=3,
    kept_shares=50_000,  # with less, PostgreSQL rightly reads whole tables
    kept_events=100_000,
    registry_pairs=1,
    registry_turns=1,
    registry_seconds=1,
    registry_rounds=2,
)
"""A run that only shows that everything works."""
