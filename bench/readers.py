"""What reading and checking templates costs, as ratios to ``yaml.compose`` of the same text, and the bars that we hold ourselves to.

``python -m bench.readers`` prints a table; CPU seconds are of this machine in this run, the ratios can be compared between runs.
"""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.cold import as_installed

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: CPU seconds, ratio to yaml.compose, the bar in CPU seconds."""

    name: str
    cpu: float
    ratio: float
    bar: float


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


def best(work: Callable[[], object], rounds: int = 3) -> float:
    """The least CPU seconds of a few runs in this process."""
    found = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def cold(command: list[str], rounds: int = 3) -> float:
    """The least CPU seconds of a few runs in a process of their own."""
    found = []
    for _ in range(rounds):  # the first one also compiles what was not yet
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "stackengine.cli.main", *command], capture_output=True, check=True, cwd=ROOT, env=as_installed({}))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def composed(text: str) -> float:
    """CPU seconds of ``yaml.compose`` with the C loader."""
    import yaml

    return best(lambda: yaml.compose(text, Loader=yaml.CSafeLoader))


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


def rows() -> list[Row]:
    """Every measurement."""
    from stackengine.formats.tree import compose
    from stackengine.model.diagnostics import Diagnostics

    gc.set_threshold(100_000, 50, 100)  # as the command line has it
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text, bar in (("validate, 30 lines of HOT, cold", hot(), 0.4), ("validate, CloudFormation, 2,200 resources, cold", cloudformation(), 3.0)):
            file = Path(folder) / "t.yaml"
            file.write_text(text)
            cpu = cold(["--state", folder, "validate", str(file)])
            found.append(Row(name, cpu, cpu / composed(text), bar))
    large, nodes = cloudformation(), tosca()
    read = best(lambda: compose(large, "t.yaml", Diagnostics()))
    found.append(Row("located tree, CloudFormation, 2,200 resources", read, read / composed(large), 1.0))
    graph = best(lambda: to_graph(nodes, "t.yaml"))
    found.append(Row("file to graph, 1,000 tosca.nodes.Compute", graph, graph / composed(nodes), 0.6))
    return found


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    found = rows()
    for row in found:
        print(f"{row.name:50} {row.cpu:6.3f} CPU-s  {row.ratio:6.1f} x yaml.compose  bar {row.bar} {'ok' if row.cpu <= row.bar else 'MISSED'}")
    return 0 if all(r.cpu <= r.bar for r in found) else 1


if __name__ == "__main__":
    sys.exit(main())
