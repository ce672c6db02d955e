"""(h) What reading and checking templates costs: CPU seconds against the bars that we hold ourselves to, and as ratios to ``yaml.compose`` of the same text."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import cold
from bench.table import Row, Section

TEXT = (
    "CPU seconds, of cold processes where it says so (interpreter and imports included); the remark is the ratio to `yaml.compose` of the same text by the C "
    "loader, which can be compared between machines."
)


def cloudformation(resources: int = 2200) -> str:
    """A CloudFormation template of about 1 MB with 2,200 resources."""
    lines = ["AWSTemplateFormatVersion: '2010-09-09'", "Parameters:", "  Env: {Type: String, Default: dev}", "Resources:"]
    for n in range(resources):
        lines += [
            f"  Server{n}:", "    Type: AWS::EC2::Instance", "    Properties:", "      ImageId: tiny", "      InstanceType: t2.micro",
            f"      KeyName: key{n % 7}",
            "      UserData:", "        Fn::Base64: !Sub |", "          #!/bin/sh", f"          echo hello from ${{AWS::StackName}} number {n} of {resources}",
            f"          logger --tag start 'server {n} runs now in environment ${{Env}}'", "          exit 0", "      Tags:", "        - Key: Name",
            f"          Value: !Sub 'server-${{Env}}-{n}'", "        - {Key: Owner, Value: !Ref Env}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def tosca(nodes: int = 1000) -> str:
    """A TOSCA 1.3 file of 1,000 ``tosca.nodes.Compute``."""
    lines = ["tosca_definitions_version: tosca_simple_yaml_1_3", "topology_template:", "  node_templates:"]
    for n in range(nodes):
        lines += [
            f"    node_{n}:", "      type: tosca.nodes.Compute", "      capabilities:", "        host: {properties: {num_cpus: 1, mem_size: 512 MB}}",
            "        os: {properties: {image: tiny}}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def hot(resources: int = 6) -> str:
    """A HOT file of about 30 lines."""
    lines = ["heat_template_version: 2018-08-31", "parameters:", "  image: {type: string, default: tiny}", "resources:"]
    for n in range(resources):
        lines += [f"  web{n}:", "    type: OS::Nova::Server", "    properties:", "      image: {get_param: image}", "      flavor: tiny"]
    return "\n".join(lines) + "\n"


def timed(work: Callable[[], object], rounds: int) -> list[float]:
    """The CPU seconds of a few runs in this process."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return found


def composed(text: str, rounds: int) -> float:
    """CPU seconds of ``yaml.compose`` with the C loader."""
    import yaml

    return statistics.median(timed(lambda: yaml.compose(text, Loader=yaml.CSafeLoader), rounds))


def to_graph(text: str, name: str) -> None:
    """From text to resources with their edges; raises where the template has errors."""
    from stackengine import formats, registry
    from stackengine.evaluate import evaluate
    from stackengine.model.diagnostics import Diagnostics, InvalidTemplateError

    diagnostics = Diagnostics()
    template = formats.load(text, name, formats.NoReader(), diagnostics)
    types = registry.load(entry_points=False)
    if template is None or evaluate(template, {}, types, stack_name="s", stack_id="1", diagnostics=diagnostics) is None:
        raise InvalidTemplateError(diagnostics)


def measure(quick: bool) -> Section:
    """All lines of this part."""
    from stackengine.formats.tree import compose
    from stackengine.model.diagnostics import Diagnostics

    rounds = 3 if quick else 5
    large, nodes = cloudformation(220 if quick else 2200), tosca(100 if quick else 1000)
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)  # as the command line has it
    try:
        rows = [
            _validated("validate, 30 lines of HOT, a cold process", hot(), 0.4, rounds),
            _validated("validate, CloudFormation of 1 MB, 2,200 resources, a cold process", large, 3.0, rounds),
            _row("located tree of that file", timed(lambda: compose(large, "t.yaml", Diagnostics()), rounds), large, 1.0),
            _row("file to graph, 1,000 tosca.nodes.Compute", timed(lambda: to_graph(nodes, "t.yaml"), rounds), nodes, 0.6),
        ]
    finally:
        gc.set_threshold(*before)
    return Section("(h) Reading templates", TEXT, rows)


def _validated(what: str, text: str, limit: float, rounds: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="se-bench-") as folder:
        file = Path(folder) / "t.yaml"
        file.write_text(text)
        cold.stack_run("validate", str(file), state=Path(folder))  # once for the file cache and the byte code
        return _row(what, [cold.stack_run("validate", str(file), state=Path(folder)).cpu for _ in range(rounds)], text, limit)


def _row(what: str, values: list[float], text: str, limit: float) -> Row:
    return Row(f"{what}: CPU", values, limit, "s", f"{statistics.median(values) / composed(text, 3):.1f} × yaml.compose")
