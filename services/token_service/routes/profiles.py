"""`POST /user/get-profile`: who is this?

Without accounts nobody is known: every token, a share's too, has the anonymous
profile (protocol B.4). The answer is always 200, for an error would be asked again up
to six times for one request.
"""

import msgspec
from starlette.types import Scope

from orthanc_share.domain.roles import NAME_MAX_CHARS, Profile
from token_service.questions import UnreadableQuestionError, member, read_object


class Profiles:
    """Tells profiles.

    Args:
        anonymous: Profile of everybody whom we do not know.
    """

    def __init__(self, anonymous: Profile) -> None:
        self._anonymous = msgspec.json.encode(anonymous.to_json())

    async def __call__(self, _scope: Scope, body: bytes) -> bytes:
        """Return the JSON answer to the question in `body`."""
        try:
            user_id = member(read_object(body), "user-id")
        except UnreadableQuestionError:
            return self._anonymous
        if not user_id or len(user_id) > NAME_MAX_CHARS or not user_id.isprintable():
            return self._anonymous
        # Asked for audit logs only: an unknown user's name is the id, without rights.
        profile = Profile(name=user_id, user_id=user_id)
        return msgspec.json.encode(profile.to_json())
