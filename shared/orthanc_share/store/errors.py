"""What can go wrong in the store, without a word about HTTP or SQL.

```
OrthancShareError
├── StoreUnavailableError     the database is not reachable, full or overloaded
├── ShareNotFoundError        no share has that id
├── ShareRevokedError         a share that was taken back cannot be changed
└── ShareError
    ├── DuplicateShareError   the id is taken
    ├── InvalidCursorError    a page's cursor is not one that we gave
    └── InvalidSelectionError nothing says which shares are meant
```
"""

from orthanc_share.domain.errors import OrthancShareError, ShareError


class StoreUnavailableError(OrthancShareError):
    """The database could not be reached, or could not do now what was asked.

    Whether a write that failed so was done is unknown, as ever when a connection is
    lost during a commit; every write of the store can be repeated safely or checked.
    """

    code = "store_unavailable"

    def __init__(self) -> None:
        super().__init__("The database cannot be reached at the moment.")


class ShareNotFoundError(OrthancShareError):
    """No share has the id, or it was swept."""

    code = "share_not_found"

    def __init__(self) -> None:
        super().__init__("There is no share with this id.")


class ShareRevokedError(OrthancShareError):
    """The share was taken back; it stays so, and is not changed any more."""

    code = "share_revoked"

    def __init__(self) -> None:
        super().__init__("The share was revoked; it cannot be changed.")


class DuplicateShareError(ShareError):
    """A share with this id, or this short code, is there already."""

    code = "duplicate_share"

    def __init__(self) -> None:
        super().__init__("A share with this id exists.")


class InvalidCursorError(ShareError):
    """The cursor was not made by this list, or for another order."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("The cursor does not belong to this list.")


class InvalidSelectionError(ShareError):
    """A selection of shares without any criterion would mean all of them."""

    code = "invalid_selection"

    def __init__(self) -> None:
        super().__init__("Name a study, a creator or an instant.")
