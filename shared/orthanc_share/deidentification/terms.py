"""The values that may pass as they are, by tag: what the standard itself lists.

A value that is not listed could be anything that somebody typed.
"""

from collections.abc import Mapping

from orthanc_share.deidentification.data_files import read_by_tag

_STANDARD = read_by_tag("terms.json", frozenset[str])
_MORE = read_by_tag("more_terms.json", frozenset[str])

TERMS: Mapping[int, frozenset[str]] = {
    tag: _STANDARD.get(tag, frozenset()) | _MORE.get(tag, frozenset())
    for tag in _STANDARD.keys() | _MORE.keys()
}
"""Source: PS3.3, all modules together, and PS3.16; see `data/README.md`."""
