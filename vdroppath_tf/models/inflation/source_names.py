"""Which layer of a 2D network becomes which of ours: one table per family and way of naming.

In the tables a letter in braces is a number counted from 1; ``{b0}`` is the same number counted
from 0 and ``{s2}`` counted from 2. ``{path}`` is ``spatial`` or ``spatiotemporal``. The first line
that matches counts.
"""

from __future__ import annotations

import re
from functools import cache

Table = tuple[tuple[str, str], ...]  # (our layer, layer of the source)

_BLOCK = "stage{s}_block{b}"
RESNET_KERAS: Table = (
    ("stem_conv", "conv1_conv"),
    ("stem_bn", "conv1_bn"),
    (f"{_BLOCK}_fusion/{{path}}", "conv{s2}_block{b}_1_conv"),
    (f"{_BLOCK}_fusion_bn", "conv{s2}_block{b}_1_bn"),
    (f"{_BLOCK}_conv", "conv{s2}_block{b}_2_conv"),
    (f"{_BLOCK}_conv_bn", "conv{s2}_block{b}_2_bn"),
    (f"{_BLOCK}_expand", "conv{s2}_block{b}_3_conv"),
    (f"{_BLOCK}_expand_bn", "conv{s2}_block{b}_3_bn"),
    (f"{_BLOCK}_shortcut_conv", "conv{s2}_block{b}_0_conv"),
    (f"{_BLOCK}_shortcut_bn", "conv{s2}_block{b}_0_bn"),
    ("classifier", "predictions"),
)
RESNET_TORCH: Table = (
    ("stem_conv", "conv1"),
    ("stem_bn", "bn1"),
    (f"{_BLOCK}_fusion/{{path}}", "layer{s}.{b0}.conv1"),
    (f"{_BLOCK}_fusion_bn", "layer{s}.{b0}.bn1"),
    (f"{_BLOCK}_conv", "layer{s}.{b0}.conv2"),
    (f"{_BLOCK}_conv_bn", "layer{s}.{b0}.bn2"),
    (f"{_BLOCK}_expand", "layer{s}.{b0}.conv3"),
    (f"{_BLOCK}_expand_bn", "layer{s}.{b0}.bn3"),
    (f"{_BLOCK}_shortcut_conv", "layer{s}.{b0}.downsample.0"),
    (f"{_BLOCK}_shortcut_bn", "layer{s}.{b0}.downsample.1"),
    ("classifier", "fc"),
)
DENSENET_KERAS: Table = (
    ("stem_conv", "conv1_conv"),
    ("stem_bn", "conv1_bn"),
    ("B{b}.L{l}/{path}_bn", "conv{b2}_block{l}_0_bn"),
    ("B{b}.L{l}/{path}", "conv{b2}_block{l}_1_conv"),
    ("B{b}.L{l}_bn", "conv{b2}_block{l}_1_bn"),
    ("B{b}.L{l}_conv", "conv{b2}_block{l}_2_conv"),
    ("T{t}/{path}_bn", "pool{t2}_bn"),
    ("T{t}/{path}", "pool{t2}_conv"),
    ("features_bn", "bn"),
    ("classifier", "predictions"),
)
_DENSE = "features.denseblock{b}.denselayer{l}"
DENSENET_TORCH: Table = (
    ("stem_conv", "features.conv0"),
    ("stem_bn", "features.norm0"),
    ("B{b}.L{l}/{path}_bn", f"{_DENSE}.norm1"),
    ("B{b}.L{l}/{path}", f"{_DENSE}.conv1"),
    ("B{b}.L{l}_bn", f"{_DENSE}.norm2"),
    ("B{b}.L{l}_conv", f"{_DENSE}.conv2"),
    ("T{t}/{path}_bn", "features.transition{t}.norm"),
    ("T{t}/{path}", "features.transition{t}.conv"),
    ("features_bn", "features.norm5"),
    ("classifier", "classifier"),
)
MOBILENET_V2_KERAS: Table = (
    ("stem_conv", "Conv1"),
    ("stem_bn", "bn_Conv1"),
    ("block1_depthwise", "expanded_conv_depthwise"),
    ("block1_depthwise_bn", "expanded_conv_depthwise_BN"),
    ("block1_project", "expanded_conv_project"),
    ("block1_project_bn", "expanded_conv_project_BN"),
    ("block{b}_fusion/{path}", "block_{b0}_expand"),
    ("block{b}_fusion/{path}_bn", "block_{b0}_expand_BN"),
    ("block{b}_depthwise", "block_{b0}_depthwise"),
    ("block{b}_depthwise_bn", "block_{b0}_depthwise_BN"),
    ("block{b}_project", "block_{b0}_project"),
    ("block{b}_project_bn", "block_{b0}_project_BN"),
    ("head_conv", "Conv_1"),
    ("head_bn", "Conv_1_bn"),
    ("classifier", "predictions"),
)
MOBILENET_V2_TORCH: Table = (
    ("stem_conv", "features.0.0"),
    ("stem_bn", "features.0.1"),
    ("block1_depthwise", "features.1.conv.0.0"),
    ("block1_depthwise_bn", "features.1.conv.0.1"),
    ("block1_project", "features.1.conv.1"),
    ("block1_project_bn", "features.1.conv.2"),
    ("block{b}_fusion/{path}", "features.{b}.conv.0.0"),
    ("block{b}_fusion/{path}_bn", "features.{b}.conv.0.1"),
    ("block{b}_depthwise", "features.{b}.conv.1.0"),
    ("block{b}_depthwise_bn", "features.{b}.conv.1.1"),
    ("block{b}_project", "features.{b}.conv.2"),
    ("block{b}_project_bn", "features.{b}.conv.3"),
    ("head_conv", "features.18.0"),
    ("head_bn", "features.18.1"),
    ("classifier", "classifier.1"),
)

# spellings of published files -> today's, for both ways of naming
OLDER_SPELLINGS = (
    (r"(probs|fc1000|Logits)(?=/)", "predictions"),
    (r"mobl0_conv_0_(\w+)", r"expanded_conv_\1"),
    (r"bn0_conv_0_bn_(\w+)", r"expanded_conv_\1_BN"),
    (r"mobl(\d+)_conv_\d+_(\w+)", r"block_\1_\2"),
    (r"bn(\d+)_conv_\d+_bn_(\w+)", r"block_\1_\2_BN"),
    (r"(.*/)depthwise_kernel", r"\1kernel"),
    (r"(features\.denseblock\d+\.denselayer\d+\.(?:norm|conv))\.([12]\..*)", r"\1\2"),
)


def respelt(name: str) -> str:
    """The name as today's networks spell it."""
    for old, new in OLDER_SPELLINGS:
        name = re.sub(rf"^{old}", new, name)
    return name


@cache
def _pattern(template: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        name = match[1]
        return rf"(?P<{name}>{'spatial|spatiotemporal' if name == 'path' else '[0-9]+'})"

    return re.compile(re.sub(r"\\\{(\w+)\\\}", group, re.escape(template)))


def _numbers(groups: dict[str, str]) -> dict[str, int]:
    """``{"s2": "3"}`` to ``{"s0": 1, "s": 2, "s2": 3}``."""
    found: dict[str, int] = {}
    for name, text in groups.items():
        if name != "path":
            n = int(text) - {"0": -1, "2": 1}.get(name[1:], 0)
            found |= {f"{name[0]}0": n - 1, name[0]: n, f"{name[0]}2": n + 1}
    return found


def source_layer(table: Table, layer: str) -> str | None:
    """The source's name for one of our layers; None where it has no such layer."""
    for ours, theirs in table:
        match = _pattern(ours).fullmatch(layer)
        if match:
            return theirs.format(**_numbers(match.groupdict()))
    return None


def our_layer(table: Table, layer: str) -> str | None:
    """Our name for a layer of the source (its S path, where it has paths); None for an unknown."""
    for ours, theirs in table:
        match = _pattern(theirs).fullmatch(layer)
        if match:
            return ours.format(path="spatial", **_numbers(match.groupdict()))
    return None
