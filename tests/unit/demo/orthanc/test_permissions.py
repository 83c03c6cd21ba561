"""The permission table names the permissions of the C++ plugin's default table."""

import pytest

from demo.orthanc.permissions import required
from tests.unit.demo.orthanc.fakes import STUDY


@pytest.mark.parametrize(
    ("method", "path", "permissions"),
    [
        ("post", "/auth/tokens/decode", set()),
        ("post", "/tools/lookup", set()),
        ("get", "/studies", {"all", "view"}),
        ("get", f"/studies/{STUDY}/archive", {"all", "view"}),
        ("get", "/dicom-web/studies/1.2/metadata", {"all", "view"}),
        ("put", "/auth/tokens/viewer-instant-link", {"all", "view"}),
        ("put", "/auth/tokens/ohif-viewer-publication", {"all", "share"}),
        ("post", "/instances", {"all", "upload"}),
        ("post", f"/studies/{STUDY}/modify", {"all", "modify"}),
        ("post", f"/studies/{STUDY}/anonymize", {"all", "anonymize"}),
        ("delete", f"/studies/{STUDY}", {"all", "delete"}),
    ],
)
def test_a_listed_route_needs_one_of_its_permissions(
    method: str, path: str, permissions: set[str]
) -> None:
    assert required(method, path) == frozenset(permissions)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", "/auth/tokens/other"),
        ("post", "/tools/execute-script"),
        ("put", f"/studies/{STUDY}/attachments/x"),
        ("get", "/studies/../x"),
    ],
)
def test_any_other_route_is_open_to_nobody_by_permission(
    method: str, path: str
) -> None:
    assert required(method, path) is None
