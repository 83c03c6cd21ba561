"""Documents of DICOM JSON to damage, with a secret in each text."""

import base64
import struct
from typing import Any

from tests.fuzz.elements import SECRET as _SECRET

_CODE = {
    "00080100": {"vr": "SH", "Value": ["T-D1100"]},
    "00080102": {"vr": "SH", "Value": ["SRT"]},
    "00080104": {"vr": "LO", "Value": [_SECRET]},
}

_REFERENCE = {
    "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
    "00081155": {"vr": "UI", "Value": ["1.2.3.4"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": _SECRET}]},
    "0040A170": {"vr": "SQ", "Value": [_CODE]},
}

_IMAGE = {
    "00080005": {"vr": "CS", "Value": ["ISO_IR 100"]},
    "00080008": {"vr": "CS", "Value": ["ORIGINAL", "PRIMARY", "AXIAL"]},
    "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
    "00080018": {"vr": "UI", "Value": ["1.2.3"]},
    "00080020": {"vr": "DA", "Value": ["18050101"]},
    "00080060": {"vr": "CS", "Value": ["CT"]},
    "00081030": {"vr": "LO", "Value": [_SECRET]},
    "00081140": {"vr": "SQ", "Value": [_REFERENCE, _REFERENCE]},
    "00082218": {"vr": "SQ", "Value": [_CODE, {}]},
    "00090010": {"vr": "LO", "Value": [_SECRET]},
    "00091001": {"vr": "UN", "InlineBinary": "UVpDQU5BUllRWg=="},
    "00100010": {
        "vr": "PN",
        "Value": [{"Alphabetic": _SECRET, "Ideographic": _SECRET}],
    },
    "00100020": {"vr": "LO", "Value": [_SECRET]},
    "00181164": {"vr": "DS", "Value": [0.5, 0.5]},
    "0020000D": {"vr": "UI", "Value": ["1.2"]},
    "00200011": {"vr": "IS", "Value": [3]},
    "00280002": {"vr": "US", "Value": [1]},
    "00280010": {"vr": "US", "Value": [4]},
    "00280030": {"vr": "DS", "Value": [0.5, None]},
    "00281201": {"vr": "OW", "BulkDataURI": "http://upstream/QZCANARYQZ"},
    "00283010": {
        "vr": "SQ",
        "Value": [{"00283006": {"vr": "OW", "BulkDataURI": "http://upstream/1"}}],
    },
    "7FE00010": {"vr": "OW", "BulkDataURI": "http://upstream/QZCANARYQZ"},
}

_RAMP = struct.pack("<256H", *range(0, 65_536, 256))
_TABLE = {"vr": "OW", "InlineBinary": base64.b64encode(_RAMP).decode()}
_WORDS = {"vr": "US", "Value": list(range(0, 65_536, 256))}
_DESCRIPTOR = {"vr": "US", "Value": [256, 0, 16]}

_COLOURED = _IMAGE | {
    "00080060": {"vr": "CS", "Value": ["NM"]},
    "00189073": {"vr": "FD", "Value": [0.5]},
    "00280004": {"vr": "CS", "Value": ["PALETTE COLOR"]},
    "00280009": {"vr": "AT", "Value": ["00540010"]},
    **dict.fromkeys(("00281101", "00281102", "00281103"), _DESCRIPTOR),
    "00281201": _TABLE,
    "00281202": _WORDS,
    "00281203": _TABLE,
    "00283010": {
        "vr": "SQ",
        "Value": [
            {"00283002": _DESCRIPTOR, "00283003": {"vr": "LO"}, "00283006": _TABLE},
            {"00283002": _DESCRIPTOR, "00283006": _WORDS},
        ],
    },
    "00540080": {"vr": "US", "Value": list(range(1, 90))},
}

_MULTIFRAME = _IMAGE | {
    "00280008": {"vr": "IS", "Value": [2]},
    "52009230": {
        "vr": "SQ",
        "Value": [
            {
                "00209111": {
                    "vr": "SQ",
                    "Value": [
                        {
                            "00189074": {"vr": "DT", "Value": ["18050101235747"]},
                            "00209157": {"vr": "UL", "Value": [1, 2]},
                            "00209158": {"vr": "LT", "Value": [_SECRET]},
                        }
                    ],
                },
                "00289145": {
                    "vr": "SQ",
                    "Value": [{"00281052": {"vr": "DS", "Value": [-1024]}}],
                },
            }
        ]
        * 2,
    },
}

DOCUMENTS: list[list[dict[str, Any]]] = [
    [_IMAGE],
    [_IMAGE, {}, {"00080060": {"vr": "CS"}}],
    [_COLOURED],
    [_MULTIFRAME],
]
"""All of them."""
