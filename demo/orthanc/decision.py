"""The decision about one incoming request, step by step as in the C++ plugin 0.11.4."""

from demo.orthanc.levels import DICOMWEB, queried_ids, touched
from demo.orthanc.options import Options
from demo.orthanc.permissions import required
from demo.orthanc.request import Request, Token
from demo.orthanc.resources import Resources
from demo.orthanc.service import Checked, Profile, ServiceError, TokenService

STUDY_LIST = f"{DICOMWEB}/studies"
"""QIDO-RS search for studies, answered by `demo.orthanc.studylist`."""

_LISTS = frozenset(
    {"/patients", "/studies", "/series", "/instances", "/tools/find"}
    | {f"{DICOMWEB}/{kind}" for kind in ("studies", "series", "instances")}
)
"""Routes whose answer would have to be filtered by label."""

ALL_LABELS = "*"
"""Label of a profile that may see everything; Orthanc 1.10 has no other labels."""


def is_open_study_list(request: Request) -> bool:
    """Tell whether this is a search for studies that names none.

    OHIF asks so for prior studies. The filter lets it through, and the answer is
    limited to the studies that the token names.

    Raises:
        UnknownResourceError: The arguments contradict each other.
    """
    if request.method != "get" or request.path != STUDY_LIST:
        return False
    return "study" not in queried_ids(request)


class Gate:
    """Decides which requests Orthanc may serve.

    A token is looked at twice: as a user's, whose permissions may be enough, and as a
    share's, which the service grants or refuses for each resource.
    """

    def __init__(
        self, options: Options, service: TokenService, resources: Resources
    ) -> None:
        self._options = options
        self._service = service
        self._resources = resources

    def allows(self, request: Request) -> bool:
        """Tell whether Orthanc may serve `request`.

        Raises:
            ServiceError: The service failed; the request must be refused.
            UnknownResourceError: No such resource; the request must be refused.
        """
        if self._unchecked(request):
            return True
        tokens = request.tokens(self._options)
        by_user = self._allowed_to_user(request, tokens)
        if by_user is not None:
            return by_user
        if is_open_study_list(request):
            return True
        return self._granted(request, tokens)

    def may_see_all(self, request: Request) -> bool:
        """Tell whether the study list need not be filtered for this request."""
        if not self._service.offers("profile"):
            return False
        return bool(self._allowed_to_user(request, request.tokens(self._options)))

    def _unchecked(self, request: Request) -> bool:
        """Tell whether this is static content, open to everybody."""
        if request.method != "get":
            return False
        inside = request.path.startswith(self._options.folders)
        return request.path in self._options.resources or inside

    def _allowed_to_user(self, request: Request, tokens: list[Token]) -> bool | None:
        """Decide by permissions; None when they do not decide, the token's rights do.

        As in the C++ plugin, the last token wins, unless labels refused before.
        """
        needed = required(request.method, request.path)
        if needed is None or not self._service.offers("profile"):
            return None
        decision: bool | None = None
        for token in tokens or (None,):
            profile = self._profile(token)
            decision = None
            if profile is not None and (not needed or needed & profile.permissions):
                if not self._label_fits(request, profile):
                    return False
                decision = True
        return decision

    def _profile(self, token: Token | None) -> Profile | None:
        try:
            return self._service.profile(token)
        except ServiceError:
            return None  # as a user this token counts for nothing

    def _label_fits(self, request: Request, profile: Profile) -> bool:
        """Tell whether the user's labels cover the request."""
        if ALL_LABELS in profile.labels:
            return True
        found = touched(request, self._resources)
        checked = self._options.checked_levels
        levels = {item.level for chain in found.chains for item in chain}
        if found.chains:
            return not levels & checked
        return request.path not in _LISTS and "system" not in checked

    def _granted(self, request: Request, tokens: list[Token]) -> bool:
        """Ask the service about each level that is checked; all must be granted."""
        if not self._service.offers("validate"):
            return False
        asked = self._questions(request)
        answers = [self._any_granted(checked, tokens) for checked in asked]
        if not answers or not all(answers):
            return False
        return self._hidden_post_granted(request, asked, tokens)

    def _questions(self, request: Request) -> list[Checked]:
        chains = touched(request, self._resources).chains
        levels = self._options.checked_levels
        if not chains and "system" in levels:
            return [Checked(request.method, "system", uri=request.path)]
        found = dict.fromkeys(item for chain in chains for item in chain)
        return [Checked(request.method, *item) for item in found if item[0] in levels]

    def _any_granted(self, checked: Checked, tokens: list[Token]) -> bool:
        return any(self._service.granted(checked, token) for token in tokens or (None,))

    def _hidden_post_granted(
        self, request: Request, asked: list[Checked], tokens: list[Token]
    ) -> bool:
        """Ask again with method `post`, as the C++ plugin does behind DICOMweb reads.

        There the DICOMweb plugin searches with an internal `POST /tools/find`, which
        carries the headers of the request but not its GET arguments.
        """
        hidden = request.method == "get" and request.path.startswith(f"{DICOMWEB}/")
        if not hidden or not self._service.offers("profile"):
            return True
        carried = [token for token in tokens if token.in_header]
        posts = [
            Checked("post", item.level, item.orthanc_id, item.dicom_id)
            for item in asked
            if item.level == "study"
        ]
        return all(self._any_granted(post, carried) for post in posts)
