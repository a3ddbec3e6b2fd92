"""The templates of a report: they escape, miss nothing in silence, and come with the package."""

from __future__ import annotations

import configparser
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest

from vdroppath_tf.report import page

TEMPLATES = Path(page.__file__).parent / "templates"
NASTY = "<b>&\"'"


@pytest.mark.parametrize(
    ("call", "written"),
    [
        ("command(text)", '<code><span class="word">&lt;b&gt;&amp;&#34;&#39;</span></code>'),
        ('facts(text, {text: "x"})', "<dt>&lt;b&gt;&amp;&#34;&#39;</dt><dd>x</dd>"),
        ("head([text])", '<th scope="col">&lt;b&gt;&amp;&#34;&#39;</th>'),
    ],
)
def test_macros_escape_what_they_are_given(call: str, written: str) -> None:
    source = f"{{% import 'parts.html' as parts %}}{{{{ parts.{call} }}}}"
    assert written in page.environment().from_string(source).render(text=NASTY)


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="captoin"):
        page.environment().from_string("{{ table.captoin }}").render(table={"caption": "x"})


def test_every_template_compiles() -> None:
    names = page.environment().list_templates(extensions=["html"])
    assert {"page.html", "parts.html"} < set(names)
    for name in names:
        page.environment().get_template(name)


def test_templates_are_packaged() -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).parents[2] / "setup.cfg", encoding="utf-8")
    patterns = setup["options.package_data"]["*"].split(", ")
    packaged = {path for pattern in patterns for path in TEMPLATES.parent.glob(pattern)}
    assert set(TEMPLATES.iterdir()) <= packaged


def test_jinja_waits_for_the_first_report() -> None:
    code = "import sys, vdroppath_tf.report.page; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
