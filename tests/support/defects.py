"""The predecessors' defects, and the tests elsewhere that show we have none of them."""

from collections.abc import Mapping
from pathlib import Path

DEFECTS = Path(__file__).parents[1] / "data" / "defects.txt"
"""Number, severity and title of each, one a line."""

_CONTRACT = "tests/contract/"
_UNIT = "tests/unit/shared/"
_LANDING = "tests/unit/services/landing/"
_MAIL = _UNIT + "upstream/test_mail.py::test_"
_ROLES = _UNIT + "config/test_roles_file.py::test_"
_COMPOSE = "tests/e2e/test_compose.py::test_"

ELSEWHERE: Mapping[str, str] = {
    "A10": "tests/e2e/test_orthanc_plugin.py::"
    "test_tokens_are_made_as_orthanc_explorer_2_asks_for_them",
    "A14": _CONTRACT + "test_keys.py::test_a_weak_or_sample_key_stops_the_start",
    "A24": _CONTRACT + "test_authentication.py::"
    "test_several_users_may_call_with_plain_and_hashed_passwords",
    "A27": _UNIT + "web/test_authentication.py::"
    "test_a_flood_of_logins_is_turned_away_and_does_not_stay",
    "A42": _CONTRACT + "test_meddream.py::test_a_link_is_not_made_of_an_error",
    "A43": _CONTRACT + "test_meddream.py::test_a_broken_connection_is_tried_once_more",
    "A44": _CONTRACT + "test_links.py::"
    "test_a_meddream_publication_gets_its_meddream_token_when_it_is_opened",
    "A56": _ROLES + "an_unchanged_file_is_not_read_again",
    "A57": _ROLES + "killed_writers_leave_a_whole_document",
    "A58": _ROLES + "several_workers_always_see_one_whole_document",
    "A59": _ROLES + "a_wrong_anonymous_profile_stops_the_service",
    "A61": _CONTRACT + "test_emails.py::test_only_the_sites_templates_are_read",
    "A62": _MAIL + "dangerous_html_does_not_leave",
    "A63": _MAIL + "an_unknown_certificate_is_not_trusted",
    "A65": _UNIT + "upstream/test_mail_options.py::"
    "test_encryption_is_named_as_people_do",
    "A66": _CONTRACT + "test_emails.py::test_a_missing_member_is_a_problem",
    "A67": _MAIL + "recipients_do_not_see_each_other",
    "A68": _MAIL + "the_log_tells_how_many_and_which_domains_but_never_who",
    "A71": _COMPOSE + "the_image_is_pinned_and_runs_without_root",
    "A74": _COMPOSE + "only_nginx_has_a_port_outside",
    "A75": _COMPOSE + "no_file_holds_a_secret",
    "S14": _CONTRACT + "test_meddream.py::test_a_link_is_not_made_of_an_error",
    "S18": _LANDING + "test_links.py::test_an_unexpected_error_gets_a_friendly_500",
    "S19": _LANDING + "test_links.py::test_a_visit_without_link_gets_404",
    "S20": _LANDING + "test_links.py::test_an_expired_link_gets_410",
    "S21": _COMPOSE + "only_token_service_can_make_links",
    "S22": _LANDING + "test_links.py::test_a_link_that_is_not_opened_here_gets_403",
    "S23": _LANDING + "test_meddream_links.py::"
    "test_visitors_of_one_meddream_link_share_one_question",
    "S24": _LANDING + "test_pages.py::test_own_texts_replace_ours_and_are_escaped",
    "S25": _LANDING + "test_settings.py::"
    "test_the_misspelt_name_of_the_predecessor_counts",
    "S26": _LANDING + "test_links.py::"
    "test_head_tells_the_length_of_the_page_it_leaves_out",
    "S30": _CONTRACT + "test_anonymized_shares.py::"
    "test_nothing_that_leaves_the_site_names_the_study",
    "S39": _COMPOSE + "the_image_is_pinned_and_runs_without_root",
    "P9": "tests/e2e/test_orthanc_plugin.py::test_the_shared_study_can_be_read",
    "P14": _CONTRACT + "test_emails.py::test_a_letter_that_was_not_sent_says_why",
}
"""Number to the test that shows it, where that is no test of the table itself."""

_KEYCLOAK = "There is no Keycloak here; accounts are an issue of their own."
_ANONYMIZER = "The anonymizer answers only its health yet; it has its own issue."
_REGISTRY = "A registry of shares, with revocation, is an issue of its own."

NOT_HERE: Mapping[str, str] = {
    **{f"A{number}": _KEYCLOAK for number in (*range(45, 56),)},
    **{f"S{number}": _ANONYMIZER for number in (27, 28, 29, *range(31, 38))},
    "A26": "Callers with different rights come with the accounts.",
    "A69": "Not a behaviour: coverage of 100 % is demanded when all tests run.",
    "A72": "Not a behaviour: the settings table is made from the code.",
    "A73": "Not a behaviour: the settings table is made from the code.",
    "A77": _REGISTRY,
    "S10": "Not a behaviour: the linter refuses a bare except.",
    "S38": "Not a behaviour: coverage of 100 % is demanded when all tests run.",
    "P6": "Nothing is kept of a creation that failed, so a repeated one does no harm.",
    "P11": "The plugin's part: the service is not told who asks.",
    "P12": "The explorer's part: a share that nobody sends on opens for nobody.",
}
"""Number to the reason why no test can show it here and now."""


def numbers() -> list[str]:
    """Return the numbers of all defects, in their order."""
    lines = DEFECTS.read_text("utf-8").splitlines()
    return [line.split()[0] for line in lines if line and not line.startswith("#")]
