"""nginx's configuration, and how to run it without a container.

In a container nginx's own entry point fills the same templates from the environment
(`docker-compose.yml`); here a `Proxy` does. Both know the placeholders as
`PROXY_` and the name of a field in upper case.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from demo.processes import Process, StartError, answers, find_program

TEMPLATES = Path(__file__).parent / "templates"
"""The templates; `nginx.conf.template` includes the others."""

MAIN = "nginx.conf"
"""Name of the file that nginx is started with."""

NOWHERE = "127.0.0.1:9"
"""Upstream that does not exist: the discard port, on which nothing listens."""

_PLACEHOLDER = re.compile(r"\$\{(PROXY_[A-Z_]+)\}")
_SUFFIX = ".template"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """What the templates need to know.

    Args:
        public_host: Host, with `:port` if it is not the usual one, as browsers see it.
        public_proto: Scheme that browsers see.
        mode: `tls` listens on both ports and redirects the first to the second;
            `plain` is http only, also behind something that ends TLS.
        address: Local address to listen on.
        http_port: Port for http.
        https_port: Port for https, in mode `tls`.
        orthanc_for_admin: `host:port` of the staff's Orthanc.
        orthanc_for_shares: `host:port` of the Orthanc that shares are read from.
        landing: `host:port` of landing.
        landing_path: Path of landing's root there; `/welcome/` in the suite.
        anonymizer: `host:port` of the anonymizer.
        anonymizer_path: Path of its root there; `/anon-shares/` in the suite.
        token_service: `host:port` of token-service.
        token_service_path: Path of its root there.
        ohif: `host:port` of what serves OHIF, below `/ohif/`.
        ohif_config: Path of OHIF's `app-config.js`, which nginx serves itself.
        meddream: `host:port` of the MedDream viewer.
        expose_token_service: `on` shows a part of token-service to the outside.
        expose_meddream: `on` shows MedDream.
        expose_manage: `on` shows the page for people, `/manage/`.
        admin_allow: Network (CIDR) that may reach `/orthanc-admin/` and `/manage/`, or
            `all`.
        resolver: Name server for upstreams that are given by name.
        tls_certificate: Path of the certificate chain (PEM), in mode `tls`.
        tls_key: Path of its private key (PEM), in mode `tls`.
        access_log: Path of the access log.
        error_log: Path of nginx's own log, or `stderr`.
        temporary_folder: Folder that nginx may write to.
    """

    public_host: str = "localhost"
    public_proto: Literal["http", "https"] = "http"
    mode: Literal["plain", "tls"] = "plain"
    address: str = "127.0.0.1"
    http_port: int = 8080
    https_port: int = 8443
    orthanc_for_admin: str = NOWHERE
    orthanc_for_shares: str = NOWHERE
    landing: str = NOWHERE
    landing_path: str = "/"
    anonymizer: str = NOWHERE
    anonymizer_path: str = "/"
    token_service: str = NOWHERE
    token_service_path: str = "/"  # noqa: S105 - a path
    ohif: str = NOWHERE
    ohif_config: str = ""
    meddream: str = NOWHERE
    expose_token_service: Literal["on", "off"] = "off"  # noqa: S105 - a switch
    expose_meddream: Literal["on", "off"] = "off"
    expose_manage: Literal["on", "off"] = "off"
    admin_allow: str = "all"
    resolver: str = "127.0.0.1"
    tls_certificate: str = ""
    tls_key: str = ""
    access_log: str = "/dev/stdout"
    error_log: str = "stderr"
    temporary_folder: str = "/tmp"  # noqa: S108 - only a container keeps this default

    def placeholders(self) -> dict[str, str]:
        """Return the names in the templates with their values."""
        return {
            f"PROXY_{field.name.upper()}": str(getattr(self, field.name))
            for field in fields(self)
        }


def render(values: Proxy | Mapping[str, str], folder: Path) -> Path:
    """Write the configuration into `folder` and return the file to start nginx with.

    Args:
        values: The settings, or placeholders (`PROXY_…`) with their values.
        folder: An existing folder.

    Raises:
        KeyError: A placeholder has no value; its argument is the name.
    """
    known = values.placeholders() if isinstance(values, Proxy) else values
    for template in sorted(TEMPLATES.glob(f"*{_SUFFIX}")):
        text = _PLACEHOLDER.sub(lambda found: known[found[1]], template.read_text())
        (folder / template.name.removesuffix(_SUFFIX)).write_text(text)
    return folder / MAIN


def placeholders() -> set[str]:
    """Return the names of all placeholders in the templates."""
    return {
        name
        for template in TEMPLATES.glob(f"*{_SUFFIX}")
        for name in _PLACEHOLDER.findall(template.read_text())
    }


def command(nginx: str, configuration: Path) -> list[str]:
    """Return the command that runs the program `nginx` in the foreground."""
    directives = "daemon off;"
    if os.geteuid() == 0:
        # Else the workers become nobody, who cannot read a private folder.
        directives += " user root;"
    return [nginx, "-e", "stderr", "-c", str(configuration), "-g", directives]


def start(proxy: Proxy, folder: Path) -> Process:
    """Start nginx with its files in `folder`; use the result in a `with` statement.

    Raises:
        StartError: nginx is not installed.
    """
    nginx = find_program("nginx")
    if nginx is None:
        raise StartError("nginx is not installed: apt-get install nginx-light")
    return Process(
        "nginx",
        command(nginx, render(proxy, folder)),
        log=folder / "nginx.log",
        ready=lambda: answers(f"http://{proxy.address}:{proxy.http_port}/health"),
    )
