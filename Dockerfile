# One image for token-service, landing and anonymizer, or all of them in one process.
#
#   docker build -t orthanc-share .
#   docker run --read-only --tmpfs /tmp orthanc-share check-config
#
# The root file system may be read-only. A file that a service changes (the roles file)
# belongs into /data, on a volume.

ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS builder

RUN pip install --no-cache-dir --root-user-action=ignore uv==0.13.9

ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/orthanc-share \
    UV_PYTHON_DOWNLOADS=never

WORKDIR /build

# The dependencies change less often than the sources.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-editable --no-install-project

COPY shared shared
COPY services services
RUN uv sync --frozen --no-dev --no-editable


FROM python:${PYTHON}

LABEL org.opencontainers.image.title="orthanc-share" \
      org.opencontainers.image.description="Sharing links, landing page and de-identifying proxy for Orthanc" \
      org.opencontainers.image.licenses="Apache-2.0"

RUN groupadd --gid 10001 orthanc-share \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin orthanc-share \
    && install --directory --owner=10001 --group=10001 --mode=0750 /data

COPY --from=builder /opt/orthanc-share /opt/orthanc-share

# Where `serve` listens, whichever service it is, and where HEALTHCHECK asks.
ENV ORTHANC_SHARE_HOST=0.0.0.0 \
    ORTHANC_SHARE_PORT=8000 \
    PATH=/opt/orthanc-share/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

USER 10001:10001
WORKDIR /data
EXPOSE 8000
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f'http://127.0.0.1:{os.environ[\"ORTHANC_SHARE_PORT\"]}/health', timeout=4).close()"]

ENTRYPOINT ["orthanc-share"]
CMD ["serve"]
