"""yaml.awk reads what PyYAML writes, and says where it cannot."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from stackengine.hosts.guest_image import tiny
from unit.guest.conftest import BUSYBOX, awk

pytestmark = pytest.mark.skipif(not BUSYBOX, reason="busybox is not installed")
HERE = Path(__file__).parent


def read(document: str, folder: Path) -> Any:
    file = folder / "document.yaml"
    file.write_text(document, newline="")
    result = awk([tiny.GUEST / "yaml.awk", HERE / "dump.awk"], FILE=str(file))
    if result.returncode:
        raise ValueError(result.stdout.decode(errors="replace") + result.stderr.decode())
    return plain(json.loads(result.stdout))


def plain(tree: Any) -> Any:
    """The tree of dump.awk as PyYAML would load it."""
    if isinstance(tree, list):
        return [plain(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if "plain" in tree:
        return yaml.safe_load("- " + tree["plain"])[0] if "\n" not in tree["plain"] else tree["plain"]
    if "map" in tree:
        return {key: plain(value) for key, value in tree["map"]}
    ((tag, text),) = tree.items()
    return base64.b64decode(text) if tag == "!!binary" else yaml.safe_load(f"{tag} {json.dumps(text)}")


# what breaks readers of YAML: indicators, spaces at the ends, line breaks, escapes, long lines, what looks like another type
PIECES = st.sampled_from(
    [
        "echo", "hello world", "a: b", "# no", "x #y", "- dash", "key:", '"q"', "it's", "\\", "back\\n", "é", "日本", "😀", "%", "@x", "`c`", "{a}", "[b]",
        "|", ">", "*s", "&a", "!t", "~", "null", "yes", "0644", "1.5", "", "   ", " lead", "trail ", "a\nb", "\n", "\n\n", "\tq", "a\tb", "\x07", "::",
        "http://x.y:80/z", "a,b", '$((1+2)) && "$x"', "''", '\\"', "end\\", "#!/bin/sh\nset -e\n\tfoo\n  bar\n\n\nbaz\n", "l1\n  l2\nl3", "x" * 120,
        "word " * 40, "-", "?", "? x", "---", "...", "\n---\nfoo", "=", "<<", ",", "]",
    ]
)  # fmt: skip

TEXTS = st.lists(PIECES, min_size=1, max_size=3).map("".join) | st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), max_size=20)
KEYS = TEXTS.filter(lambda text: text and text != "<<" and len(text) < 100 and not set(text) & set("\n\x07\x85\u2028\u2029\ufeff"))
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(-9999, 9999) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
STYLES = st.fixed_dictionaries(
    {
        "default_flow_style": st.sampled_from([True, False, False, None]),
        "default_style": st.sampled_from([None, None, None, "'", '"', "|", ">"]),
        "indent": st.sampled_from([None, 2, 4]),
        "width": st.sampled_from([None, 20, 80, 1000]),
        "allow_unicode": st.booleans(),
        "explicit_start": st.booleans(),
    }
)


@pytest.mark.thorough
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES, style=STYLES, shared=st.booleans())
def test_reads_whatever_pyyaml_writes(value: Any, style: dict[str, Any], shared: bool, tmp_path: Path) -> None:
    document = yaml.safe_dump({"a": value, "b": value} if shared else value, **style)
    # YAML 1.1 breaks lines at these too; nobody writes them bare
    assume(not set(document) & set("\x85\u2028\u2029\ufeff"))
    expected = yaml.safe_load(document)
    assert read(document, tmp_path) == expected


@pytest.mark.parametrize(
    "document",
    [
        "a: 1  # comment\n# another\nb:\n  - x # y\n  # between\n  - 'z' # end\n",
        "a:\n- 1\n- - 2\n  - 3\n-   k: v\n    l: w\nb: end\n",
        "runcmd:\n  - |\n    for i in 1 2; do\n      echo $i\n    done\n  - echo plain\n  - [sh, -c, 'echo \"a b\"']\n",
        "a: >-\n  folded\n  text\n\n  more\n    indented\n  end\nb: |+\n  keep\n\n\nc: |2\n    two\n  x\n",
        'a: plain\n  goes on\n\n  and on\nb: "x\\\n  y\\ \\\n  z"\n',
        '{"json": [1, 2, {"x": null}], "s": "\\u00e9\\/"}',
        "[a, [b, {c: d, e: }], 'f, g']\n",
        "---\na: b\n...\nignored: [\n",
        "%YAML 1.1\n---\na: b\n--- \nsecond: x\n",
        "a: &x {k: [1, 2]}\nb: *x\nc:\n  - *x\n  - &y text\n  - *y\n",
        "a: !!str 12\nb: ! x\n".replace("b: ! x\n", ""),
        "a:\n  b:\n    c:\n  d: ~\n",
        'key with spaces: v\n\'quoted: key\': v\n"dq\\"key": v\nhttp://x: y\n',
        "",
        "# only a comment\n",
        "just text\n",
        "'<<': a quoted one is a key like others\n\"<<\" : 1\n",
        "- \n- a\n-\n  b: c\n",
        "a: 'it''sa\n\n  b'\nb: 'x'''\nc: ''''\n",
        "a:   \n  - b\nc: 'it''s'\nd: 'two\n  lines\n\n  here'\n",
        "a\t: b\n".replace("\t", ""),
    ],
)
def test_reads_what_people_write(document: str, tmp_path: Path) -> None:
    expected = next(yaml.safe_load_all(document), None)
    assert read(document, tmp_path) == expected
    assert read(document.replace("\n", "\r\n"), tmp_path) == expected


def test_joins_the_surrogates_of_json(tmp_path: Path) -> None:
    assert read(json.dumps({"s": "é😀"}), tmp_path) == {"s": "é😀"}


@pytest.mark.parametrize(
    ("document", "line", "what"),
    [
        ("a: b: c\n", 1, "a key is not allowed here"),
        ("a: 1\n  b: 2\n", 2, "a key is not allowed here"),
        ("a:\n  b: 1\n c: 2\n", 3, "indented"),
        ("a:\n\tb: 1\n", 2, "tab"),
        ("a: [1, 2\n", 1, "never closed"),
        ("a: 'x\nb: y\n", 2, "never closed"),
        ("a: *gone\n", 1, "unknown alias"),
        ("a: 1\njunk\n", 2, "a key and a colon"),
        ("<<: {a: 1}\n", 1, "merge keys"),
        ('a: "\\q"\n', 1, "wrong escape"),
        ("a: @x\n", 1, "cannot start"),
        ("- a\nb: c\n", 2, "does not belong"),
        ("a: 'x' y\n", 1, "unexpected text"),
        ("a: |x\n  b\n", 1, "wrong header"),
        ("? a\n: b\n", 1, "cannot start"),
    ],
)
def test_says_where_a_document_is_wrong(document: str, line: int, what: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"line {line}: .*{what}"):
        read(document, tmp_path)


def test_reads_long_texts_in_any_style(tmp_path: Path) -> None:
    text = base64.b64encode(bytes(range(256)) * 190).decode()
    lines = "\n".join(text[i : i + 76] for i in range(0, len(text), 76)) + "\n"
    for style in ("|", "'", '"', None):
        assert read(yaml.safe_dump({"a": lines}, default_style=style), tmp_path) == {"a": lines}
        assert read(yaml.safe_dump({"a": text}, default_style=style, width=1 << 20), tmp_path) == {"a": text}
