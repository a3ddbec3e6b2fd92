"""Opens every page of the documentation in Chromium at two widths, and lists what does not fit.

    make docs
    python scripts/check_pages.py --site=site

A page must not be wider than the window, and no code block may be cut off. Tables may scroll within
their column; those that do are listed. The exit status is 1 if a page or a code block does not fit.
"""

from __future__ import annotations

import argparse
import functools
import html
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

HARNESS = "check-pages.html"
SCRIPT = """<!doctype html><body>
<iframe id=f style="border:0;height:900px"></iframe><pre id=out></pre>
<script>
const pages = PAGES, widths = WIDTHS, frame = document.getElementById('f'), found = [];
const wide = node => node.scrollWidth > node.clientWidth + 1;
const load = url => new Promise(done => { frame.onload = done; frame.src = url; });
(async () => {
  for (const width of widths) {
    frame.style.width = width + 'px';
    for (const page of pages) {
      await load(page);
      const doc = frame.contentDocument;
      const count = what => [...doc.querySelectorAll(what)].filter(wide).length;
      found.push({page, width, over: Math.max(0, doc.documentElement.scrollWidth - width),
                  code: count('article pre > code'), tables: count('.md-typeset__scrollwrap')});
    }
  }
  document.getElementById('out').textContent = JSON.stringify(found);
})();
</script>"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """A request handler that serves files and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Logs nothing."""


def measure(site: Path, widths: list[int]) -> list[dict]:
    """Returns Chromium's measurements of each page at each width in pixels."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is needed: install it, or put google-chrome into PATH.")
    pages = sorted(str(path.relative_to(site)) for path in site.rglob("*.html"))
    pages = [page for page in pages if page not in ("404.html", HARNESS)]
    if not pages:
        raise SystemExit(f"--site={site} has no pages. Run make docs first.")
    text = SCRIPT.replace("PAGES", json.dumps(pages)).replace("WIDTHS", json.dumps(widths))
    (site / HARNESS).write_text(text, encoding="utf-8")
    handler = functools.partial(_Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/{HARNESS}"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=600000"]
        shown = subprocess.run(
            [chromium, *options, "--dump-dom", address], capture_output=True, text=True, check=True
        ).stdout
    finally:
        server.shutdown()
        (site / HARNESS).unlink()
    found = re.search(r'<pre id="out">(.*?)</pre>', shown, re.DOTALL)
    if found is None or not found[1]:
        raise SystemExit("Chromium printed no measurements.")
    return json.loads(html.unescape(found[1]))


def main() -> int:
    """Prints the pages that do not fit or have tables that scroll; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "folder of the built documentation (default: %(default)s)"
    parser.add_argument("--site", type=Path, default=Path("site"), help=text)
    text = "widths of the window in pixels, separated by commas (default: %(default)s)"
    parser.add_argument("--widths", default="1280,400", help=text)
    options = parser.parse_args()
    widths = [int(width) for width in options.widths.split(",")]
    rows = measure(options.site, widths)
    bad = [row for row in rows if row["over"] > 0 or row["code"]]
    for row in rows:
        if row in bad or row["tables"]:
            print(
                "{page} at {width}: {over} px too wide, {code} code blocks cut off, {tables} "
                "tables scroll".format(**row)
            )
    print(f"{len(rows) - len(bad)} of {len(rows)} pages fit, at {options.widths} px")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
