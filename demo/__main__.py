"""`python -m demo`: Orthanc, the services of orthanc-share and a viewer, right here."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from demo.links import check
from demo.processes import StartError
from demo.run import PORTS, STAFF, Choices, Running, running

STATE = Path(__file__).parents[1] / ".demo"
"""Where the demo keeps everything; remove it to start afresh."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo until Ctrl-C; return the exit status."""
    options = _options(arguments)
    choices = Choices(options.state, options.port, frozenset(options.without))
    signal.signal(signal.SIGTERM, _stop)
    try:
        with running(choices, _say) as demo:
            problems = check(demo.links, demo.addresses)
            for problem in problems:
                print(f"PROBLEM  {problem}", file=sys.stderr)
            print(describe(demo), flush=True)
            if not options.once:
                demo.watch()
            return 1 if problems else 0
    except StartError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 0


def describe(demo: Running) -> str:
    """Return what the demo tells people."""
    links = demo.links
    lines = ["", "The demo runs. Everything stays on this machine.", ""]
    for link in (*links.live, links.anonymized):
        lines += [f"{link.title}:", f"  {link.url}", ""]
    lines += ["A link that has expired:", f"  {links.expired.url}", ""]
    if demo.addresses.ohif is None:
        lines += ["There is no viewer without OHIF; the links download the study.", ""]
    lines += [
        "Share another study (the head MR) yourself:",
        f"  {demo.service.curl(links.share_type)}",
        "",
        f"Orthanc for staff: {demo.admin.url}app/explorer.html",
        f"  user {STAFF}, password {demo.admin.users[STAFF]}",
        "",
        "Ctrl-C stops everything.",
    ]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(f"demo: {text}", file=sys.stderr, flush=True)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 1 << 16:
        raise ValueError(text)
    return port


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--once", "--check", action="store_true", help="start, try every link, stop"
    )
    parser.add_argument(
        "--port", type=_port, default=PORTS["public"], help="public port (%(default)s)"
    )
    parser.add_argument(
        "--state", type=Path, default=STATE, help="folder for all files (.demo)"
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=("nginx", "ohif"),
        help="leave a part out",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
