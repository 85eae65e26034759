"""A stylesheet as it is served, held against what it promises."""

from __future__ import annotations

import pytest

from app.checking.sheet_check import check_sheet
from snippets.errors import SheetError
from tests.build import make_shop
from tests.serving import Running


def test_the_sheet_that_is_served_keeps_its_promises(gloed: Running) -> None:
    site = gloed.do(make_shop(gloed.store, gloed.clock()))
    gloed.context.catalogue.forget()
    found = check_sheet(f"{gloed.url}/g/{site.public_key}/shipping")
    assert [finding.good for finding in found] == [True, True, True]
    assert "it sets no property on an element of the shop" in found[1].told


def test_an_address_that_does_not_answer_with_a_sheet_is_told(gloed: Running) -> None:
    with pytest.raises(SheetError, match="answers 404"):
        check_sheet(f"{gloed.url}/nowhere")
