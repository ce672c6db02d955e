"""Archives and imports: every kind is read; what leads out or grows is refused."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from conformance.tosca.tosca_cases import errors, read
from stackengine import formats
from stackengine.formats.detect import is_archive
from stackengine.formats.tosca import csar
from stackengine.model.diagnostics import Diagnostics

SERVICE = "tosca_definitions_version: tosca_2_0\nimports: [types/t.yaml]\nservice_template: {node_templates: {n: {type: N}}}\n"
TYPES = "tosca_definitions_version: tosca_2_0\nimports: [/more.yaml]\nnode_types: {N: {derived_from: M}}\n"
MORE = "tosca_definitions_version: tosca_2_0\nnode_types: {M: {}}\n"
META = "TOSCA-Meta-File-Version: 1.0\nCSAR-Version: {}\nCreated-By: us\nEntry-Definitions: service.yaml\n"
FILES = {"service.yaml": SERVICE, "types/t.yaml": TYPES, "more.yaml": MORE}


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def tarred(files: dict[str, str], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]  # a mode in a variable
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


def opened(data: bytes) -> list[str]:
    diagnostics = Diagnostics()
    assert is_archive(data)
    found = csar.open_archive(data, "a.csar", diagnostics)
    if found is not None:
        formats.load(found[0].read(found[1], ""), found[1], found[0], diagnostics)
    return [d.code for d in diagnostics.errors]


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0"])
@pytest.mark.parametrize("pack", [zipped, tarred, lambda f: tarred(f, "w")])
@pytest.mark.parametrize("meta", ["TOSCA.meta", "TOSCA-Metadata/TOSCA.meta"])
def test_an_archive_is_read(version: str, pack: object, meta: str) -> None:
    assert opened(pack({meta: META.format(version), **FILES})) == []  # type: ignore[operator]  # one of the packers


def test_an_archive_without_meta_has_its_only_root_file() -> None:
    assert opened(zipped({"service.yaml": SERVICE.replace("types/t.yaml", "types/u.yaml"), "types/u.yaml": MORE.replace("M:", "N:")})) == []


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"TOSCA.meta": META.format("3.0"), **FILES}, "S296"),
        ({"TOSCA.meta": META.format("1.1")}, "S296"),
        ({"TOSCA.meta": META.format("1.1"), "TOSCA-Metadata/TOSCA.meta": META.format("1.1"), **FILES}, "S296"),
        ({"a.yaml": MORE, "b.yaml": MORE}, "S296"),
        ({"../out.yaml": MORE}, "S297"),
        ({"/etc/out.yaml": MORE}, "S297"),
        ({"service.yaml": SERVICE.replace("types/t.yaml", "../../secret.yaml")}, "S210"),
        ({"service.yaml": "x" * (9 << 20)}, "S296"),
    ],
)
def test_an_archive_that_is_not_in_order_is_refused(files: dict[str, str], code: str) -> None:
    assert code in opened(zipped(files))


def test_a_broken_archive_is_refused() -> None:
    assert opened(zipped(FILES)[:60]) == ["S295"]
    assert opened(b"\x1f\x8b" + b"\0" * 40) == ["S295"]


def test_imports_of_every_form() -> None:
    other = "tosca_definitions_version: tosca_simple_yaml_1_0\nnode_types: {my.N: {derived_from: tosca.nodes.Root}}\n"
    for written in ("- o.yaml", "- file: o.yaml", "- some: o.yaml", "- some: {file: o.yaml}", "- {file: o.yaml, namespace_uri: 'http://x'}"):
        text = f"tosca_definitions_version: tosca_simple_yaml_1_0\nimports:\n{written}\ntopology_template: {{node_templates: {{n: {{type: my.N}}}}}}\n"
        assert errors(text, {"o.yaml": other}) == []
    text = "tosca_definitions_version: tosca_simple_yaml_1_3\nimports: [{file: o.yaml, namespace_prefix: p}]\ntopology_template: {node_templates: {n: {type: 'p:my.N'}}}\n"
    assert errors(text, {"o.yaml": other}) == []
    assert errors(text.replace("p:my.N", "my.N"), {"o.yaml": other}) != []


def test_files_may_import_each_other() -> None:
    a = "tosca_definitions_version: tosca_2_0\nimports: [b.yaml]\nnode_types: {A: {derived_from: B}}\n"
    b = "tosca_definitions_version: tosca_2_0\nimports: [t.yaml]\nnode_types: {B: {}}\n"
    assert errors(a, {"b.yaml": b, "t.yaml": a}) == []


def test_nested_namespaces_and_a_profile_beside_the_template() -> None:
    profile = "tosca_definitions_version: tosca_2_0\nprofile: org.base:v1\nnode_types: {Base: {}}\n"
    mine = "tosca_definitions_version: tosca_2_0\nimports: [{profile: 'org.base:v1', namespace: b}]\nnode_types: {Mine: {derived_from: 'b:Base'}}\n"
    text = "tosca_definitions_version: tosca_2_0\nimports: [{url: mine.yaml, namespace: my}]\nservice_template: {node_templates: {a: {type: 'my:Mine'}, c: {type: 'my:b:Base'}}}\n"
    assert errors(text, {"mine.yaml": mine, "base.yaml": profile}) == []


def test_names_of_one_namespace_that_two_files_define() -> None:
    other = "tosca_definitions_version: tosca_2_0\nnode_types: {N: {}}\n"
    text = "tosca_definitions_version: tosca_2_0\nimports: [{url: o.yaml}]\nnode_types: {N: {}}\n"
    assert errors(text, {"o.yaml": other})[0].startswith("S205")
    assert errors(text.replace("o.yaml}", "o.yaml, namespace: o}"), {"o.yaml": other}) == []


def test_a_substituted_node_is_its_template() -> None:
    child = "tosca_definitions_version: tosca_2_0\nimports: [types.yaml]\nservice_template:\n  inputs: {n: {type: string}}\n  substitution_mappings: {node_type: Abstract, properties: {name: n}, attributes: {said: out}}\n  node_templates: {inner: {type: Concrete, properties: {name: {$get_input: n}}}}\n  outputs: {out: {value: {$get_property: [inner, name]}}}\n"
    types = "tosca_definitions_version: tosca_2_0\nnode_types:\n  Abstract: {properties: {name: {type: string}}, attributes: {said: {type: string}}}\n  Concrete: {properties: {name: {type: string}}}\n"
    parent = "tosca_definitions_version: tosca_2_0\nimports: [types.yaml, child.yaml]\nservice_template:\n  node_templates: {a: {type: Abstract, directives: [substitute], properties: {name: x}}}\n  outputs: {o: {value: {$get_attribute: [a, said]}}}\n"
    template, diagnostics = read(parent, {"types.yaml": types, "child.yaml": child})
    assert template is not None, [str(d) for d in diagnostics]
    nested = template.resources["a"].nested
    assert nested is not None
    assert nested.template is not None
    assert set(nested.template.resources) == {"inner"}
