"""Every route there is; the leak test goes through this table."""

from anonymizer.route import RouteSpec
from anonymizer.routes import (
    archive,
    bulkdata,
    frames,
    metadata,
    ohif_json,
    orthanc_rest,
    osimis,
    qido,
    rendering,
    retrieving,
    wado_uri,
)

ROUTES: tuple[RouteSpec, ...] = (
    *qido.ROUTES,
    *metadata.ROUTES,
    *retrieving.ROUTES,
    *frames.ROUTES,
    *rendering.ROUTES,
    *bulkdata.ROUTES,
    *wado_uri.ROUTES,
    *orthanc_rest.ROUTES,
    *archive.ROUTES,
    *ohif_json.ROUTES,
    *osimis.ROUTES,
)
"""All routes. What is not here is answered with 404."""
