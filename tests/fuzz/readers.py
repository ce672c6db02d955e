"""What the fuzzers feed: every reader, from text to evaluated template. Whatever comes in, only diagnostics may come out."""

from __future__ import annotations

from collections.abc import Callable

from stackengine import formats, registry
from stackengine.evaluate import explore
from stackengine.formats import environment
from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError
from stackengine.service.types import ServiceError

TYPES = registry.load((), entry_points=False)
HEADS = {
    "hot": "heat_template_version: 2021-04-16\n",
    "cfn": "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::LanguageExtensions\n",
    "tosca": "tosca_definitions_version: tosca_simple_yaml_1_3\n",
    "tosca2": "tosca_definitions_version: tosca_2_0\n",
    "json": "",
    "environment": "",
}
"""What each reader's texts begin with, so that the fuzzer need not find it."""


def template(text: str) -> None:
    """Read and evaluate a template."""
    diagnostics = Diagnostics()
    found = formats.load(text, "fuzzed.yaml", formats.NoReader(), diagnostics, lenient=True)
    if found is not None:
        explore(found, {}, TYPES, stack_name="s", stack_id="1", diagnostics=diagnostics, native=Diagnostics())
    for d in diagnostics:
        assert d.code, d
        assert d.summary, d


def environment_file(text: str) -> None:
    """Read an environment file."""
    try:
        files = environment.read([("e.yaml", text)], Diagnostics())
        environment.merged(files.layers, {}, Diagnostics())
    except (InvalidTemplateError, ServiceError):
        return


def reader(name: str) -> Callable[[str], None]:
    """The reader of a name, which adds its head."""
    if name == "environment":
        return environment_file
    return lambda text: template(HEADS[name] + text)
