"""What servers like this one were broken by, case by case, and the test that each is refused in.

The first word of a test's place is its module below `tests/`. A case without a test of its own, and
a test that there is no longer, fail here.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

BODIES = "app/test_hostile: test_no_body_but_a_good_one_is_taken"
FORMS = "pages/test_hostile: test_no_body_that_is_no_form_does"
FIELDS = "pages/test_hostile: test_no_value_in_any_field_of_any_form_does"
QUERIES = "app/test_hostile: test_no_query_is_echoed_or_breaks_anything"
PARTS = "app/test_hostile: test_no_part_of_a_path_is_a_file_a_host_or_a_statement"
MEDIA = "app/test_hostile: test_bodies_of_other_kinds_are_refused_unread"
HEADERS = "app/test_hostile: test_no_header_changes_where_an_answer_leads"
ENDLESS = "app/test_hostile: test_a_body_that_never_ends_is_cut_at_the_limit"
METHODS = "app/test_hostile: test_what_no_operation_has_is_405_or_404"
EDGES = "collector/test_decode: test_a_limit_is_taken_and_one_more_is_refused"
BATCHES = (
    "collector/test_routes: test_a_malformed_batch_is_refused_with_a_problem_and_keeps_nothing"
)
RANGES = "collector/test_routes: test_numbers_and_names_outside_their_ranges_are_refused"
REQUESTS = "collector/test_http: test_what_is_no_request_is_refused"
ODD = "collector/test_http: test_odd_requests_are_harmless"
PATHS = "collector/test_scrub: test_a_path_becomes"
NO_PATHS = "collector/test_scrub: test_what_is_no_path_of_the_shop_is_none"
WRONG = "app/test_api_parameters: test_what_cannot_be_is_refused_by_its_name"
TOGETHER = "app/test_api_parameters: test_what_does_not_go_together_is_refused"
PICTURES = "app/test_layouts: test_what_is_no_usable_picture_is_refused_with_a_remedy"
BURSTING = "app/test_hostile_pictures: test_what_would_burst_is_refused_or_left_behind"
NO_PICTURES = "app/test_hostile_pictures: test_what_is_no_picture_is_none_whatever_it_is_called"
UPLOADS = "pages/test_layouts: test_a_form_that_cannot_be_read_is_refused"
ISOLATION = "app/test_isolation: test_nothing_of_another_shop_is_reached_by_any_verb"
LINKS = "app/test_api: test_a_link_that_was_changed_anywhere_is_refused"
KEYS = "app/test_keys: test_only_the_whole_key_in_the_right_header_is_found"
CAPTURE = "app/test_capture: test_what_is_no_page_is_refused"

CASES: Mapping[str, tuple[str, ...]] = {
    # Bodies
    "empty; malformed; two documents; null, text, number, list of lists": (BODIES, BATCHES, FORMS),
    "nested beyond measure": (BODIES, BATCHES),
    "more events, points or bytes than are taken": (EDGES, BATCHES),
    "too long by its length, before it is read": (
        "collector/test_decode: test_a_longer_body_is_refused_before_it_is_read",
        "app/test_api_layouts: "
        "test_a_body_that_is_too_large_is_refused_by_its_length_before_it_is_read",
    ),
    "too long in chunks, at the limit": (
        ENDLESS,
        REQUESTS,
        "pages/test_hostile: test_a_form_that_never_ends_is_cut_at_its_limit",
    ),
    "packed: a bomb, twice, deflate, br, cut, or not at all": (MEDIA,),
    "UTF-8 broken or overlong, UTF-16, a byte order mark": (BODIES, FORMS),
    "a field twice": (
        "collector/test_decode: test_the_last_of_two_equal_fields_counts",
        "pages/test_hostile: test_a_field_too_many_and_one_given_twice_are_no_trouble",
    ),
    "a number of 5,000 digits": (BODIES, QUERIES, FIELDS),
    "text/plain is taken, forms are not": (
        "collector/test_decode: test_text_and_json_in_utf_8_are_taken",
        MEDIA,
    ),
    "the client hangs up within the body": (
        REQUESTS,
        "app/test_exchange: test_who_hangs_up_leaves_the_row_and_no_trouble",
    ),
    # Numbers
    "NaN, Infinity, 1e999, as numbers and as text, beside other faults": (
        BODIES,
        "app/test_api_layouts: test_numbers_that_are_none_are_refused_in_the_boxes_too",
    ),
    "true, or spaces around digits": (BODIES, WRONG),
    "negative or beyond every page": (EDGES, RANGES),
    "-0.0, denormals, beyond 64 bits": (BODIES,),
    "a viewport of 0, negative or endless": (EDGES, BATCHES),
    "half a character in a field that is wrong": (
        BODIES,
        "collector/test_decode: test_surrogates_and_nul_in_text_are_no_trouble",
    ),
    # Text
    "NUL, lone surrogates": (
        BODIES,
        FIELDS,
        "collector/test_decode: test_surrogates_and_nul_in_text_are_no_trouble",
    ),
    "longer in bytes than an index takes": (EDGES, NO_PATHS),
    "written backwards, of no width, in two spellings": (PATHS, FIELDS),
    "another host, javascript:, a whole address as a path": (NO_PATHS, PATHS),
    "dots that climb": (PATHS, PARTS),
    "line ends: no header, no line of a log": (
        PATHS,
        "app/test_logs: test_whatever_is_sent_stands_in_no_line",
        "collector/test_http: test_nothing_that_was_sent_comes_back_as_a_header",
    ),
    "templates and formats": (QUERIES, PARTS, FIELDS),
    "__proto__ and __class__": (BODIES, QUERIES),
    # Time
    "1970, the year 3000, no number, more than two days ago": (
        EDGES,
        "collector/test_routes: test_a_batch_dated_by_a_wrong_clock_is_dropped",
    ),
    # Who sends
    "a shop that there is not; a store that cannot be asked": (
        "collector/test_routes: test_an_unknown_shop_or_page_is_dropped_and_gives_nothing_away",
        "collector/test_catalogue: test_a_store_that_is_away_makes_nothing_unknown",
    ),
    "a shop's key that is none": (PARTS,),
    "a foreign origin, or null": (
        "collector/test_left_out: test_a_page_elsewhere_with_the_shops_key_opens_nothing",
        "collector/test_sieve: test_a_step_keeps_or_drops",
    ),
    "a view's number that is none": (RANGES,),
    "the same again": (
        "collector/test_routes: "
        "test_a_batch_is_answered_204_when_it_is_stored_and_again_when_it_is_repeated",
    ),
    "forged, at volume": (
        "collector/test_left_out: test_a_view_and_a_visitor_send_no_more_than_a_person_can",
        "app/test_quarantine: test_the_api_leaves_out_lists_and_lets_back",
    ),
    # HTTP
    "length and chunks, two lengths, negative or endless ones, a bad chunk": (REQUESTS,),
    "200 kB of headers, NUL in one": (
        REQUESTS,
        "collector/test_http: test_headers_beyond_all_measure_harm_nobody",
    ),
    "a request that never ends": (
        "app/test_exchange: "
        "test_who_never_comes_to_the_end_of_a_request_is_cut_off_and_nobody_else",
    ),
    "a range of 1,200 parts": (HEADERS, ODD),
    "another host before us": (HEADERS, "pages/test_hostile: test_no_header_does"),
    "a method that there is not": (
        METHODS,
        "pages/test_hostile: test_what_no_page_has_is_refused",
    ),
    "where to go next, as a parameter": (
        QUERIES,
        "pages/test_door: test_a_link_can_send_nobody_elsewhere",
    ),
    # What is read
    "sizes and bandwidths that cannot be": (WRONG, QUERIES),
    "a palette, device or kind of no list; sorting that there is not": (WRONG,),
    "days reversed, of no year, of 200 years": (WRONG, TOGETHER, QUERIES),
    "a page that there is not, or not for you": (ISOLATION,),
    "bytes that are no text": (
        "app/test_api_parameters: test_bytes_that_are_no_text_are_refused",
        QUERIES,
        "pages/test_hostile: test_no_query_breaks_a_page",
    ),
    "a parameter twice": (
        "app/test_api_parameters: test_a_parameter_given_twice_is_refused_though_both_say_the_same",
    ),
    "1_000, 1.0, digits of another script": (WRONG, FIELDS),
    "a pattern that takes for ever": (
        "app/test_consents: test_the_worst_pattern_against_the_longest_cookie_ends",
        "app/test_consents: test_a_pattern_that_means_everything_or_costs_much_is_refused",
    ),
    # Uploads
    "more than 8 MB; more than 30 Mpx": (
        "app/test_layouts: test_too_many_bytes_are_refused_before_they_are_read",
        PICTURES,
        "pages/test_layouts: test_a_picture_that_cannot_be_used_is_refused_beside_its_field",
    ),
    "beyond its memory or time": (
        "app/test_layouts: test_a_picture_that_takes_more_than_there_is_for_it_is_refused",
    ),
    "a header that lies, 0 x 0, cut": (
        PICTURES,
        "app/test_hostile_pictures: test_a_header_of_another_size_than_its_pixels_is_refused",
    ),
    "pictures that move": (PICTURES,),
    "chunks that burst": (BURSTING,),
    "SVG, HTML, EPS, TIFF, FITS, PDF under another name": (NO_PICTURES, PICTURES),
    "two kinds of file in one; what a photograph tells": (
        "app/test_layouts: test_text_and_what_follows_the_image_do_not_go_on",
        "app/test_layouts: test_a_photograph_stands_upright_and_its_metadata_is_gone",
        "pages/test_layouts: test_a_polyglot_is_redrawn_and_its_name_is_never_used",
    ),
    "forms without end, of many parts, of long texts": (UPLOADS,),
    # Addresses that are fetched: none by the server, and pages alone by whoever runs `capture`
    "addresses of this machine and its neighbours": (
        "pages/test_hostile: test_no_address_that_is_sent_is_ever_fetched",
    ),
    "file:, chrome:, data: and the like": (CAPTURE,),
    "a page without end": (
        "app/test_capture: test_a_page_without_end_is_cut_and_says_what_is_below",
    ),
    # Pages, exports, keys
    "markup in every text": (
        FIELDS,
        "pages/test_notices: test_the_page_says_what_the_file_says",
    ),
    "formulas in a spreadsheet": (
        "app/test_contrast_api: test_a_name_that_looks_like_a_formula_computes_nothing",
    ),
    "our key, a foreign shop": (ISOLATION,),
    "no key, a wrong or ended one, one in another script": (
        KEYS,
        "app/test_keys: test_a_revoked_key_ends_at_once",
        "app/test_isolation: test_without_anything_every_route_of_the_api_asks_for_a_key",
    ),
    "a key in the query": (QUERIES,),
    "a signed link that ended or was changed": (LINKS,),
    "deleting by a link": (
        METHODS,
        "pages/test_layouts: test_no_form_of_these_pages_changes_anything_by_a_link",
    ),
    "/metrics, /docs, /.env, climbing out of the files": (
        METHODS,
        "app/test_metrics: test_through_a_proxy_there_is_no_such_page",
    ),
}


@cache
def named_in(module: str) -> frozenset[str]:
    tree = ast.parse((TESTS / f"{module}.py").read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@pytest.mark.parametrize("case", CASES)
def test_each_case_is_tried_by_a_test_that_there_is(case: str) -> None:
    assert CASES[case]
    for place in CASES[case]:
        module, _, name = place.partition(": ")
        assert name in named_in(module), place
