"""A real nginx with the deployment's configuration, on free ports of loopback.

    with running_nginx(folder, landing="127.0.0.1:8001", …) as nginx:
        httpx.get(f"{nginx.url}welcome/?token=…")

Every field of `demo.nginx.Proxy` may be given, first of all the upstreams
(`orthanc_for_shares`, `landing`, `anonymizer`, `ohif`, …, each `host:port`); those that
are not given answer 503.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.nginx import Proxy, start
from demo.processes import free_port
from tests.support.real import require

OHIF_CONFIG = Path(__file__).parents[2] / "demo" / "ohif" / "app-config.js"
"""OHIF's configuration of the deployment."""


@dataclass(frozen=True)
class Nginx:
    """A running nginx.

    Args:
        proxy: The settings it was started with.
        folder: Its configuration, logs and temporary files.
    """

    proxy: Proxy
    folder: Path

    @property
    def url(self) -> str:
        """Its http address as browsers see it, with the final slash."""
        return f"http://127.0.0.1:{self.proxy.http_port}/"

    @property
    def access_log(self) -> str:
        """The access log so far."""
        return Path(self.proxy.access_log).read_text("utf-8")

    @property
    def everything_written(self) -> str:
        """Every file below its folder, and so every log."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return "\n".join(path.read_bytes().decode("latin-1") for path in files)


@contextmanager
def running_nginx(folder: Path, **settings: Any) -> Iterator[Nginx]:
    """Run nginx with its files in a new folder `nginx` below `folder`.

    Args:
        folder: An existing folder.
        settings: Fields of `Proxy`. `public_host` is this nginx unless given, and
            `ohif_config` the deployment's.
    """
    require("nginx")
    own = folder / "nginx"
    own.mkdir()
    http, https = free_port(), free_port()
    port = https if settings.get("mode") == "tls" else http
    defaults = Proxy(
        public_host=f"127.0.0.1:{port}",
        http_port=http,
        https_port=https,
        ohif_config=str(OHIF_CONFIG),
        access_log=str(own / "access.log"),
        temporary_folder=str(own),
    )
    proxy = dataclasses.replace(defaults, **settings)
    with start(proxy, own):
        yield Nginx(proxy, own)
