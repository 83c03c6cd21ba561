"""The application: wiring only.

No route shows anything of Orthanc yet: what is not known to be de-identified does not
exist here, so that everything but the service's health is 404.
"""

from fastapi import FastAPI

from anonymizer.settings import AnonymizerSettings
from orthanc_share.web.metrics import Metrics
from orthanc_share.web.middleware import install_middleware
from orthanc_share.web.operation import add_operation
from orthanc_share.web.problems import install_problems
from orthanc_share.web.startup import start


def create_app(settings: AnonymizerSettings | None = None) -> FastAPI:
    """Return the application.

    Args:
        settings: None: those of the process.

    Raises:
        ConfigurationError: Something in the settings is wrong.
    """
    settings = start(AnonymizerSettings) if settings is None else settings
    metrics = Metrics()
    app = FastAPI(
        title="orthanc-share anonymizer",
        docs_url=None,
        redoc_url=None,
        # The redirect would name whatever host the caller sent.
        redirect_slashes=False,
        openapi_url=None,
    )
    install_problems(app)
    add_operation(app, {}, metrics if settings.metrics else None)
    install_middleware(app, metrics)
    return app
