"""The page in a real browser: ``python -m tests.review.browser [--pictures FOLDER]``. Needs Chromium: `CHROMIUM`, else the system's.

It makes an environment of its own for playwright, starts `driftbus review`, reviews by keys and by clicks, looks at what lies on the topic
then, and takes pictures: light and dark, wide and narrow.
"""

import argparse
import os
import re
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from driftbus.consumers.bus.open import open_bus
from driftbus.schemas.messages.review import TAKEN_BACK

from .. import others
from . import cases
from .cases import MODEL, QUESTIONS, SLOT_MS, answers, request, requests, slots

ROOT = Path(__file__).parents[2]
PLAYWRIGHT = "playwright==1.65.2"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
Page = Any  # playwright's


def playwright() -> Any:  # its module
    """Playwright, of the environment of its own, which is made where it is missing."""
    for folder in others.environment(".venv-browser", PLAYWRIGHT).glob("lib/python*/site-packages"):
        site.addsitedir(str(folder))
    from playwright import sync_api

    return sync_api


@contextmanager
def reviewing(folder: Path, *words: str) -> Iterator[str]:
    """`driftbus review`, and the address that it prints."""
    command = [sys.executable, "-c", "from driftbus.consumers.command.main import main; main()", "review", *words]
    command += ["--reviewer", "anna", "-c", str(folder / "driftbus.yaml")]
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT / ".package")}
    )
    try:
        assert started.stdout is not None
        said = iter(started.stdout.readline, "")
        yield next(line.strip() for line in said if line.startswith("http://127.0.0.1:"))
    finally:
        started.terminate()
        assert started.wait(10) == 0, "it ends when it is told to"


def left(page: Page, number: int) -> None:
    """Wait until so many are to go."""
    page.locator("#left", has_text=re.compile(f"^{number}$")).wait_for(timeout=10_000)


def shown(page: Page) -> str:
    """The case."""
    return str(page.inner_text("#case"))


def review_by_keys(page: Page, folder: Path) -> None:
    """Answer, skip, take back, split a group: by the keyboard alone."""
    configured = cases.configuration(folder)
    page.wait_for_selector("#case:not([hidden])")
    left(page, 24)
    assert page.title().startswith("24 to review"), page.title()
    page.keyboard.press("1")
    left(page, 23)
    page.keyboard.press("s")
    page.wait_for_selector("#skip[open]")
    page.keyboard.press("2")
    left(page, 22)
    page.keyboard.press("s")
    page.focus("#reason")
    page.keyboard.type("I know 1 of them")
    page.keyboard.press("Enter")
    left(page, 21)
    before = shown(page)
    page.keyboard.press("2")
    left(page, 20)
    assert shown(page) != before
    page.keyboard.press("u")
    left(page, 21)
    assert shown(page) == before, "what is taken back is shown again"
    page.keyboard.press("3")
    left(page, 20)
    page.keyboard.press("Control+1")
    page.keyboard.press("9")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    page.wait_for_selector("#help:not([open])", state="attached")
    time.sleep(0.2)
    left(page, 20)
    with closing(open_bus(configured)) as bus:
        found = [(one.label, one.skipped) for one in answers(bus, configured)]
    first, *rest = found
    assert first == ("card", None), found
    assert rest == [(None, "too little is shown"), (None, "I know 1 of them"), ("refund", None), (None, TAKEN_BACK), ("account", None)], (
        found
    )


def review_by_clicks(page: Page) -> None:
    """Near-duplicates at one go, then one by one; all others by clicks, until there is nothing more."""
    alone = 0
    while page.is_visible("#case"):
        number = int(page.inner_text("#left").replace(",", ""))
        count = 1
        if page.is_visible("#group"):
            others = int(page.inner_text("#group-title").split()[0])
            if alone:
                page.keyboard.press("g")
                assert not page.is_visible("#others")
            else:
                count += others
            alone += 1
        page.locator("#choices .choice").first.click()
        left(page, number - count)
        assert page.title() != "owned", "a case's text is text"
    assert page.inner_text("#empty-title") == "All done"
    assert alone >= 2, "there were groups"


def new_cases_come(page: Page, folder: Path) -> None:
    """Without anybody's doing."""
    configured = cases.configuration(folder)
    with closing(open_bus(configured)) as bus:
        cases.write(bus, configured, [request(40)])
    page.wait_for_selector("#case:not([hidden])", timeout=15_000)
    left(page, 1)


def pictures(browser: Any, address: str, folder: Path, name: str, before: Callable[[Page], None] | None = None, **other: Any) -> None:
    """Light and dark, wide and narrow."""
    for scheme in ("light", "dark"):
        for width, height in ((1280, 860), (390, 844)):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **other)
            page = context.new_page()
            page.goto(address)
            page.locator("#reviewer", has_text="anna").wait_for(state="attached")
            if before is not None:
                before(page)
            page.screenshot(path=folder / f"{name}-{scheme}-{width}.png")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} at {width}: {wide} wide"
            context.close()


def contrasts(page: Page) -> list[str]:
    """Texts that are hard to read: below 4.5 to 1."""
    return list(page.evaluate(_CONTRASTS))


_CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, place) => sum + c * [.2126, .7152, .0722][place], 0);
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.offsetParent || one.closest('.unseen, .jump') || one.disabled || one.closest('button:disabled')) continue;
    let behind = one, back = [0, 0, 0, 0];
    while (behind && back[3] < 200) { back = rgba(getComputedStyle(behind).backgroundColor); behind = behind.parentElement; }
    const [a, b] = [light(rgba(getComputedStyle(one).color)), light(back)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) found.push(`${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""


def names(page: Page) -> None:
    """All that can be used has a name, and is reached by Tab."""
    unnamed = page.evaluate(
        "() => [...document.querySelectorAll('button, input')].filter((one) => !(one.textContent.trim() || one.labels?.length)).length"
    )
    assert not unnamed, f"{unnamed} controls without a name"
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert {"help-button", "reveal", "choice", "skip-button"} <= reached, reached


def main() -> None:
    """Review, and take pictures."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--pictures", type=Path, help="where they go")
    out = arguments.parse_args().pictures
    api = playwright()
    with tempfile.TemporaryDirectory() as temporary, api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        folder = Path(temporary)
        alike = [request(place, group="g", slot=request(20).slot + SLOT_MS) for place in (1, 7, 13)]
        alike += [request(place, group="h", slot=request(20).slot + 2 * SLOT_MS) for place in (21, 27)]
        grouped = {one.case for one in alike}
        asked = [*(one for one in requests(23) if one.case not in grouped), *alike]
        configured = cases.configuration(folder)
        with cases.asked(configured, [*asked, *slots(asked, ("app",))]):
            pass
        words = [MODEL, *(word for name in cases.TOPICS for word in ("--label", name))]
        with reviewing(folder, *words) as address:
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                pictures(browser, address, out, "case")
                pictures(browser, address, out, "help", lambda page: page.keyboard.press("?"))
                pictures(browser, address, out, "skip", lambda page: page.keyboard.press("s"))
            page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
            asked_for, wrong = list[str](), list[str]()
            page.on("request", lambda one: asked_for.append(one.url))
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
            page.goto(address)
            page.wait_for_selector("#case:not([hidden])")
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                assert not (hard := contrasts(page)), f"{scheme}: {hard}"
            names(page)
            review_by_keys(page, folder)
            review_by_clicks(page)
            if out is not None:
                pictures(browser, address, out, "done")
            new_cases_come(page, folder)
            assert not wrong, wrong
            assert all(url.startswith(address) for url in asked_for), "nothing is fetched from elsewhere"
        page.wait_for_selector("#trouble:not([hidden])", timeout=15_000) if not page.is_visible("#case") else None
        page.keyboard.press("1")
        page.wait_for_selector("#trouble:not([hidden])")
        assert re.search("has ended", page.inner_text("#trouble"))
        with closing(open_bus(configured)) as bus:
            said = answers(bus, configured)
            assert len({one.id for one in said}) == len(said) == 24 + 2, len(said)
        other_models(browser, folder, out)
        browser.close()
    print("reviewed: 24 cases by keys and clicks, near-duplicates, yes or no, numbers, many labels; nothing fetched from elsewhere")


def other_models(browser: Any, folder: Path, out: Path | None) -> None:
    """Yes or no, a number, many labels."""
    tables = {f"f{place}": round(1.5 * place, 2) for place in range(18)}
    for name, labels, words, keys in (
        ("yes", {"outcome": "binary"}, (), ["y", "n", "1"]),
        ("group", {"outcome": "category"}, [word for one in cases.TOPICS for word in ("--label", one)], ["g", "2"]),
        ("number", {"outcome": "number"}, (), ["1", ",", "5", "Enter"]),
        (
            "many",
            {"outcome": "category"},
            [word for place in range(40) for word in ("--label", f"intent {place}")],
            ["/", "3", "9", "Enter"],
        ),
    ):
        own = folder / name
        own.mkdir()
        configured = cases.configuration(own, **labels)
        predicted: Any = {"yes": None, "group": "card", "number": 12.25, "many": "intent 3"}[name]
        fields: Any = {"question": QUESTIONS[0]} if name in {"many", "group"} else tables
        with cases.asked(configured, requests(5, shown=fields, prediction=predicted, group="g" if name == "group" else None)):
            pass
        with reviewing(own, MODEL, *words) as address:
            if out is not None:
                pictures(browser, address, out, name)
            page = browser.new_context().new_page()
            page.goto(address)
            left(page, 5)
            page.wait_for_selector("#case:not([hidden])")
            for key in keys:
                page.keyboard.press(key)
                page.locator("body:not([aria-busy])").wait_for()
            left(page, 2 if name == "yes" else 4)
            page.context.close()
        with closing(open_bus(configured)) as bus:
            given = [one.label for one in answers(bus, configured)]
        assert given == {"yes": [True, False, True], "group": ["refund"], "number": [1.5], "many": ["intent 39"]}[name], (name, given)


if __name__ == "__main__":
    main()
