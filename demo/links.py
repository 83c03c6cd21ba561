"""The links that the demo shows, and the proof that they do what they say."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

from demo.calls import Reply, call
from demo.processes import StartError
from demo.sample_data import CT_STUDY, MR_STUDY, OTHER_STUDY, SampleStudy
from demo.suite_server import Addresses

WEEK = 7 * 24 * 3600
"""Lifetime of the links, in seconds."""

PUBLICATION = "ohif-viewer-publication"
"""Share that opens the viewer."""

DOWNLOAD = "download-instant-link"
"""Share for a download, when there is no viewer."""

_STONE = "stone-viewer-publication"  # whose landing page needs no viewer
_EXPIRY = 1
_ATTEMPTS = 10


@dataclass(frozen=True)
class Service:
    """token-service, as the demo calls it.

    Attributes:
        url: Its address, with a final slash.
        login: Name and password of the caller.
    """

    url: str
    login: tuple[str, str] = field(repr=False)

    def share(
        self,
        study: SampleStudy,
        share_type: str,
        seconds: int,
        *,
        anonymized: bool = False,
    ) -> dict[str, Any]:
        """Share a study; return the answer: `url` and `token`.

        Raises:
            StartError: The service refuses.
        """
        body = request(study, share_type, seconds) | {"anonymized": anonymized}
        reply = call("PUT", f"{self.url}shares", body, login=self.login)
        if reply.status != HTTPStatus.OK:
            raise StartError(f"token-service makes no share ({reply.status})")
        answer: dict[str, Any] = reply.json()
        return answer

    def curl(self, share_type: str) -> str:
        """Return a command for a shell that shares another study."""
        body = json.dumps(request(MR_STUDY, share_type, WEEK))
        user = ":".join(self.login)
        return f"curl -u {user} -X PUT {self.url}shares -d '{body}'"


def request(study: SampleStudy, share_type: str, seconds: int) -> dict[str, Any]:
    """Return the body that asks for a share of `study`."""
    return {
        "type": share_type,
        "resources": [
            {
                "dicom-uid": study.study_uid,
                "orthanc-id": study.orthanc_id,
                "level": "study",
            }
        ],
        "validity-duration": seconds,
    }


@dataclass(frozen=True)
class Link:
    """Something to open in a browser.

    Attributes:
        title: What it shows.
        url: Its address.
        token: The token in it.
    """

    title: str
    url: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Links:
    """The links of the demo.

    Attributes:
        live: Links that work and show the study as it is.
        anonymized: A link that shows it de-identified.
        expired: A link whose time is over.
        share_type: Kind of share that works here.
    """

    live: tuple[Link, ...]
    anonymized: Link
    expired: Link
    share_type: str


def make_links(service: Service, addresses: Addresses, *, with_nginx: bool) -> Links:
    """Make the links of the demo; without viewer a download takes their place.

    Args:
        service: Makes the shares.
        addresses: What a browser sees.
        with_nginx: Whether everything has one address; without, OHIF, which another
            server serves then, may not read from the anonymizer.
    """
    if addresses.ohif is None:
        made = service.share(CT_STUDY, DOWNLOAD, WEEK)
        archive = f"{addresses.orthanc}studies/{CT_STUDY.orthanc_id}/archive"
        url = f"{archive}?token={made['token']}"
        live = Link("Head CT, as ZIP", url, made["token"])
        hidden = _anonymized_download(service, addresses)
        return Links((live,), hidden, _expired(service, _STONE), DOWNLOAD)
    made = service.share(CT_STUDY, PUBLICATION, WEEK)
    live = Link("Head CT, in OHIF", made["url"], made["token"])
    if with_nginx:
        made = service.share(CT_STUDY, PUBLICATION, WEEK, anonymized=True)
        hidden = Link("The same, de-identified, in OHIF", made["url"], made["token"])
    else:
        hidden = _anonymized_download(service, addresses)
    return Links((live,), hidden, _expired(service, PUBLICATION), PUBLICATION)


def _anonymized_download(service: Service, addresses: Addresses) -> Link:
    """Return a link to the archive; its study has a name of its own in each share."""
    token = service.share(CT_STUDY, DOWNLOAD, WEEK, anonymized=True)["token"]
    seen = _seen(addresses.anonymizer, token)
    uid = seen[0]["0020000D"]["Value"][0] if seen else ""
    lookup = f"{addresses.anonymizer}tools/lookup"
    found = call("POST", lookup, uid.encode(), headers={"token": token}).json()
    if not isinstance(found, list) or len(found) != 1:
        raise StartError("the anonymizer does not find the study")
    url = f"{addresses.anonymizer}studies/{found[0]['ID']}/archive?token={token}"
    return Link("The same, de-identified, as ZIP", url, token)


def _expired(service: Service, share_type: str) -> Link:
    """Make a link that will have expired when somebody opens it."""
    made = service.share(CT_STUDY, share_type, _EXPIRY)
    return Link("expired link", made["url"], made["token"])


def check(links: Links, addresses: Addresses) -> list[str]:
    """Return what is wrong with the links; nothing, if all do what they say."""
    orthanc = addresses.orthanc
    problems = [problem for link in links.live for problem in _live(link, orthanc)]
    problems += _hidden(links.anonymized, addresses)
    if not _gone(links.expired):
        problems.append(f"{links.expired.title}: is not gone")
    return problems


def _live(link: Link, orthanc: str) -> Iterator[str]:
    if _follow(link.url).status != HTTPStatus.OK:
        yield f"{link.title}: opens nothing"
    if _read(orthanc, CT_STUDY, link.token) != HTTPStatus.OK:
        yield f"{link.title}: the study cannot be read"
    if _read(orthanc, OTHER_STUDY, link.token) != HTTPStatus.FORBIDDEN:
        yield f"{link.title}: another study is not refused"


def _hidden(link: Link, addresses: Addresses) -> Iterator[str]:
    if _follow(link.url).status != HTTPStatus.OK:
        yield f"{link.title}: opens nothing"
    seen = json.dumps(_seen(addresses.anonymizer, link.token))
    if "Anonymous" not in seen:
        yield f"{link.title}: the study cannot be read"
    real = (CT_STUDY.patient, CT_STUDY.patient_id, CT_STUDY.study_uid)
    if any(name in seen for name in real):
        yield f"{link.title}: the patient is named"
    if _read(addresses.orthanc, CT_STUDY, link.token) != HTTPStatus.FORBIDDEN:
        yield f"{link.title}: the study itself is not refused"


def _seen(anonymizer: str, token: str) -> Any:
    """Return what the anonymizer tells of the studies of a share; [] if nothing."""
    url = f"{anonymizer}dicom-web/studies"
    reply = call("GET", url, headers={"Authorization": f"Bearer {token}"})
    return reply.json() if reply.status == HTTPStatus.OK else []


def _follow(url: str) -> Reply:
    """Open a link as a browser does, with at most one redirect."""
    reply = call("GET", url)
    if reply.status == HTTPStatus.SEE_OTHER:
        return call("GET", urljoin(url, reply.headers["location"]))
    return reply


def _read(orthanc: str, study: SampleStudy, token: str) -> int:
    url = f"{orthanc}dicom-web/studies/{study.study_uid}/metadata"
    return call("GET", url, headers={"Authorization": f"Bearer {token}"}).status


def _gone(link: Link) -> bool:
    """Tell whether a link that expires at once has expired, a little later."""
    for _ in range(_ATTEMPTS):
        if call("GET", link.url).status == HTTPStatus.GONE:
            return True
        time.sleep(_EXPIRY)
    return False
