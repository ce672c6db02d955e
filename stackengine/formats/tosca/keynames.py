"""Which keys each entity has in which version, of which shape: the one table behind "unknown key" and "since version".

A line is ``key[!][=shape][@first[-last]]``: ``!`` mandatory, the shape ``s`` text, ``m`` map, ``l`` list, ``b`` boolean, ``n`` list of names,
``x`` text or map (left out: anything). Sources: Simple Profile in YAML 1.0 to 1.3 (chapter 3) and TOSCA 2.0 (chapters 6 to 16), tables of keynames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from stackengine.formats.tosca.versions import ORDER

_TYPE = "derived_from=s version metadata=m description=s"
_DEFINED = "type!=s description=s metadata=m status=s constraints=l@1.0-1.3 validation@2.0 key_schema=x@1.3 entry_schema=x default"
_TABLE = {
    "file": "tosca_definitions_version!=s description=s metadata=m dsl_definitions imports=l repositories=m artifact_types=m data_types=m capability_types=m"
            " interface_types=m relationship_types=m node_types=m group_types=m policy_types=m topology_template=m@1.0-1.3 namespace=s@1.2-1.3"
            " template_name=s@1.0-1.3 template_author=s@1.0-1.3 template_version@1.0-1.3 service_template=m@2.0 profile=s@2.0 functions=m@2.0",
    "import": "file=s@1.0-1.3 repository=s namespace_uri=s@1.0-1.3 namespace_prefix=s@1.0-1.3 url=s@2.0 profile=s@2.0 namespace=s@2.0 description=s@2.0"
              " metadata=m@2.0",
    "repository": "description=s url!=s credential@1.0-1.3 metadata=m@2.0",
    "artifact type": f"{_TYPE} mime_type=s file_ext=n properties=m",
    "artifact": "type!=s file!=s repository=s description=s deploy_path=s@1.0-1.3 version@1.3 artifact_version@1.3 checksum=s@1.3 checksum_algorithm=s@1.3"
                " properties=m metadata=m",
    "data type": f"{_TYPE} constraints=l@1.0-1.3 validation@2.0 properties=m key_schema=x@1.3 entry_schema=x@1.3 data_type=s@2.0 units=m@2.0"
                 " canonical_unit=s@2.0 prefixes=m@2.0",
    "schema": "type!=s description=s constraints=l@1.0-1.3 validation@2.0 key_schema=x@1.3 entry_schema=x metadata=m@2.0",
    "property": f"{_DEFINED} required=b value@2.0 external-schema@1.3-1.3",
    "attribute": _DEFINED,
    "parameter": f"{_DEFINED.replace('type!', 'type')} required=b value mapping@1.3",
    "capability type": f"{_TYPE} properties=m attributes=m valid_source_types=n@1.0-1.3 valid_source_node_types=n@2.0 valid_relationship_types=n@2.0",
    "capability definition": "type!=s description=s properties=m attributes=m valid_source_types=n@1.0-1.3 occurrences=l@1.0-1.3"
                             " valid_source_node_types=n@2.0 valid_relationship_types=n@2.0 metadata=m",
    "capability assignment": "properties=m attributes=m occurrences=l@1.3-1.3 directives=n@2.0 description=s@2.0 metadata=m@2.0",
    "requirement definition": "description=s metadata=m capability!=s node=s relationship=x occurrences=l@1.0-1.3 node_filter count_range=l@2.0",
    "relationship definition": "type!=s interfaces=m description=s@2.0 metadata=m@2.0 properties=m@2.0 attributes=m@2.0",
    "requirement assignment": "node capability=s relationship=x node_filter occurrences=l@1.0-1.3 count@2.0 allocation=m@2.0 directives=n@2.0 optional=b@2.0"
                              " description=s@2.0 metadata=m@2.0",
    "relationship assignment": "type=s properties=m attributes=m interfaces=m description=s@2.0 metadata=m@2.0",
    "relationship type": f"{_TYPE} properties=m attributes=m interfaces=m valid_target_types=n@1.0-1.3 valid_capability_types=n@2.0"
                         " valid_target_node_types=n@2.0 valid_source_node_types=n@2.0",
    "relationship template": "type!=s description=s metadata=m properties=m attributes=m interfaces=m copy=s",
    "interface type": f"{_TYPE} inputs=m operations=m@1.3 notifications=m@1.3",
    "interface definition": "type=s description=s metadata=m inputs=m operations=m@1.3 notifications=m@1.3",
    "interface assignment": "type=s@1.0-1.3 inputs=m operations=m@1.3 notifications=m@1.3 description=s metadata=m@2.0",
    "operation": "description=s implementation=x inputs=m outputs=m@1.3 metadata=m@2.0",
    "notification": "description=s implementation=x inputs=m@2.0 outputs=m metadata=m@2.0",
    "implementation": "primary=x dependencies=l timeout@1.2 operation_host=s@1.0-1.3 description=s@2.0 metadata=m@2.0",
    "node type": f"{_TYPE} attributes=m properties=m requirements=l capabilities=m interfaces=m artifacts=m",
    "group type": f"{_TYPE} properties=m attributes=m members=n interfaces=m@1.0-1.3 requirements=l@1.0-1.3 capabilities=m@1.0-1.3",
    "policy type": f"{_TYPE} properties=m targets=n triggers=m@1.1",
    "service template": "description=s metadata=m@2.0 inputs=m outputs=m node_templates=m relationship_templates=m groups=m policies=l"
                        " substitution_mappings=m workflows=m@1.1 functions=m@2.0",
    "node template": "type!=s description=s metadata=m directives properties=m attributes=m requirements=l capabilities=m interfaces=m artifacts=m node_filter"
                     " copy=s occurrences=l@1.3-1.3 count@2.0",
    "group": "type!=s description=s metadata=m properties=m attributes=m members=n interfaces=m@1.0-1.3",
    "policy": "type!=s description=s metadata=m properties=m targets=n triggers=m@1.1",
    "trigger": "description=s event! event_type@1.1-1.3 schedule@1.1-1.3 target_filter@1.1-1.3 condition action! constraint@1.1-1.2 period@1.1-1.2"
               " evaluations@1.1-1.2 method@1.1-1.2 metadata=m@2.0",
    "event filter": "node!=s requirement=s capability=s",
    "workflow": "description=s metadata=m inputs=m preconditions=l@1.1-1.3 precondition@2.0 steps=m implementation=x@1.3 outputs=m@1.3",
    "precondition": "target!=s target_relationship=s condition=l",
    "step": "target!=s target_relationship=s operation_host=s@1.1-1.3 filter=l activities!=l on_success on_failure description=s@2.0 metadata=m@2.0",
    "delegate activity": "workflow=s inputs=m",
    "call_operation activity": "operation!=s inputs=m",
    "inline activity": "workflow!=s inputs=m",
    "substitution mappings": "node_type!=s properties=m@1.2 attributes=m@1.3 capabilities=m requirements interfaces=m@1.2 substitution_filter@1.3"
                             " description=s@2.0 metadata=m@2.0 directives@1.2-1.3",
    "node filter": "properties=l@1.0-1.3 capabilities=l@1.0-1.3",
    "function": "signatures!=l description=s metadata=m",
    "signature": "arguments=l optional_arguments=l variadic=b result=x implementation=x description=s metadata=m",
}  # fmt: skip

_SPELLING = {
    "import": {"url": "file", "namespace": "namespace_prefix"},
    "requirement definition": {"count_range": "occurrences"},
    "capability type": {"valid_source_node_types": "valid_source_types"},
    "capability definition": {"valid_source_node_types": "valid_source_types"},
    "relationship type": {"valid_capability_types": "valid_target_types"},
    "workflow": {"precondition": "preconditions"},
    "file": {"service_template": "topology_template"},
}
"""How 1.x writes a key of 2.0: older documents are read through this table as if they were written in 2.0."""
MOVED = {new: old for names in _SPELLING.values() for new, old in names.items()} | {"validation": "constraints"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an entity."""

    name: str
    mandatory: bool
    shape: str
    first: str
    last: str

    def in_version(self, version: str) -> bool:
        """Whether a version has it."""
        return ORDER.index(self.first) <= ORDER.index(version) <= ORDER.index(self.last)


_LINE = re.compile(r"(?P<name>[\w-]+)(?P<must>!?)(=(?P<shape>\w))?(@(?P<first>[\d.]+)(-(?P<last>[\d.]+))?)?\Z")


@cache
def keys_of(entity: str) -> dict[str, Key]:
    """Every key of an entity, of whatever version."""
    found = {}
    for word in _TABLE[entity].split():
        match = _LINE.match(word)
        assert match is not None, word
        found[match["name"]] = Key(match["name"], bool(match["must"]), match["shape"] or "", match["first"] or ORDER[0], match["last"] or ORDER[-1])
    return found


@cache
def known_keys(entity: str, version: str) -> dict[str, Key]:
    """The keys that an entity has in a version."""
    return {n: k for n, k in keys_of(entity).items() if k.in_version(version)}


@cache
def mandatory_keys(entity: str, version: str) -> tuple[str, ...]:
    """The keys that must be there."""
    return tuple(n for n, k in known_keys(entity, version).items() if k.mandatory)


def entities() -> tuple[str, ...]:
    """Every entity of the table."""
    return tuple(_TABLE)


def spelled(entity: str, key: str, version: str) -> str:
    """How ``version`` writes a key of 2.0."""
    return key if version == "2.0" else _SPELLING.get(entity, {}).get(key, key)
