"""Writes vdroppath_tf/zoo/networks.json and zoo/networks.md: the networks and their costs.

    python scripts/write_network_table.py

A test compares the files with the output of this script.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from absl import app

from vdroppath_tf.files import write_text
from vdroppath_tf.zoo import list_networks
from vdroppath_tf.zoo.table import CLASSES, CLIP_SHAPE, RECORD, NetworkFacts, facts, markdown

RECORDS = Path(__file__).parent.parent / "zoo"
HEAD = f"""# The networks

<!-- written by scripts/write_network_table.py -->

For {CLASSES} classes and one clip of {" x ".join(map(str, CLIP_SHAPE))}. Parameters leave out the
gates; MACs are the multiply-adds of convolutions and dense layers. "S+ST" is also the template.

"""


def as_json(rows: list[NetworkFacts]) -> str:
    """Returns JSON with a line for each network."""
    lines = [f"{json.dumps(row.name)}: {json.dumps(dataclasses.asdict(row))}" for row in rows]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(_: list[str]) -> None:
    """Counts the parameters and the MACs of all networks, and writes both files."""
    rows = []
    for name in list_networks():
        rows.append(facts(name))
        print(rows[-1], flush=True)
    write_text(RECORD, as_json(rows))
    write_text(RECORDS / "networks.md", HEAD + markdown(rows) + "\n")


if __name__ == "__main__":
    app.run(main)
