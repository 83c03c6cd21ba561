"""What the service said is kept as long as it allows, and no longer."""

from demo.orthanc.cache import ExpiringCache


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time that was set."""
        return self.now


def test_a_value_is_kept_until_it_expires() -> None:
    clock = Clock()
    cache: ExpiringCache[bool] = ExpiringCache(clock=clock)
    cache.put("key", value=False, validity=60)
    clock.now = 59.9
    assert cache.get("key") is False
    clock.now = 60.0
    assert cache.get("key") is None
    clock.now = 0.0
    assert cache.get("key") is None


def test_validity_0_keeps_nothing() -> None:
    cache: ExpiringCache[bool] = ExpiringCache()
    cache.put("key", value=True, validity=0)
    assert cache.get("key") is None


def test_the_least_recently_used_value_goes_first() -> None:
    cache: ExpiringCache[int] = ExpiringCache(size=2)
    cache.put("a", 1, 60)
    cache.put("b", 2, 60)
    cache.get("a")
    cache.put("c", 3, 60)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]
