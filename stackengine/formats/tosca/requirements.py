"""Requirement assignments: what they name, whether it fits, and who fulfils those that name nobody (TOSCA 2.0, 8.5 and 8.6)."""

from __future__ import annotations

from typing import Any

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.capabilities import Requirement, shown
from stackengine.formats.tosca.entities import Entities
from stackengine.formats.tosca.filters import Filters
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.reading import as_pairs, is_null, names, pairs, text
from stackengine.formats.tosca.topology import Context, Link, NodeTemplate
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean

_DIRECTIVES = ("internal", "external")


class Requirements:
    """Reads and fulfils the requirements of every node template."""

    def __init__(self, entities: Entities, functions: Functions) -> None:
        self._entities, self._functions = entities, functions
        self._filters = Filters(functions)
        self._mapped: set[tuple[str, str]] = set()

    def read(self, source: NodeTemplate) -> None:
        """The assignments of one node template."""
        node = source.body.get("requirements")
        if node is not None and not is_null(node):
            for item in node.items:
                if item.kind != "map" or len(item.entries) != 1:
                    source.document.reading.error("S200", f"each requirement of {source.name} is one 'name: …'", item.mark)
            for key, value in as_pairs(node):
                self._assignment(source, key, value)
        self._count(source)

    def _assignment(self, source: NodeTemplate, key: Node, value: Node) -> None:
        definition = source.sections.requirements.get(key.text)
        reading = source.document.reading
        if definition is None and source.type is not None and not source.type.incomplete and not self._functions.native(source):
            hint = did_you_mean(key.text, source.sections.requirements) or f"it has {', '.join(source.sections.requirements) or 'none'}"
            reading.error("S250", f"{source.name} ({source.type.name}) has no requirement {key.text}", key.mark, hint)
            return
        link = Link(source, key.text, len(source.linked(key.text)), definition, value.mark if value.kind == "scalar" else key.mark, source.document)
        if definition is not None:
            link.target_type, link.relationship, link.filters = definition.node, definition.relationship, definition.filters
        if value.kind == "list" or (value.kind == "scalar" and not is_null(value)):
            self._target(link, value)
        elif not self._extended(link, value):
            return
        self._interfaces(link)
        source.links.append(link)

    def _extended(self, link: Link, value: Node) -> bool:
        reading, what = link.document.reading, f"requirement {link.name} of {link.source.name}"
        body = reading.entity(value, "requirement assignment", what, link.mark)
        if body is None:
            return False
        target = body.get("node")
        if target is not None and not is_null(target):
            self._target(link, target)
        self._relationship(link, body.get("relationship"), what)
        self._capability(link, body.get("capability"), what)
        node_filter = body.get("node_filter")
        if node_filter is not None and not is_null(node_filter):
            link.filters = (*link.filters, (node_filter, link.document))
        link.optional = text(body.get("optional")) == "true"
        for directive in names(body.get("directives")):
            if directive.text not in _DIRECTIVES:
                reading.error("S204", f"{what} has no directive {directive.text}", directive.mark, ", ".join(_DIRECTIVES))
            link.external |= directive.text == "external"
        count = body.get("count")
        if count is not None:
            link.count = self._whole(count, link, what)
        link.allocation = {k.text: (k, v) for k, v in pairs(body.get("allocation"))}
        return True

    def _whole(self, node: Node, link: Link, what: str) -> int | None:
        if node.kind == "map" or (node.kind == "scalar" and node.text.startswith("$")):
            return None
        found = scalar_value(node, "core") if node.kind == "scalar" else None
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            link.document.reading.error("S254", f"the count of {what} must be a whole number", node.mark)
            return None
        return found

    def _target(self, link: Link, node: Node) -> None:
        """A node template, [node template, index], or a node type."""
        if node.kind == "list":
            if len(node.items) != 2:
                link.document.reading.error("S251", f"the target of {link.source.name}.{link.name} is a node template and an index", node.mark)
                return
            link.target_index, node = node.items[1], node.items[0]
        name, reading = text(node), link.document.reading
        link.target = self._functions.nodes.get(name)
        if link.target is not None:
            link.mark = node.mark
            return
        found = self._entities.catalog.find("node", name, link.document)
        if found is None or link.target_index is not None:
            reading.error("S251", f"there is no node template {name or '(none named)'}", node.mark, did_you_mean(name, self._functions.nodes))
            link.external = True
            return
        if link.target_type is not None and not found.is_a(link.target_type):
            problem = f"requirement {link.name} of {link.source.name} wants a {link.target_type.name}, and {found.name} is none"
            reading.error("S252", problem, node.mark)
        link.target_type = found

    def _relationship(self, link: Link, node: Node | None, what: str) -> None:
        if node is None or is_null(node):
            return
        reading, catalog = link.document.reading, self._entities.catalog
        body = node
        if node.kind == "scalar":
            found = catalog.find("relationship", node.text, link.document)
            template = self._functions.relationships.get(node.text)
            if template is not None and (found is None or reading.first):
                link.template, found = template, template.type
                link.properties, link.attributes = dict(template.properties), dict(template.attributes)
            elif found is None:
                known = [*self._functions.relationships, *link.document.visible("relationship")]
                reading.error("S256", f"there is no relationship type or template {node.text}", node.mark, did_you_mean(node.text, known))
        else:
            checked = reading.entity(node, "relationship assignment", f"the relationship of {what}")
            if checked is None:
                return
            body, type_node = checked, checked.get("type")
            template = self._functions.relationships.get(text(type_node)) if reading.first else None
            if template is not None:
                link.template, found = template, template.type
                link.properties = dict(template.properties)
            else:
                found = catalog.named("relationship", type_node, link.document, what)
            link.properties |= {k.text: (k, v) for k, v in pairs(body.get("properties"))}
            link.attributes |= {k.text: (k, v) for k, v in pairs(body.get("attributes"))}
            link.assigned = pairs(body.get("interfaces"))
        wanted = link.definition.relationship if link.definition is not None else None
        if found is not None and wanted is not None and not found.is_a(wanted):
            problem = f"the relationship of {what} must be {wanted.name} or derived from it, not {found.name}"
            if reading.first:
                reading.lenient(problem, node.mark)
            else:
                reading.error("S256", problem, node.mark)
        link.relationship = found or link.relationship

    def _capability(self, link: Link, node: Node | None, what: str) -> None:
        if node is None or not text(node):
            return
        wanted = link.definition.capability if link.definition is not None else None
        candidate = link.target.type if link.target is not None else link.target_type
        known = self._entities.sections(candidate).capabilities if candidate is not None else {}
        if node.text in known:
            link.capability, link.capability_type = node.text, known[node.text].type
        else:
            link.capability_type = self._entities.catalog.find("capability", node.text, link.document)
            if link.capability_type is None and (link.target is None or not self._functions.native(link.target)):
                target = link.target.name if link.target is not None else candidate.name if candidate is not None else "the target"
                link.document.reading.error("S252", f"{target} has no capability {node.text}", node.mark, did_you_mean(node.text, known))
        if wanted is not None and link.capability_type is not None and not link.capability_type.is_a(wanted):
            link.document.reading.error("S252", f"{what} wants a capability {wanted.name}, and {node.text} is none", node.mark)

    def _interfaces(self, link: Link) -> None:
        """The relationship's interfaces: of its type, refined by the requirement's definition, assigned in place or by a template."""
        above = link.definition.interfaces if link.definition is not None and link.definition.interfaces is not None else None
        if above is None:
            above = self._entities.sections(link.relationship).interfaces if link.relationship is not None else {}
        if link.template is not None:
            above = link.template.interfaces
        what = f"the relationship of {link.source.name}.{link.name}"
        link.interfaces = self._entities.interfaces.assigned(link.assigned, link.document, above, what) if link.assigned else above

    def _count(self, source: NodeTemplate) -> None:
        """Whether there are enough and not too many of each requirement; those that must be there and are not are added."""
        for name, definition in source.sections.requirements.items():
            given = source.linked(name)
            low, high = definition.count
            if not given:
                for index in range(min(low, 20)):
                    link = Link(source, name, index, definition, source.key.mark, source.document, target_type=definition.node, implicit=True)
                    link.relationship, link.filters = definition.relationship, definition.filters
                    link.interfaces = definition.interfaces or (self._entities.sections(link.relationship).interfaces if link.relationship else {})
                    source.links.append(link)
                continue
            if any(k.count is None for k in given):
                continue
            total = sum(k.count or 0 for k in given)
            needed = sum(k.count or 0 for k in given if not k.optional)
            problem = f"{source.name} has {total} of the requirement {name}, and {shown(definition.count)} are allowed"
            if (high is not None and total > high) or needed < low:
                hint = f"it is defined at {definition.mark}" if definition.mark.line > 1 else ""
                source.document.reading.error("S254", problem, given[-1].mark, hint)

    def fulfil(self, nodes: dict[str, NodeTemplate], mapped: set[tuple[str, str]]) -> None:
        """Check every named target, then find targets for the others; ``mapped``: requirements that a substitution mapping gives away."""
        self._mapped = mapped
        for node in nodes.values():
            for link in node.links:
                if link.target is not None:
                    self._check(link)
        for optional in (False, True):
            for node in nodes.values():
                for link in list(node.links):
                    if link.target is None and link.optional == optional and not link.external:
                        self._find(link)
        for node in nodes.values():
            for link in node.links:
                self._values(link)
            node.links = [k for k in node.links if k.target is not None or not (k.optional or k.implicit)]

    def _values(self, link: Link) -> None:
        """The properties of the relationship."""
        if link.relationship is None or (link.target is not None and self._functions.native(link.target)):
            return
        reading, what = link.document.reading, f"the relationship of {link.source.name}.{link.name}"
        known = link.definitions or self._entities.sections(link.relationship).properties
        context = Context(link.document, link.source, link, relationship=True)
        for name, (key, value) in link.properties.items():
            definition = known.get(name)
            if definition is None:
                reading.error("S230", f"{what} ({link.relationship.name}) has no property {name}", key.mark, did_you_mean(name, known))
            elif definition.fixed is not None:
                reading.error("S234", f"the property {name} of {what} has a fixed value", key.mark, f"it is given at {definition.mark}")
            else:
                self._functions.values.defined(value, definition, context, f"{name} of {what}")
        for name, definition in known.items():
            if definition.required and definition.default is None and definition.fixed is None and name not in link.properties and not link.implicit:
                if reading.first:
                    reading.lenient(f"{what} needs a value for the property {name}", link.mark)
                else:
                    reading.error("S231", f"{what} needs a value for the property {name}", link.mark)

    def _check(self, link: Link) -> None:
        target, definition, reading = link.target, link.definition, link.document.reading
        if target is None or definition is None or target.type is None or self._functions.native(target):
            return
        what = f"requirement {link.name} of {link.source.name}"
        if target.type.incomplete:
            return
        if link.target_type is not None and not target.type.is_a(link.target_type):
            fitting = [n.name for n in self._functions.nodes.values() if n.type is not None and n.type.is_a(link.target_type)]
            hint = f"of this type: {', '.join(fitting[:5])}" if fitting else "no node template here is one"
            reading.error("S252", f"{what} wants a {link.target_type.name}, and {target.name} is a {target.type.name}", link.mark, hint)
            return
        fault = self._unfit(link, target, definition)
        if fault:
            reading.error("S252", f"{target.name} cannot fulfil {what}: {fault}", link.mark)
            return
        self._relate(link)
        failed = self._filters.failed(link)
        if failed is not None:
            reading.error("S253", f"{target.name} does not pass the node filter of {what}", link.mark, f"the filter is at {failed}")
        self._filters.allocate(link)

    def _unfit(self, link: Link, target: NodeTemplate, definition: Requirement) -> str:
        """Why a node cannot be the target; empty where it can. The capability is chosen on the way."""
        wanted = link.capability_type or definition.capability
        name = link.capability or definition.capability_name
        if name:
            if name not in target.sections.capabilities:
                return f"it has no capability {name}"
            fitting = [name]
        elif wanted is not None:
            fitting = [n for n, c in target.sections.capabilities.items() if c.type is not None and c.type.is_a(wanted)]
            if not fitting:
                return f"it has no capability of type {wanted.name}"
        else:
            fitting = list(target.sections.capabilities)
        if not fitting:
            return ""
        faults = [self._barred(link, target, n) for n in fitting]
        best = next((n for n, f in zip(fitting, faults, strict=True) if not f), None)
        if best is None and not link.document.reading.first:
            return faults[0]
        link.capability = best or fitting[0]
        if best is None and link.target is not None and not _normative(target, link.capability):
            link.document.reading.lenient(f"requirement {link.name} of {link.source.name}: {faults[0]}", link.mark)
        return ""

    def _barred(self, link: Link, target: NodeTemplate, name: str) -> str:
        """Why a capability may not be used by this source and relationship."""
        capability, source = target.sections.capabilities[name], link.source.type
        if capability.sources and source is not None and not any(source.is_a(s) for s in capability.sources):
            return f"its capability {name} is for {', '.join(s.name for s in capability.sources)}, not for {source.name}"
        relationship = link.relationship
        if relationship is None:
            return ""
        if capability.relationships and not any(relationship.is_a(r) for r in capability.relationships):
            return f"its capability {name} takes {', '.join(r.name for r in capability.relationships)}, not {relationship.name}"
        sections = self._entities.sections(relationship)
        if sections.valid_capabilities and capability.type is not None and not any(capability.type.is_a(c) for c in sections.valid_capabilities):
            return f"{relationship.name} goes to {', '.join(c.name for c in sections.valid_capabilities)}, and its capability {name} is none"
        if sections.targets and target.type is not None and not any(target.type.is_a(t) for t in sections.targets):
            return f"{relationship.name} goes to {', '.join(t.name for t in sections.targets)}, and {target.name} is none"
        if sections.sources and source is not None and not any(source.is_a(s) for s in sections.sources):
            return f"{relationship.name} comes from {', '.join(s.name for s in sections.sources)}, and {link.source.name} is none"
        return ""

    def _relate(self, link: Link) -> None:
        if link.definition is not None:
            link.definitions = link.definition.properties
        if not link.definitions and link.relationship is not None:
            link.definitions = self._entities.sections(link.relationship).properties

    def _find(self, link: Link) -> None:
        """A target for a requirement that names none: the first node template that fits, each once for one source."""
        definition, source = link.definition, link.source
        if definition is None or "select" in source.directives:
            return
        taken = {id(k.target) for k in source.linked(link.name) if k is not link and k.target is not None and not k.target.counted}
        for node in self._functions.nodes.values():
            if node is source or id(node) in taken or node.type is None or self._functions.native(node) or self._reaches(node, source):
                continue
            if link.target_type is not None and not node.type.is_a(link.target_type):
                continue
            if self._unfit(link, node, definition):
                continue
            link.target = node
            self._relate(link)
            if self._filters.failed(link) is None and self._filters.room(link):
                self._filters.allocate(link)
                return
            link.target, link.capability = None, ""
        self._unfulfilled(link)

    def _unfulfilled(self, link: Link) -> None:
        if link.optional or (link.source.name, link.name) in self._mapped or link.count == 0:
            return
        wanted = link.target_type or (link.definition.capability if link.definition is not None else None)
        what = f"nothing in this template fulfils the requirement {link.name} of {link.source.name}"
        link.document.reading.diagnostics.warning("S255", what, link.mark, f"it wants a {wanted.name}" if wanted is not None else "")

    @staticmethod
    def _reaches(start: NodeTemplate, end: NodeTemplate) -> bool:
        seen: set[int] = set()
        queue: list[Any] = [start]
        while queue:
            node = queue.pop()
            if node is end:
                return True
            if id(node) not in seen:
                seen.add(id(node))
                queue += [k.target for k in node.links if k.target is not None]
        return False


def _normative(target: NodeTemplate, capability: str) -> bool:
    """Whether the list of sources is the profile's own: real templates host everything on Compute."""
    found = target.sections.capabilities[capability]
    return found.document.root is None
