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


def test_a_page_of_plain_data_waits_for_jinja_and_needs_no_tensorflow(tmp_path: Path) -> None:
    code = f"""if True:
        import sys
        from vdroppath_tf.report import Report, TaskReport, read_scores, task_of, write_report
        from vdroppath_tf.spaces import ProbabilitySpace
        early = set(sys.modules)
        task = task_of(ProbabilitySpace([[0.1, 0.2], [0.3, 0.4]]), "name")
        write_report({str(tmp_path / "page.html")!r}, Report("title", "today", [task]))
        print(*sorted({{"jinja2", "tensorflow", "keras"}} & early))
        print(*sorted({{"jinja2", "tensorflow", "keras"}} & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["", "jinja2"]
    assert (tmp_path / "page.html").read_text(encoding="utf-8").endswith("</html>\n")
