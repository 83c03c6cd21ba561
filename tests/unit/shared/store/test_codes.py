"""Short links: a code is known to who has it, and to nobody here."""

import hashlib
from base64 import urlsafe_b64decode

import pytest
from sqlalchemy import select

from orthanc_share.store.errors import ShareNotFoundError
from orthanc_share.store.store import Store
from orthanc_share.store.tables import share_code
from tests.unit.shared.store.samples import DOCTOR, NOW, create, new_share

pytestmark = pytest.mark.anyio


async def test_a_code_leads_to_its_share_and_only_its_hash_is_kept(
    store: Store,
) -> None:
    new = new_share()
    code = await store.shares.create(new, now=NOW, origin=DOCTOR, with_code=True)
    assert code is not None
    assert len(urlsafe_b64decode(code + "==")) * 8 >= 128
    assert (await store.codes.resolve(code)).share.id == new.share.id
    async with store.database.read() as connection:
        kept = (await connection.execute(select(share_code))).one()
    assert bytes(kept.code_sha256) == hashlib.sha256(code.encode()).digest()


async def test_a_share_can_have_several_codes(store: Store) -> None:
    share_id = await create(store)
    codes = {await store.codes.issue(share_id, now=NOW) for _ in range(3)}
    assert len(codes) == 3
    for code in codes:
        assert (await store.codes.resolve(code)).share.id == share_id


@pytest.mark.parametrize("code", ["", "unknown", "\x00", "\ud800", "x" * 9999])
async def test_another_code_leads_nowhere(store: Store, code: str) -> None:
    await create(store)
    with pytest.raises(ShareNotFoundError):
        await store.codes.resolve(code)
