"""All that the routes need for one share, and the shares that are in use."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from anonymizer.addresses import Addresses
from anonymizer.examining import ImageFacts, Judging
from anonymizer.images import KNOWN_MAX, LIFETIME, Images
from anonymizer.index import ShareIndex
from anonymizer.orthanc import Orthanc
from orthanc_share.deidentification.gate import Reason
from orthanc_share.deidentification.masks import MaskedRules
from orthanc_share.deidentification.pixel_gate import PixelGate
from orthanc_share.deidentification.plan import Plan
from orthanc_share.deidentification.policy import SharePolicy, build_policy
from orthanc_share.deidentification.profile import Blocked, Profile
from orthanc_share.domain.share import Share
from orthanc_share.upstream.bulk import BulkClient
from orthanc_share.upstream.single_flight import Monotonic, SingleFlight
from orthanc_share.web.metrics import Metrics

SHARES_MAX: Final = 256
"""Shares whose index is kept; the one that was used longest ago goes first."""

EYES: Final = 2
"""Images that are looked at at once, each by a process of its own."""


@dataclass(frozen=True, slots=True)
class ShareCounters:
    """What became of the instances of one share; holds no name but the share's id.

    Args:
        metrics: Of the service.
        share_id: Id of the share.
    """

    metrics: Metrics = field(repr=False)
    share_id: str
    _count_bytes: Callable[[float], None] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = self.metrics.byte_counter(self.share_id)
        object.__setattr__(self, "_count_bytes", count)

    def served(self, facts: ImageFacts) -> None:
        """Count an instance that went out as it was, masked, or as a placeholder."""
        if facts.is_blocked:
            self.replaced(facts.reason)
        else:
            self._count("masked" if facts.is_masked else "allowed", "")

    def masked(self) -> None:
        """Count an instance that went out with blanked regions."""
        self._count("masked", "")

    def allowed(self) -> None:
        """Count an instance whose pixels went out as they were."""
        self._count("allowed", "")

    def replaced(self, reason: str) -> None:
        """Count an instance for which a placeholder went out.

        Args:
            reason: Stable code.
        """
        self._count("replaced", reason)

    def hidden(self, reason: str) -> None:
        """Count an instance that was left out.

        Args:
            reason: Stable code.
        """
        self._count("hidden", reason)

    def _count(self, outcome: str, reason: str) -> None:
        self.metrics.instances.labels(self.share_id, outcome, reason).inc()

    def sent(self, number: int) -> None:
        """Count bytes."""
        self._count_bytes(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareContext:
    """One share, as the routes use it; it lives as long as the share is in use.

    Args:
        share: The share.
        policy: What its datasets may hold.
        plan: The policy, prepared for the codec of files.
        masked_plan: The same for images with blanked regions.
        gate: Which pixels may be shown.
        masking: Held while an image is masked, which takes much memory.
        looks: Why instances are not shown in whose pixels something was read; None:
            nobody looks.
        eyes: Held while pixels are looked at, which takes a processor.
        images: What is known of its instances.
        index: What it holds; `await context.index.load()` and the look-ups beside it.
        orthanc: Is asked.
        addresses: The addresses that answers name.
        metrics: Counts.
    """

    share: Share
    policy: SharePolicy
    plan: Plan
    masked_plan: Plan
    gate: PixelGate
    masking: asyncio.Semaphore
    looks: SingleFlight[str, Reason | None] | None
    eyes: asyncio.Semaphore
    images: Images
    index: ShareIndex
    orthanc: Orthanc
    addresses: Addresses
    metrics: ShareCounters

    @property
    def hides_blocked(self) -> bool:
        """Whether blocked instances are left out, and not replaced."""
        return self.policy.profile.blocked is Blocked.HIDE

    async def aclose(self) -> None:
        """Give up what is under way for the share."""
        await self.index.aclose()
        await self.images.aclose()
        if self.looks is not None:
            await self.looks.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the contexts of all shares have in common.

    Args:
        profile: What the site keeps.
        key: The site's de-identification key.
        client: The way to Orthanc.
        pass_token: Whether Orthanc gets the share's token.
        root: Public address of this service, ending with `/`.
        metrics: Of the service.
        monotonic: Clock, in seconds.
    """

    profile: Profile
    key: bytes = field(repr=False)
    client: BulkClient = field(repr=False)
    pass_token: bool
    root: str
    metrics: Metrics = field(repr=False)
    monotonic: Monotonic = time.monotonic


class Contexts:
    """The shares that are in use.

    Args:
        site: What they have in common.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._gate = PixelGate(site.profile)
        # What the profile says is worked out once: now, and not at the first visit.
        build_policy(site.profile, site.key, "")
        self._masking = asyncio.Semaphore(1)
        self._eyes = asyncio.Semaphore(EYES)
        self._contexts: OrderedDict[tuple[Share, str | None], ShareContext]
        self._contexts = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def of(self, share: Share, token: str) -> ShareContext:
        """Return the context of a share.

        Args:
            share: A share that may be used now.
            token: Its token.
        """
        # With another token the plugin may decide otherwise.
        key = (share, token if self._site.pass_token else None)
        context = self._contexts.get(key)
        if context is None:
            context = self._contexts[key] = self._build(share, key[1])
            self._drop_oldest()
        self._contexts.move_to_end(key)
        return context

    async def aclose(self) -> None:
        """Give up what is under way for any share."""
        for context in self._contexts.values():
            await context.aclose()
        self._contexts.clear()
        await asyncio.gather(*self._closing)

    def _build(self, share: Share, token: str | None) -> ShareContext:
        site = self._site
        policy = build_policy(site.profile, site.key, share.id)
        orthanc = Orthanc(site.client, token)
        addresses = Addresses(site.root)
        judging = Judging(policy, self._gate, addresses)
        return ShareContext(
            share=share,
            policy=policy,
            plan=Plan(policy),
            masked_plan=Plan(MaskedRules(policy)),
            masking=self._masking,
            looks=self._looks(),
            eyes=self._eyes,
            gate=self._gate,
            images=Images(judging, orthanc, monotonic=site.monotonic),
            index=ShareIndex(
                share.resources, policy.pseudonyms, orthanc, monotonic=site.monotonic
            ),
            orthanc=orthanc,
            addresses=addresses,
            metrics=ShareCounters(site.metrics, share.id),
        )

    def _looks(self) -> SingleFlight[str, Reason | None] | None:
        if not self._site.profile.ocr:
            return None
        return SingleFlight(
            lifetime=LIFETIME,
            failure_lifetime=timedelta(seconds=1),
            max_entries=KNOWN_MAX,
            monotonic=self._site.monotonic,
        )

    def _drop_oldest(self) -> None:
        while len(self._contexts) > SHARES_MAX:
            _, context = self._contexts.popitem(last=False)
            # With another token, or another end, a share has another context.
            if context.share.id not in {share.id for share, _ in self._contexts}:
                self._site.metrics.forget_share(context.share.id)
            # Requests that still use it get an error of the index, as if it were new.
            task = asyncio.create_task(context.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
