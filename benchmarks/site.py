"""A real Orthanc with studies, and what stands before it: nginx, or the anonymizer."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, WrongAnswerError
from benchmarks.download import Want, fetch
from benchmarks.machine import require, upstream_core
from benchmarks.samples import Sample
from benchmarks.servers import Server, known_port, running, service
from benchmarks.tokens import DEIDENTIFICATION_KEY
from demo.calls import call
from demo.orthanc_server import OrthancSetup, missing_parts
from demo.processes import find_program, free_port

SERVICE = "anonymizer"
"""What is measured."""

_DICOM_JSON = "application/dicom+json"

_NGINX = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ }}
http {{
    access_log off;
    proxy_temp_path {folder}/proxy;
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    sendfile on;
    tcp_nopush on;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_max_temp_file_size 0;
            proxy_read_timeout 120s;
            proxy_pass http://127.0.0.1:{upstream};
        }}
    }}
}}
"""
"""As the deployment proxies Orthanc (demo/nginx/templates), in one process."""


@contextmanager
def orthanc(bench: Bench, *samples: Sample) -> Iterator[Server]:
    """Run Debian's Orthanc with DICOMweb, and let it have these studies.

    Raises:
        SystemExit: It is not installed.
    """
    require("Orthanc")
    if "orthanc-dicomweb" in missing_parts():
        raise SystemExit("DICOMweb is not installed: apt-get install orthanc-dicomweb")
    setup = OrthancSetup("benchmarks", bench.folder / "orthanc", free_port())
    setup.storage.mkdir(parents=True, exist_ok=True)
    file = setup.folder / "orthanc.json"
    file.write_text(json.dumps(setup.configuration()), "utf-8")
    ready = known_port(setup.port, f"{setup.url}system")
    command = [str(find_program("Orthanc")), str(file)]
    with running(command, upstream_core(), ready) as server:
        for sample in samples:
            _upload(server, sample, setup.folder / sample.name)
        yield server


def _upload(server: Server, sample: Sample, done: Path) -> None:
    if done.exists():
        return
    for content in sample.files():
        reply = call("POST", f"{server.url}instances", content)
        if reply.status != HTTPStatus.OK:
            raise WrongAnswerError(f"Orthanc does not take a sample ({reply.status}).")
    done.touch()


@contextmanager
def nginx(bench: Bench, upstream: Server) -> Iterator[Server]:
    """Run nginx in front of Orthanc.

    Raises:
        SystemExit: It is not installed.
    """
    require("nginx")
    folder, port = bench.folder / "nginx", free_port()
    folder.mkdir(exist_ok=True)
    text = _NGINX.format(folder=folder, port=port, upstream=upstream.port)
    file = folder / "nginx.conf"
    file.write_text(text, "utf-8")
    command = [str(find_program("nginx")), "-p", str(folder), "-c", str(file)]
    ready = known_port(port, f"http://127.0.0.1:{port}/system")
    with running(command, bench.server_core, ready) as server:
        yield server


@contextmanager
def anonymizer(bench: Bench, upstream: Server) -> Iterator[Server]:
    """Run the anonymizer in front of Orthanc, with the command that its users type."""
    more = settings(upstream)
    with service(SERVICE, bench.server_core, more=more) as server:
        yield server


def settings(upstream: Server) -> Mapping[str, str]:
    """Return the settings of an anonymizer in front of Orthanc."""
    return {
        "SERVER_IDENTIFIER": "shares",
        "ANONYMIZED_SERVER_IDENTIFIER": "anonymized-shares",
        "PUBLIC_ANONYMIZED_ORTHANC_ROOT": "https://share.example.org/anon-shares/",
        "DEIDENTIFICATION_KEY": DEIDENTIFICATION_KEY,
        "ORTHANC_ROOT": upstream.url,
    }


def in_orthanc(sample: Sample) -> str:
    """Return the path of a sample's series in DICOMweb, by its real UIDs."""
    return f"/dicom-web/studies/{sample.study_uid}/series/{sample.series_uid}"


def in_share(server: Server, token: str) -> str:
    """Return the path of a share's first series, as viewers find it: by asking.

    Args:
        server: The anonymizer.
        token: Of the share.
    """
    path = "/dicom-web/studies"
    path += f"/{_found(server, path, token)[0]['0020000D']['Value'][0]}/series"
    return f"{path}/{_found(server, path, token)[0]['0020000E']['Value'][0]}"


def instance_in(server: Server, series: str, token: str = "") -> str:
    """Return the path of the first instance of a series."""
    path = f"{series}/instances"
    found = _found(server, path, token)
    return f"{path}/{found[0]['00080018']['Value'][0]}"


def _found(server: Server, path: str, token: str) -> list[dict[str, Any]]:
    answer = fetch(server, Want(path, token, _DICOM_JSON))
    if answer.status != HTTPStatus.OK:
        raise WrongAnswerError(f"A search was refused ({answer.status}).")
    found: list[dict[str, Any]] = json.loads(answer.body)
    return found
