"""The feature table of CloudFormation (``docs/reference/cloudformation.md``), made from the reader's own tables; a test keeps it true."""

from __future__ import annotations

from collections.abc import Iterable

from stackengine.evaluate.levels import SETTABLE
from stackengine.evaluate.outside import QUESTIONS
from stackengine.formats.cfn import functions, limits, parameters, parse, policies, resources, transforms
from stackengine.formats.cfn.shapes import EXAMPLES
from stackengine.registry import Registry, known_foreign_names
from stackengine.testing.tables import code, table, type_section

_HEAD = """\
# CloudFormation

What of CloudFormation's template language and resource types is **supported**, **accepted and ignored** (a notice says why) or **refused** (with the
code of the diagnostic). Made from the reader's own tables; do not edit (`pytest tests/conformance/cfn --update-golden` writes it again).

Templates are JSON or YAML, functions in long or short form. Everything wrong is told in one run, in AWS's own words where those are known.
"""
SECTIONS = {
    "AWSTemplateFormatVersion": "supported: `2010-09-09` (else C101)",
    "HeatTemplateFormatVersion": "supported: `2012-12-12`, Heat's form of the language",
    "Description": "supported",
    "Metadata": "supported; labels of `AWS::CloudFormation::Interface` become labels of parameters; the rest is kept",
    "Transform": "supported as below",
    "Parameters": "supported: every type and constraint",
    "Mappings": "supported (C119: two levels, then a text or a list)",
    "Conditions": "supported",
    "Rules": "supported: a rule that does not hold is P110; `Fn::ValueOf` and `Fn::ValueOfAll` ask AWS about things, and are not checked (C153)",
    "Resources": "supported (C104: at least one)",
    "Outputs": "supported, with exports",
    "Hooks": "refused (C114): there is no CodeDeploy",
    "Globals": "refused with its transform (C163)",
}
ATTRIBUTES = {
    "Type": "supported",
    "Properties": "supported; the whole of it may be `Fn::If`",
    "DependsOn": "supported: a name or a list of names",
    "Condition": "supported",
    "Metadata": "supported, with functions; `stackengine: {…}` says how the resource lives",
    "DeletionPolicy": f"supported: {', '.join(policies.DELETION)}; functions are read when the template is",
    "UpdateReplacePolicy": f"supported: {', '.join(policies.REPLACE)}",
    "CreationPolicy": "`ResourceSignal` of an instance: it is ready when `cfn-signal --resource` in the guest said so; of an Auto Scaling group each instance "
    "waits for one signal of its own. Of other types without effect (C171); C174 for a wait condition without a handle",
    "UpdatePolicy": "accepted and ignored: see below",
    "Version": "accepted and ignored: handlers of custom resources have no versions",
}
OTHER_FUNCTIONS = {
    "Fn::ForEach::NAME": "in Conditions, Resources, Outputs and mappings of properties, nested, with `${X}` and `&{X}`; needs AWS::LanguageExtensions (C129); "
    "the collection is a list, a list parameter, Fn::Split or Fn::FindInMap (C166)",
    "Fn::Transform": "`AWS::Include` of a file beside the template (C161), or a macro (C160, C164, X103), anywhere, beside other keys too",
}
DYNAMIC = {
    "{{resolve:ssm:NAME:VERSION}}": "a record (`AWS::SSM::Parameter`) of another stack, or of the same by `${Name}`; versions are not kept",
    "{{resolve:ssm-secure:NAME:VERSION}}": "the same, as a secret",
    "{{resolve:secretsmanager:ID:SecretString:KEY:STAGE:VERSION}}": "a secret (`AWS::SecretsManager::Secret`), of another stack or of "
    "the same; stages and versions are not kept",
}


def page(registry: Registry) -> str:
    """The whole page in Markdown."""
    parts = [_HEAD, "## Sections", *table(("section", "state"), SECTIONS.items())]
    parts += ["## Parameters", f"Keys: {code(parameters.KEYS)}.", "", f"Types: {code(parameters.TYPES)}. Any other is C132.", ""]
    parts += [f"Pseudo parameters, which `--param` may set: {code(SETTABLE)}; `AWS::NoValue` leaves a value out.", ""]
    parts += ["## Attributes of resources", *table(("attribute", "state"), ((k, ATTRIBUTES[k]) for k in resources.KEYS))]
    parts += table(("UpdatePolicy", "accepted and ignored, because"), policies.UPDATE.items())
    parts += ["## Functions", *_functions(), *table(("function", "state"), OTHER_FUNCTIONS.items())]
    parts += ["## Dynamic references", *table(("reference", "answered by"), ((f"`{k}`", v) for k, v in DYNAMIC.items()), coded=False)]
    parts += ["## Transforms", *table(("transform", "state"), _transforms())]
    limited = ((f"{n} {s}", "warning C170: no limit here") for s, n in limits.COUNTS.items())
    parts += ["## Limits of AWS", *table(("more than", "gives"), limited, coded=False), *_types(registry)]
    return "\n".join(parts).rstrip() + "\n"


def _functions() -> list[str]:
    everything = (*functions.VALUES, *functions.LOGIC, *functions.RULES)
    rows = []
    for name in everything:
        places = [p for p, allowed in functions.ALLOWED.items() if name in allowed]
        note = "needs AWS::LanguageExtensions (C129)" if name in functions.EXTENSIONS else ""
        note = note or ("answered from other stacks" if name in ("Fn::ImportValue", "Fn::GetStackOutput") else "")
        rows.append((name, f"`{EXAMPLES[name]}`", ", ".join(places), note))
    return table(("function", "for example", "allowed in (else C122)", ""), rows)


def _transforms() -> Iterable[tuple[str, str]]:
    yield transforms.EXTENSIONS, "supported"
    yield transforms.INCLUDE, "supported: files beside the template, or at an address that the machine's owner allows (`allow.urls`); S3 is refused (C161)"
    yield "module:function", "supported: a Python entry point that the machine's owner allows (else X103), called as AWS calls a macro's function"
    for name, reason in transforms.IGNORED.items():
        yield name, f"accepted and ignored: {reason}"
    for name, reason in transforms.REFUSED.items():
        yield name, f"refused (C163): {reason}"


def _types(registry: Registry) -> list[str]:
    dialects = sorted((d for d in registry.dialects.values() if d.language == "cfn"), key=lambda d: d.name)
    known = sum(1 for n in known_foreign_names() if n.startswith(("AWS::", "Alexa::")))
    text = (
        f"{len(dialects)} names are mapped to types of ours; `AWS::CloudFormation::Stack` is a template in a file beside its parent (C140,\n"
        f"C141), flattened into one graph. {known} other names of AWS's are known and refused (R110), or only recorded with `--accept-inert`;\n"
        "`AWS::CloudFormation::Macro` among them: a macro is named by its Python entry point. A property that stands nowhere here is V101.\n"
        "Properties of the mapped types are checked by AWS's own schemas, by the names that the template writes (V101, V102, V103)."
    )
    parts = ["## Resource types", "", text, ""]
    for dialect in dialects:
        parts += type_section(dialect, registry, whose="AWS's")
    return parts


def unlisted() -> list[str]:
    """What the reader knows and the page does not say."""
    known = {*parse.SECTIONS, *resources.KEYS, *EXAMPLES}
    return sorted(known - {*SECTIONS, *ATTRIBUTES, *functions.VALUES, *functions.LOGIC, *functions.RULES}) + [q for q in QUESTIONS if q not in ANSWERED]


ANSWERED = ("import_value", "stack_output", "record_value", "dynamic_reference")
"""Questions to other stacks that the page speaks of."""
