"""The seam by which a format hands over nested templates; ``evaluate`` flattens them into one graph.

**For a format.** What ``parse`` gets as its reader is a :class:`Loader`: a Reader (``read``) that also loads templates. A resource that
stands for more than one object gets a :class:`~stackengine.model.template.Nested`; its type is then never looked up in the registry:

* a file as a type (HOT), or a type that an environment file maps::

      kind = loader.kind_of(type_node.text, logical_id, file, type_node.mark)     # the type after the environment's mappings
      if kind.template is not None:                                               # it is a template; its properties are its parameters
          nested = Nested("stack", kind.template, mark=type_node.mark)
      elif kind.missing: return None                                              # it should have been one; reported already
      else: type = kind.name                                                      # an ordinary type, perhaps mapped to another name

* a template by name (``TemplateURL``, ``!Include``): ``Nested("stack", loader.child(name, file, mark), bindings=parameters_expr, mark=mark)``;
* a template as text or as a mapping in the parent (``OS::Heat::Stack`` property ``template``): ``loader.inline(text, name, mark)``;
* ``OS::Heat::ResourceGroup``: ``Nested("group", members=(definition,), count=expr, index_variable="%index%", removed=expr, mark=mark)``
  where ``definition`` is a :class:`~stackengine.model.template.Resource` of the parent's scope (its ``logical_id`` does not count) that
  may be nested itself (then the index is put into its bindings, too);
* ``OS::Heat::ResourceChain``: ``Nested("chain", members=(one Resource per link,), concurrent=expr)``; where the list of links is an expression,
  ``types=expr`` and ``members=(one Resource per type that it may name, with that as its logical_id)``;
* TOSCA substitution: ``Nested("substitution", template, bindings=Map(input -> expr of the parent), attributes={name: expr of the child},
  ref=Ref("the node in the child that stands for the whole"))``; requirements of the parent that end at a node inside are ``Attr(node, (name,))``
  with such an attribute.

None from ``child``/``inline`` means that the error is reported already: leave the resource out. Where a format itself finds that a template
cannot be had (its name is not known before evaluation), ``loader.unread(reason, mark)`` reports that and gives what to put in its place.

**What it means** (:mod:`stackengine.evaluate.nested`): paths are ``parent/child`` and ``group/0/child``. Attributes of a stack: its outputs by
name, ``outputs`` (all; also ``outputs.NAME``, ``Outputs.NAME``), ``resource.NAME[.ATTRIBUTE]``, ``stack_name``, ``stack_id``. Of a group or
chain: ``refs``, ``refs_map``, ``attributes.NAME`` and ``outputs.NAME`` (by member), ``outputs_list.NAME``, ``resource.KEY[.ATTRIBUTE]``,
``removed_rsrc_list``, ``current_size``, and any other name gives the list of it over all members. Spell them as
``Attr(target, (Literal("resource.0.ip"),))`` or with more parts; both mean the same.

**Environment files**: ``formats.load(…, types=mapping)`` takes a :class:`TypeMapping`; the loader asks it in ``kind_of``.

Diagnostics: N101 cannot be read, N102 files that include each other, N103 nested too deep; the others are ``evaluate``'s.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from stackengine.formats.reader import Macros, Reader
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark
from stackengine.model.template import Source, Template

MAX_DEPTH = 16
"""Files within files."""
SUFFIXES = (".yaml", ".yml", ".template", ".json")


class TypeMapping(Protocol):
    """What environment files say of types (``resource_registry``)."""

    @property
    def mentioned(self) -> Collection[str]:
        """Names of types that values of parameters say."""

    def resolve(self, type_name: str, resource: str) -> tuple[str, str] | None:
        """(type or template file that stands for ``type_name`` at the resource of this name, the file that says so); None: nothing is said."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a resource's type is."""

    name: str
    """The type's name after the environment's mappings."""
    template: Template | None = None
    missing: bool = False
    """It is a template that could not be loaded."""


UNREAD = Template("hot", "", {})
"""Stands for a template that cannot be read where that is only a warning (``lenient``): the resource counts as one of an unsupported type."""


class Loader:
    """Reads files and loads templates for one ``formats.load``; every file is parsed once."""

    def __init__(
        self, reader: Reader, diagnostics: Diagnostics, types: TypeMapping | None = None, given: Mapping[str, Any] | None = None,
        macros: Macros | None = None, *, lenient: bool = False,
    ) -> None:  # fmt: skip
        self._reader, self._diagnostics, self._types, self._macros = reader, diagnostics, types, macros
        self.lenient = lenient
        self.given: Mapping[str, Any] = given or {}
        """What is known of the parameters of the template that is being read: a CloudFormation loop is written out with them."""
        self.named: set[str] = set(types.mentioned) if types is not None else set()
        """Names of types that values say, so far: a chain whose links are computed is one of these."""
        self.note(self.given)
        self._loaded: dict[tuple[str, str], Template | None] = {}
        self._open: list[str] = []
        self.sources: list[Source] = []
        """Every template that was loaded, in the order of reading."""

    def read(self, name: str, relative_to: str) -> str:
        """The text of a file (``formats.Reader``)."""
        return self._reader.read(name, relative_to)

    def names(self) -> list[str]:
        """Files that can be read, where the reader knows them: profiles are looked for there."""
        listing = getattr(self._reader, "names", None)
        return list(listing()) if listing is not None else []

    def reaches(self, name: str) -> bool:
        """Whether a name is the address of a file of another machine that may be fetched."""
        asked = getattr(self._reader, "reaches", None)
        return bool(asked(name)) if asked is not None else False

    def kind_of(self, type_name: str, resource: str, file: str, mark: Mark) -> Kind:
        """What ``type_name`` is for the resource of this name, written in ``file``."""
        name, said_in = self._mapped(type_name, resource, file)
        if not is_template_name(name):
            return Kind(name)
        template = self.child(name, said_in, mark)
        return Kind(name, template, missing=template is None)

    def _mapped(self, type_name: str, resource: str, file: str) -> tuple[str, str]:
        """What an environment file makes of a type, and the file that says so; the type itself and ``file`` where none does."""
        mapped = self._types.resolve(type_name, resource) if self._types is not None else None
        return mapped or (type_name, file)

    def note(self, value: Any) -> None:
        """Take up the names of types that a value has in it."""
        self.named.update(type_names(value))

    def goes_round(self, type_name: str, file: str) -> bool:
        """Whether a type is a template that is being read just now."""
        name, said_in = self._mapped(type_name, "", file)
        return is_template_name(name) and join(said_in, name) in self._open

    def call_macro(self, name: str, event: dict[str, Any]) -> Any:
        """What a macro answers; PermissionError where it may not run."""
        if self._macros is None:
            raise PermissionError("nothing is run here")
        return self._macros.call(name, event)

    def child(self, name: str, relative_to: str, mark: Mark, given: Mapping[str, Any] | None = None) -> Template | None:
        """The template in a file, in whatever language; None when it has errors, which are reported. ``given``: what is known of its parameters."""
        place = join(relative_to, name)
        known = (place, repr(sorted(given.items())) if given else "")
        if known in self._loaded:
            return self._loaded[known]
        if place in self._open:
            trail = [*self._open[self._open.index(place) :], place]
            self._diagnostics.error("N102", f"these files include each other: {' -> '.join(trail)}", mark)
            return None
        try:
            text = self._reader.read(name, relative_to)
        except (OSError, ValueError) as error:
            self._loaded[known] = self.unread(str(error), mark)
            return self._loaded[known]
        outer, self.given = self.given, given or {}
        try:
            self._loaded[known] = self._parse(text, place, mark)
        finally:
            self.given = outer
        return self._loaded[known]

    def unread(self, reason: str, mark: Mark) -> Template | None:
        """Report that a nested template cannot be read (N101); what stands in for it."""
        add = self._diagnostics.warning if self.lenient else self._diagnostics.error
        add("N101", f"the nested template cannot be read: {reason}", mark)
        return UNREAD if self.lenient else None

    def inline(self, text: str, name: str, mark: Mark) -> Template | None:
        """The template in ``text``, which stands in a parent; ``name`` is what its marks say as file. None when it has errors."""
        return self._parse(text, name, mark)

    def _parse(self, text: str, place: str, mark: Mark) -> Template | None:
        from stackengine.formats import parse_text

        if len(self._open) >= MAX_DEPTH:
            self._diagnostics.error("N103", f"templates are nested more than {MAX_DEPTH} deep", mark)
            return None
        self._open.append(place)
        try:
            template = parse_text(text, place, self, self._diagnostics)
        finally:
            self._open.pop()
        if template is not None:
            self.sources += [s for s in template.sources if s not in self.sources]
        return template

    def opened(self, place: str) -> None:
        """The root template is being parsed: a child that names it again goes in a circle."""
        self._open.append(place)


def is_template_name(name: str) -> bool:
    """Whether a type's name is a file, as Heat decides it."""
    return name.endswith(SUFFIXES) or name.startswith(("file://", "http://", "https://"))


def type_names(value: Any) -> Iterator[str]:
    """The names of types (``A::B``) in a value, also in text with commas between them."""
    if isinstance(value, str):
        yield from (w for part in value.split(",") if "::" in (w := part.strip()) and " " not in w)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from type_names(item)
    elif isinstance(value, Mapping):
        yield from type_names(list(value.values()))


def join(relative_to: str, name: str) -> str:
    """The place of ``name`` as seen from the file ``relative_to``: what its marks and messages say."""
    if "://" in relative_to:
        from urllib.parse import urljoin

        return urljoin(relative_to, name)
    name = name.removeprefix("file://")
    return name if "://" in name else posixpath.normpath(posixpath.join(posixpath.dirname(relative_to), name))
