"""Take the screenshots of page and report in ``docs/screenshots``, with posts of ``examples/posts.jsonl``.

CHROMIUM=path/to/chromium python -m scripts.bench.screenshots
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Browser, Page

from scripts.bench.browser import chromium, find_chromium
from scripts.bench.serving import serving
from scripts.command import EXAMPLES, ROOT, command

DESKTOP, PHONE = {"width": 960, "height": 1000}, {"width": 360, "height": 780}


def main() -> None:
    """Start the service and the browser, and write every picture."""
    parser = command(__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    out = parser.parse_args().out
    path = find_chromium()
    if path is None:
        parser.exit(2, "There is no Chromium: run make test-browser, or name one in CHROMIUM.\n")
    out.mkdir(parents=True, exist_ok=True)
    lines = EXAMPLES.read_text(encoding="utf-8").splitlines()
    posts = {post["id"]: post["text"] for post in map(json.loads, lines)}
    with TemporaryDirectory() as folder:
        table = Path(folder, "posts.jsonl")  # without the posts that need a font for Chinese or emoji
        shown = [line for line in lines if not line.startswith(('{"id": "zh-', '{"id": "pl-'))]
        table.write_text("\n".join(shown), encoding="utf-8")
        with serving(Path(folder, "log")) as address, chromium(path) as browser:
            page = _checked(browser, address, posts["ru-warning-calqued"])
            page.locator(".passage [role=button]").nth(2).click()
            _save(page, out / "page.png", "#result")
            page = _checked(browser, address, posts["fa-power"], color_scheme="dark")
            _save(page, out / "page-dark.png", "#result")
            page = _checked(browser, address, posts["ru-warning-native"], viewport=PHONE)
            _save(page, out / "page-phone.png", "#result")
            page = _opened(browser, address)
            page.set_input_files("#file", table)
            page.wait_for_selector("table")
            _save(page, out / "page-file.png", "#posts")
            page = _opened(browser, _reported(table).as_uri())
            _save(page, out / "report.png", "body")


def _reported(posts: Path) -> Path:
    """The report of some posts, made as a user makes it."""
    scores, report = posts.with_name("scores.jsonl"), posts.with_name("report.html")
    for arguments in (["score", posts, "-o", scores, "--no-cache"], ["report", scores, "-o", report]):
        subprocess.run(
            [sys.executable, "-m", "checker", *map(str, arguments)], check=True, capture_output=True
        )
    return report


def _opened(browser: Browser, address: str, **options: object) -> Page:
    settings = {"viewport": DESKTOP, "device_scale_factor": 1.25, "reduced_motion": "reduce", **options}
    page = browser.new_context(**settings).new_page()  # type: ignore[arg-type]
    page.goto(address)
    return page


def _checked(browser: Browser, address: str, text: str, **options: object) -> Page:
    page = _opened(browser, address, **options)
    page.fill("#post", text)
    page.get_by_role("button", name="Check the post").click()
    page.wait_for_selector("#verdict")
    return page


def _save(page: Page, path: Path, top: str) -> None:
    """Write what the window shows from an element on, in 256 colours: the pictures stay small."""
    page.evaluate("top => scrollBy(0, document.querySelector(top).getBoundingClientRect().top - 16)", top)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
