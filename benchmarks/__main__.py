"""`python -m benchmarks`: measure everything and print the table."""

import argparse
import json
import sys

from benchmarks.bench import bench
from benchmarks.plan import FULL, QUICK
from benchmarks.report import Report, to_json, to_markdown
from benchmarks.sections import GROUPS, SECTIONS, chosen


def main() -> int:
    """Run the sections that were asked for; return the exit status."""
    options = _options()
    with bench(QUICK if options.quick else FULL) as prepared:
        report = Report(prepared.plan)
        for name in chosen(options.sections):
            print(f"measuring: {name}", file=sys.stderr)
            SECTIONS[name](prepared, report)
    if options.json:
        print(json.dumps(to_json(report), indent=2))
    else:
        print(to_markdown(report))
    return 1 if report.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/run", description=__doc__)
    parser.add_argument(
        "sections",
        nargs="*",
        choices=[[], *SECTIONS, *GROUPS],
        help="only these (default: all); anonymizer: all rows about it but ZIP;"
        " grown: all rows of a registry after years",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a smoke test; its numbers mean nothing"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
