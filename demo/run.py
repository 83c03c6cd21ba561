"""The demo from start to stop: three Orthancs, the services, nginx, a viewer, links."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo import nginx, orthanc_server, suite_server, viewer
from demo.links import Links, Service, make_links
from demo.orthanc_server import OrthancSetup, Viewer
from demo.packages import ensure, missing
from demo.processes import Process, StartError, find_program, free_port
from demo.suite_server import ANONYMIZER, IDENTIFIER, Addresses, Secrets

PORTS = {"public": 8080, "suite": 8000, "admin": 8042, "shares": 8043, "anon": 8044}
"""Preferred ports on loopback; another one is taken where one is in use."""

LANDING_PATH = "/welcome/"
"""Path of the landing page in the suite."""

ANONYMIZER_PATH = "/anon-shares/"
"""Path of the anonymizer in the suite."""

STAFF = "demo"
"""Name with which the staff's Orthanc is entered."""

_WATCH = 0.5


@dataclass(frozen=True)
class Choices:
    """What the caller of the demo decides.

    Attributes:
        state: Folder for everything the demo keeps: samples, viewer, secrets, logs.
        port: Preferred public port.
        without: Parts to leave out: `nginx`, `ohif`.
        viewers: Folder for OHIF, None for one in `state`.
    """

    state: Path
    port: int = PORTS["public"]
    without: frozenset[str] = frozenset()
    viewers: Path | None = None


@dataclass(frozen=True)
class Running:
    """The demo while it runs.

    Attributes:
        service: token-service.
        addresses: What a browser sees.
        links: The links to show.
        admin: The staff's Orthanc.
        behind: The Orthanc behind the anonymizer.
        processes: All programs.
    """

    service: Service
    addresses: Addresses
    links: Links
    admin: OrthancSetup
    behind: OrthancSetup
    processes: tuple[Process, ...] = field(repr=False)

    def watch(self) -> None:
        """Wait until a program ends by itself.

        Raises:
            StartError: One has ended.
        """
        while all(process.running for process in self.processes):
            time.sleep(_WATCH)
        ended = [each.name for each in self.processes if not each.running]
        raise StartError(f"ended by itself: {', '.join(ended)}")


@dataclass(frozen=True)
class _Plan:
    """Ports, folders and addresses, before anything runs."""

    state: Path
    ports: Mapping[str, int]
    secrets: Secrets
    with_nginx: bool
    viewer: Viewer | None

    @property
    def public(self) -> str:
        return f"http://127.0.0.1:{self.ports['public']}/"

    @property
    def suite(self) -> str:
        return f"http://127.0.0.1:{self.ports['suite']}/"

    @property
    def addresses(self) -> Addresses:
        shares = f"http://127.0.0.1:{self.ports['shares']}/"
        orthanc = f"{self.public}shares/" if self.with_nginx else shares
        ohif = f"{self.public if self.with_nginx else shares}ohif/"
        return Addresses(
            landing=self.public + LANDING_PATH[1:],
            orthanc=orthanc,
            ohif=ohif if self.viewer else None,
            anonymizer=self.public + ANONYMIZER_PATH[1:],
            orthanc_behind=self.behind.url,
        )

    def authorization(self, **options: Any) -> dict[str, Any]:
        user, password = self.secrets.login("orthanc")
        return {
            "WebServiceUsername": user,
            "WebServicePassword": password,
            "WebServiceIdentifier": IDENTIFIER,
            **options,
        }

    @property
    def admin(self) -> OrthancSetup:
        """The staff's Orthanc: makes tokens, filters nothing, asks for a password."""
        section = self.authorization(
            WebServiceTokenCreationBaseUrl=f"{self.suite}tokens/"
        )
        return OrthancSetup(
            "orthanc-for-admin",
            self.state / "orthanc-for-admin",
            self.ports["admin"],
            section,
            users={STAFF: self.secrets.users[STAFF]},
        )

    @property
    def shares(self) -> OrthancSetup:
        """The Orthanc that links lead to: every request is checked."""
        section = self.authorization(
            WebServiceRootUrl=self.suite,
            StandardConfigurations=["osimis-web-viewer", "stone-webviewer", "ohif"],
            CheckedLevel="studies",
        )
        return OrthancSetup(
            "orthanc-for-shares",
            self.state / "orthanc-for-shares",
            self.ports["shares"],
            section,
            viewer=self.viewer,
        )

    @property
    def behind(self) -> OrthancSetup:
        """The Orthanc behind the anonymizer: a password instead of the plugin."""
        return OrthancSetup(
            "orthanc-for-anon-shares",
            self.state / "orthanc-for-anon-shares",
            self.ports["anon"],
            users={ANONYMIZER: self.secrets.orthanc_password},
        )

    def proxy(self) -> nginx.Proxy:
        suite = f"127.0.0.1:{self.ports['suite']}"
        shares = f"127.0.0.1:{self.ports['shares']}"
        folder = self.state / "nginx"
        return nginx.Proxy(
            public_host=f"127.0.0.1:{self.ports['public']}",
            http_port=self.ports["public"],
            orthanc_for_admin=f"127.0.0.1:{self.ports['admin']}",
            orthanc_for_shares=shares,
            landing=suite,
            landing_path=LANDING_PATH,
            anonymizer=suite,
            anonymizer_path=ANONYMIZER_PATH,
            token_service=suite,
            ohif=shares,
            ohif_config=str(self.viewer.configuration if self.viewer else ""),
            access_log=str(folder / "access.log"),
            temporary_folder=str(folder),
        )


@contextmanager
def running(choices: Choices, say: Callable[[str], None]) -> Iterator[Running]:
    """Run the demo; `say` is told what takes long.

    Raises:
        StartError: Something is missing or does not start.
    """
    ensure(missing(tuple(choices.without)), say)
    plan = _plan(choices, say)
    say("preparing the sample studies")
    samples = orthanc_server.seed(plan.state / "samples")
    with ExitStack() as stack:
        enter = stack.enter_context
        say("starting")
        log = plan.state / "orthanc-share.log"
        processes = [
            enter(
                suite_server.start(
                    plan.ports["suite"], plan.secrets, plan.addresses, log
                )
            ),
            enter(orthanc_server.running(plan.admin, samples)),
            enter(orthanc_server.running(plan.shares, samples)),
            enter(orthanc_server.running(plan.behind, samples)),
        ]
        if plan.with_nginx:
            folder = plan.state / "nginx"
            folder.mkdir(exist_ok=True)
            processes.append(enter(nginx.start(plan.proxy(), folder)))
        service = Service(plan.suite, plan.secrets.login(STAFF))
        links = make_links(service, plan.addresses, with_nginx=plan.with_nginx)
        yield Running(
            service,
            plan.addresses,
            links,
            plan.admin,
            plan.behind,
            tuple(processes),
        )


def _plan(choices: Choices, say: Callable[[str], None]) -> _Plan:
    choices.state.mkdir(parents=True, exist_ok=True)
    with_nginx = "nginx" not in choices.without and find_program("nginx") is not None
    wanted = {**PORTS, "public": choices.port}
    if not with_nginx:  # the suite itself is what the public sees
        del wanted["suite"]
    ports: dict[str, int] = {}
    for name, preferred in wanted.items():
        ports[name] = _free(preferred, set(ports.values()))
    ports.setdefault("suite", ports["public"])
    return _Plan(
        choices.state.resolve(),
        ports,
        suite_server.make_secrets(choices.state / "secrets"),
        with_nginx,
        _viewer(choices, viewer.DICOMWEB if with_nginx else "/dicom-web", say),
    )


def _free(preferred: int, taken: set[int]) -> int:
    port = free_port(preferred)
    while port in taken:
        port = free_port()
    return port


def _viewer(
    choices: Choices, dicomweb: str, say: Callable[[str], None]
) -> Viewer | None:
    if "ohif" in choices.without:
        return None
    try:
        files = viewer.prepare(choices.viewers or choices.state / "viewer", say)
    except viewer.ViewerUnavailableError as error:
        say(f"without OHIF: {error}")
        return None
    configuration = choices.state / "app-config.js"
    configuration.write_text(viewer.configuration(dicomweb), "utf-8")
    return Viewer(files.resolve(), configuration.resolve())
