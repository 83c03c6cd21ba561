"""A person opens a link: landing page, OHIF, images; and nothing leaves the machine."""

from pathlib import Path

import pytest

from demo.links import PUBLICATION, WEEK
from demo.run import Running
from demo.sample_data import CT_STUDY, MR_STUDY, OTHER_STUDY, SampleStudy
from tests.support.browser import open_page, screenshot_path

WAIT = 90_000
"""Milliseconds for OHIF to start; WebGL runs in software."""

PHONE = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"}

GREY_LEVELS = """
() => {
  const canvas = document.querySelector("canvas.cornerstone-canvas");
  if (!canvas) return 0;
  const {width, height} = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  const levels = new Set();
  for (let at = 0; at < pixels.length; at += 4) levels.add(pixels[at]);
  return levels.size;
}
"""
"""How many different grey levels the image in the viewport has."""


def share(demo: Running, study: SampleStudy) -> str:
    url: str = demo.service.share(study, PUBLICATION, WEEK)["url"]
    return url


@pytest.mark.parametrize("study", [CT_STUDY, MR_STUDY], ids=lambda study: study.key)
def test_a_link_leads_to_the_images(
    study: SampleStudy, demo: Running, tmp_path: Path
) -> None:
    link = share(demo, study)
    with open_page(viewport={"width": 1280, "height": 800}) as (page, hosts):
        page.goto(link)
        page.wait_for_function(f"({GREY_LEVELS})() > 30", timeout=WAIT)
        page.wait_for_load_state("networkidle", timeout=WAIT)
        page.screenshot(path=screenshot_path(f"ohif-{study.key}", tmp_path))
        assert study.description in page.inner_text("body")
        assert f"/{study.slices})" in page.inner_text("body")
        assert "token=" not in page.url
    assert set(hosts) == {"127.0.0.1"}


def test_a_link_does_not_show_another_study(demo: Running, tmp_path: Path) -> None:
    token = demo.service.share(CT_STUDY, PUBLICATION, WEEK)["token"]
    other = f"{demo.addresses.ohif}viewer?StudyInstanceUIDs={OTHER_STUDY.study_uid}"
    with open_page() as (page, _hosts):
        statuses: list[int] = []
        page.on("response", lambda answer: statuses.append(answer.status))
        page.goto(f"{other}&token={token}")
        page.wait_for_event("response", lambda answer: answer.status == 403)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=screenshot_path("ohif-other-study", tmp_path))
        assert page.evaluate(GREY_LEVELS) == 0
        assert OTHER_STUDY.description not in page.inner_text("body")


def test_an_expired_link_shows_a_page_instead_of_the_study(
    demo: Running, tmp_path: Path
) -> None:
    with open_page(**PHONE) as (page, hosts):
        answer = page.goto(demo.links.expired.url)
        page.screenshot(path=screenshot_path("expired-390", tmp_path))
        assert answer is not None
        assert answer.status == 410
        assert "expired" in page.inner_text("body").lower()
    assert set(hosts) == {"127.0.0.1"}
