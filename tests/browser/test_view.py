"""``synth view`` as somebody uses it, in a real browser."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synth.report.marks import read_marks
from tests.browser.conftest import HOSTILE, RECIPE, Open, serving, write_recipe
from tests.e2e.cli.conftest import environment

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest.importorskip("playwright.sync_api")


def expect(target: Any) -> Any:
    """Playwright's assertions, which wait until they hold."""
    from playwright.sync_api import expect

    expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong
    return expect(target)


def heading(page: Page, unit: str) -> Any:
    """What stands above the example that is open."""
    return page.get_by_role("heading", name=unit, level=2, exact=True)


def chosen(page: Page) -> str:
    return page.locator('.item[aria-selected="true"]').get_attribute("data-unit") or ""


def test_the_overview_tells_what_came_of_the_run(open_page: Open, address: str) -> None:
    page = open_page(address)
    expect(page.locator("#status")).to_have_text("complete, 68 of 68")
    expect(page.get_by_role("row", name=re.compile("^raw custom"))).to_contain_text("75%")
    expect(page.locator("#picture-map svg")).to_be_visible()
    assert page.locator("#picture-map [data-key]").count() == 88
    page.get_by_label("What the map's colours say").select_option("attribute:mood")
    expect(page.locator("#picture-map text", has_text="angry")).to_have_count(1)
    page.locator("#picture-map [data-key='other-000003']").dispatch_event("click")
    expect(heading(page, "other-000003")).to_be_visible()


def test_search_and_filter_and_open(open_page: Open, address: str) -> None:
    page = open_page(address + "#/examples")
    count = page.locator(".count")
    expect(count).to_contain_text("88 attempts")
    page.get_by_label("Search", exact=True).fill('"3 apples" wom')
    expect(count).not_to_contain_text("88 attempts")
    expect(page.locator(".item mark").first).to_be_visible()
    all_found = int((count.text_content() or "").split()[0])
    page.get_by_label("any verdict").select_option("gate:accept")
    expect(page).to_have_url(re.compile("gate=accept"))
    expect(count).not_to_contain_text(f"{all_found} attempts")
    expect(page.locator(".item .badge.accepted")).to_have_count(0)
    page.locator(".item").first.click()
    reader = page.get_by_role("article")
    expect(reader.locator(".reason")).to_be_visible()
    expect(reader.locator(".seedcard")).to_contain_text("What are 3 apples and a wombat?")
    expect(reader.locator(".beside")).to_be_visible()  # an accepted one of the same seed
    page.get_by_role("tab", name=re.compile("Calls")).click()
    expect(reader.locator(".call")).to_contain_text("draft.0")
    page.get_by_role("button", name="clear filters").click()
    expect(count).to_contain_text("88 attempts")


def test_what_cannot_be_searched_is_said(open_page: Open, address: str) -> None:
    page = open_page(address + "#/examples")
    for typed, said in (
        ("\U0001f600", "Only words and numbers"),
        ('"', "Only words and numbers"),
        ("zzz", "Nothing is"),
    ):
        page.get_by_label("Search").fill(typed)
        expect(page.locator(".empty").first).to_contain_text(said)


def test_keys_walk_and_mark_and_marks_are_there_after_reload(open_page: Open, address: str, finished: Path) -> None:
    page = open_page(address + "#/examples")
    expect(page.locator(".item").first).to_be_visible()
    for key in ("j", "ArrowDown", "j", "k"):
        page.keyboard.press(key)
    assert chosen(page) == "raw-000001"
    expect(heading(page, "raw-000001")).to_be_visible()
    page.keyboard.press("g")
    expect(page.get_by_role("button", name="good")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("j")
    expect(heading(page, "raw-000002")).to_be_visible()
    page.keyboard.press("b")
    expect(page.get_by_role("button", name="bad")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="unsure")).to_have_attribute("aria-pressed", "true")
    assert read_marks(finished) == {"raw-000001": "good", "raw-000002": "unsure"}
    page.reload()
    expect(page.get_by_role("button", name="unsure")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".item .badge.good")).to_have_text("good")
    page.keyboard.press("u")
    expect(page.locator(".item .badge.unsure")).to_have_count(0)
    assert read_marks(finished) == {"raw-000001": "good"}
    page.keyboard.press("/")
    page.keyboard.type("again")
    expect(page.locator(".count")).to_have_text(re.compile("^8 attempts"))
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(heading(page, "other-000000")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_role("tab", name="Nearest neighbours")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_mark_is_for_what_is_chosen_however_slowly_examples_come(
    open_page: Open, address: str, finished: Path
) -> None:
    page = open_page(address + "#/examples")
    expect(page.locator(".item").first).to_be_visible()
    page.locator("[data-unit='raw-000004']").click()
    expect(heading(page, "raw-000004")).to_be_visible()
    before = read_marks(finished)
    held: list[Any] = []
    slow = re.compile("/api/examples/raw-")
    page.route(slow, lambda route: held.append(route))
    for key in ("j", "k", "j"):  # each is asked for, and none comes
        page.keyboard.press(key)
        page.wait_for_timeout(80)
    page.keyboard.press("b")
    page.keyboard.press("k")
    page.keyboard.press("u")
    expect(page.locator("[data-unit='raw-000004'] .badge.unsure")).to_be_visible()
    assert held
    page.unroute(slow)  # now they come
    expect(page.locator("[data-unit='raw-000005'] .badge.bad")).to_be_visible()
    expect(heading(page, "raw-000004")).to_be_visible()
    expect(page.get_by_role("button", name="unsure")).to_have_attribute("aria-pressed", "true")
    assert read_marks(finished) == {**before, "raw-000004": "unsure", "raw-000005": "bad"}
    for key in ("u", "j", "b"):
        page.keyboard.press(key)
    expect(page.locator("[data-unit='raw-000005'] .badge.bad")).to_have_count(0)
    assert read_marks(finished) == before


def test_a_long_list_is_scrolled_over_in_pages(open_page: Open, address: str) -> None:
    page = open_page(address + "#/examples", height=500)
    expect(page.locator("[data-unit='raw-000000']")).to_be_visible()
    assert page.locator(".item").count() < 30
    page.locator(".list").evaluate("list => { list.scrollTop = list.scrollHeight; }")
    expect(page.locator("[data-unit='other-000007']")).to_be_visible()
    expect(page.locator("[data-unit='raw-000000']")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_in_either_theme(open_page: Open, address: str, scheme: str) -> None:
    page = open_page(address, width=360, height=740, scheme=scheme)
    expect(page.locator("#picture-accepted svg")).to_be_visible()

    def too_wide() -> bool:
        wide: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        return wide

    assert not too_wide()
    page.get_by_role("link", name="Examples").click()
    page.locator(".item").nth(2).click()
    expect(heading(page, "raw-000002")).to_be_visible()
    assert not too_wide()
    page.get_by_role("button", name="← List").click()
    expect(page.locator(".item").first).to_be_visible()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(252, 251, 249)"
    assert light == (scheme == "light")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_issue(open_page: Open, address: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(address, scheme=scheme)
    expect(page.locator("#picture-map svg")).to_be_visible()
    found = issues(axe, page)
    page.goto(address + "#/examples?id=raw-000004")
    expect(page.locator(".beside")).to_be_visible()
    found += issues(axe, page)
    page.keyboard.press("c")
    expect(page.locator(".call")).to_be_visible()
    page.keyboard.press("?")
    found += issues(axe, page)
    assert found == []


def issues(axe: Any, page: Page) -> list[tuple[str, str]]:
    """What axe-core calls serious or critical, with the elements."""
    violations = axe.run(page).response["violations"]
    return [
        (one["id"], node["html"])
        for one in violations
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def test_what_an_example_says_is_shown_as_it_is(open_page: Open, address: str) -> None:
    page = open_page(address + "#/examples?q=hurt")
    page.locator(".item").first.click()
    expect(page.locator(".turn.user .said").first).to_have_text(HOSTILE)
    for text in (".said", ".item .text", ".seedcard dd"):  # each paragraph in the direction of its script
        expect(page.locator(text).first).to_have_css("unicode-bidi", "plaintext")
    for tab in ("n", "c", "s"):
        page.keyboard.press(tab)
        expect(page.locator('[role="tabpanel"] :is(.beside, .call)').first).to_be_visible()
    assert page.locator("main img, main script, main iframe, main svg").count() == 0
    page.goto(address)
    expect(page.locator("#picture-coverage text", has_text="<b onm").first).to_be_visible()
    assert page.locator("svg a, svg script, svg image, [onload], [onerror], [onmouseover]").count() == 0


def test_the_report_is_as_quiet(open_page: Open, finished: Path, tmp_path: Path) -> None:
    sent = tmp_path / "<svg onload=window.hurt=8>.html"
    command = [sys.executable, "-m", "synth", "report", str(finished), "--to", str(sent)]
    subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL, timeout=60)
    page = open_page(sent.as_uri(), width=360)
    expect(page.locator("article")).to_have_count(20)
    expect(page.locator(".said").first).to_have_css("unicode-bidi", "plaintext")
    expect(page.locator("figure svg").first).to_be_visible()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert page.locator("script, img, a").count() == 0


def test_it_follows_a_run_at_work(open_page: Open, tmp_path: Path, browser: object) -> None:
    slow = RECIPE.replace("answers.yaml", "answers.yaml, concurrency: 1").replace("count: 60", "count: 24")
    recipe = write_recipe(tmp_path, slow)
    command = [sys.executable, "-m", "synth", "run", str(recipe), "--run-dir", str(tmp_path / "run"), "--json"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"unit_decided"' in line:
                break
        process.send_signal(signal.SIGSTOP)  # so that it is at work for as long as this takes
        with serving(tmp_path / "run") as address:
            page = open_page(address)
            expect(page.locator("#status")).to_contain_text("running")
            page.evaluate("window.stays = true")
            process.send_signal(signal.SIGCONT)
            process.stderr.read()
            assert process.wait(60) == 0
            expect(page.locator("#status")).to_have_text("complete, 32 of 32")
            page.goto(address + "#/examples")
            expect(page.locator(".count")).to_contain_text("40 attempts")
            assert page.evaluate("window.stays")  # it was told, not reloaded
            page.goto("about:blank")
