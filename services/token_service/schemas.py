"""The wire format: kebab-case JSON, as the plugin, OE2 and scripts speak it."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    RootModel,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from orthanc_share.domain.errors import InvalidResourceError
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import RESOURCES_MAX, Flavour, Share, ShareType
from orthanc_share.upstream.notice_addresses import ADDRESS_MAX_CHARS
from token_service.spelling import clearly_spelt
from token_service.wire import Expiry, Instant, MaxOpenings, Password, Title, Wire

ID_LENGTH_MAX = 256
"""Longest `id` of a caller, in characters."""

_UID_SAMPLE = "1.2.276.0.99.1"
_ORTHANC_SAMPLE = "11111111-22222222-33333333-44444444-55555555"


def _level(value: Any) -> Any:
    # The plugin hands on what the client wrote, e.g. "Study" (protocol B.1.1).
    if value is None:
        return Level.STUDY
    return value.lower() if isinstance(value, str) else value


def _absent(value: Any) -> Any:
    return None if value == "" else value


# The length stands inside: pydantic would measure the null as well.
DicomUid = Annotated[
    Annotated[StrictStr, Field(max_length=64)] | None,
    BeforeValidator(_absent),
    Field(description="StudyInstanceUID", examples=[_UID_SAMPLE]),
]
OrthancId = Annotated[
    Annotated[StrictStr, Field(max_length=44)] | None,
    BeforeValidator(_absent),
    Field(description="Orthanc id", examples=[_ORTHANC_SAMPLE]),
]


class StudyIn(Wire):
    """A study to share, by one id or both."""

    dicom_uid: DicomUid = None
    orthanc_id: OrthancId = None


class ResourceIn(StudyIn):
    """A resource to share; `url` is accepted and ignored."""

    level: Annotated[
        Level, BeforeValidator(_level), Field(description="In any case of letters")
    ] = Level.STUDY

    def to_resource(self) -> Resource:
        """Return the resource.

        Raises:
            InvalidResourceError: An id is malformed or there is none.
        """
        return Resource(self.level, self.dicom_uid, self.orthanc_id)


class ShareRequest(Wire):
    """What to share, in any of the three forms that callers use.

    `resources` (plugin), `studies` (orthanc-share) or `dicom-uid` and `orthanc-id` at
    the top (orthanc-share up to 22.10.5).
    """

    id: Annotated[
        StrictStr | None,
        Field(max_length=ID_LENGTH_MAX, description="The caller's own reference"),
    ] = None
    resources: Annotated[list[ResourceIn] | None, Field(max_length=RESOURCES_MAX)] = (
        None
    )
    studies: Annotated[list[StudyIn] | None, Field(max_length=RESOURCES_MAX)] = None
    dicom_uid: DicomUid = None
    orthanc_id: OrthancId = None
    anonymized: Annotated[
        StrictBool, Field(description="Show the images de-identified")
    ] = False
    type: ShareType | None = None
    expiration_date: Expiry = None
    validity_duration: Annotated[
        StrictInt | None, Field(description="Seconds; 0: never; absurd ones: absent")
    ] = None
    not_before: Annotated[
        Instant, Field(description="From when the link works, ISO 8601; null: at once")
    ] = None
    title: Title = None
    max_openings: MaxOpenings = None
    password: Password = None
    notify: Annotated[
        Annotated[StrictStr, Field(max_length=ADDRESS_MAX_CHARS)] | None,
        Field(description="Address that is told when the link is opened (webhook)"),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _is_clear(cls, content: Any) -> Any:
        return clearly_spelt(content, cls.model_fields)

    @property
    def is_limited(self) -> bool:
        """Whether the link has a limit or a second factor."""
        return self.max_openings is not None or self.password is not None

    @property
    def flavour(self) -> Flavour:
        """Whether the images are shown as they are."""
        return Flavour.ANONYMIZED if self.anonymized else Flavour.STANDARD

    def to_resources(self) -> tuple[Resource, ...]:
        """Return what to share.

        Raises:
            InvalidResourceError: No form, or more than one, or an id is wrong.
        """
        flat = self.dicom_uid is not None or self.orthanc_id is not None
        forms = (self.resources is not None, self.studies is not None, flat)
        if sum(forms) > 1:
            raise InvalidResourceError("Give resources, studies or one study, not two.")
        listed = self.resources if self.resources is not None else self.studies
        if flat:
            return (Resource(Level.STUDY, self.dicom_uid, self.orthanc_id),)
        return tuple(_to_resource(one) for one in listed or ())


def _to_resource(one: StudyIn) -> Resource:
    if isinstance(one, ResourceIn):
        return one.to_resource()
    return Resource(Level.STUDY, one.dicom_uid, one.orthanc_id)


class ShareAnswer(Wire):
    """A share that was made."""

    request: Annotated[dict[str, Any], Field(description="The request as understood")]
    token: Annotated[str, Field(description="The signed token")]
    url: Annotated[
        str | None,
        Field(description="The link; null for links that the caller builds"),
    ]
    share_id: Annotated[str, Field(description="By which the share is managed")]


class AccessQuestion(Wire):
    """A question of the authorization plugin (protocol B.2)."""

    method: Annotated[str, Field(examples=["get"])]
    level: Annotated[str, Field(examples=["study"])]
    dicom_uid: Annotated[str | None, Field(examples=[_UID_SAMPLE])] = None
    orthanc_id: Annotated[str | None, Field(examples=[_ORTHANC_SAMPLE])] = None
    token_key: Annotated[str | None, Field(examples=["token"])] = None
    token_value: Annotated[str | None, Field(description="`Bearer ` is removed")] = None
    server_id: Annotated[str | None, Field(examples=["site-a"])] = None
    identifier: Annotated[str | None, Field(description="Older `server-id`")] = None


class AccessAnswer(Wire):
    """The decision; denials look alike, whatever their reason."""

    granted: bool
    validity: Annotated[int, Field(ge=1, description="Seconds; may be kept so long")]


class TokenQuestion(Wire):
    """A token to look into, or whose owner to tell."""

    token_key: Annotated[str | None, Field(examples=["token"])] = None
    token_value: str | None = None


class ResourceOut(Wire):
    """A resource as the plugin takes it."""

    dicom_uid: str | None = None
    orthanc_id: str | None = None
    url: str | None = None
    level: Level = Level.STUDY


class TokenAnswer(Wire):
    """What a token holds; `resources` only if it is valid now."""

    token_type: str | None
    error_code: Annotated[
        str | None, Field(description="expired, invalid, unknown or null")
    ]
    redirect_url: str | None
    resources: list[ResourceOut]


class ProfileQuestion(TokenQuestion):
    """A token whose owner to tell, or a user's id."""

    user_id: str | None = None


class ProfileAnswer(Wire):
    """A profile of the plugin (protocol B.4)."""

    name: str
    permissions: list[str]
    authorized_labels: list[str]
    validity: Annotated[int, Field(ge=1, le=4_294_967_295)]
    groups: list[str]
    user_id: str | None


class LetterRequest(Wire):
    """A letter with a link (protocol B.7)."""

    destination_email: Annotated[
        StrictStr, Field(max_length=4096, description="Addresses, by `;`, `,` or blank")
    ]
    email_title: Annotated[StrictStr, Field(max_length=1024)]
    email_content: Annotated[StrictStr, Field(description="HTML; cleaned")]
    layout_template: StrictStr | None = None


class LetterAnswer(Wire):
    """Whether the letter was sent."""

    success: bool
    details: str | None


class NamesBody(RootModel[list[str]]):
    """Names of e-mail templates."""


class RoleBody(Wire):
    """What the members of a role may do."""

    permissions: list[str] = Field(default_factory=list)
    authorized_labels: list[str] = Field(default_factory=list)


class RolesBody(Wire):
    """All roles of the site; a PUT replaces them (protocol B.5, B.6)."""

    roles: dict[str, RoleBody]
    available_labels: list[str] = Field(default_factory=list)


class MemberProblem(BaseModel):
    """What is wrong with one member of a body."""

    location: Annotated[str, Field(examples=["resources.0.dicom-uid"])]
    message: str


class ProblemBody(BaseModel):
    """A problem (RFC 9457); `errors` names each wrong member."""

    type: str
    title: str
    status: int
    detail: str
    code: str | None = None
    errors: list[MemberProblem] = []


def echo(request: ShareRequest, share: Share) -> dict[str, Any]:
    """Return the request as understood, in the form in which it came."""
    common = {
        "id": request.id,
        "type": share.type,
        "expiration-date": share.expires_at and share.expires_at.isoformat(),
    }
    ids: list[dict[str, Any]] = [
        {"dicom-uid": r.dicom_uid, "orthanc-id": r.orthanc_id} for r in share.resources
    ]
    if request.resources is None:
        return common | {"studies": ids, "anonymized": request.anonymized}
    levels = [{"url": None, "level": resource.level} for resource in share.resources]
    listed = [known | level for known, level in zip(ids, levels, strict=True)]
    anonymized = {"anonymized": True} if request.anonymized else {}
    duration = {"validity-duration": request.validity_duration}
    return common | {"resources": listed} | duration | anonymized
