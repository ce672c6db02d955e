"""HOT versions: their dates and release names, and what each of them has (heat, engine/hot/template.py)."""

from __future__ import annotations

RELEASES = {
    "newton": "2016-10-14", "ocata": "2017-02-24", "pike": "2017-09-01", "queens": "2018-03-02", "rocky": "2018-08-31", "wallaby": "2021-04-16",
}  # fmt: skip

VERSIONS = ("2013-05-23", "2014-10-16", "2015-04-30", "2015-10-15", "2016-04-08", "2016-10-14", "2017-02-24", "2017-09-01", "2018-03-02", "2018-08-31",
            "2021-04-16")  # fmt: skip

SINCE = {
    "get_param": "2013-05-23", "get_resource": "2013-05-23", "get_attr": "2013-05-23", "get_file": "2013-05-23", "str_replace": "2013-05-23",
    "list_join": "2013-05-23", "resource_facade": "2013-05-23", "digest": "2015-04-30", "repeat": "2015-04-30", "str_split": "2015-10-15",
    "map_merge": "2016-04-08", "map_replace": "2016-10-14", "yaql": "2016-10-14", "if": "2016-10-14", "filter": "2017-02-24",
    "str_replace_strict": "2017-02-24", "make_url": "2017-09-01", "list_concat": "2017-09-01", "list_concat_unique": "2017-09-01",
    "contains": "2017-09-01", "str_replace_vstrict": "2017-09-01",
    "Fn::Select": "2013-05-23", "Fn::GetAZs": "2013-05-23", "Ref": "2013-05-23", "Fn::Join": "2013-05-23", "Fn::Split": "2013-05-23",
    "Fn::Replace": "2013-05-23", "Fn::Base64": "2013-05-23", "Fn::MemberListToMap": "2013-05-23", "Fn::ResourceFacade": "2013-05-23",
}  # fmt: skip
"""The first version that has each function of values."""

REMOVED = {
    "Fn::Select": "2015-10-15", "Fn::GetAZs": "2014-10-16", "Ref": "2014-10-16", "Fn::Join": "2014-10-16", "Fn::Split": "2014-10-16",
    "Fn::Replace": "2014-10-16", "Fn::Base64": "2014-10-16", "Fn::MemberListToMap": "2014-10-16", "Fn::ResourceFacade": "2014-10-16",
}  # fmt: skip
"""The first version that has it no more."""

INSTEAD = {
    "Ref": "get_param or get_resource", "Fn::Join": "list_join", "Fn::Select": "a path in get_param or get_attr", "Fn::Split": "str_split",
    "Fn::Replace": "str_replace", "Fn::Base64": "the text itself", "Fn::ResourceFacade": "resource_facade", "Fn::GetAZs": "a parameter",
    "Fn::MemberListToMap": "a json parameter",
}  # fmt: skip
"""What newer versions have in place of what was removed."""

CONDITIONS_SINCE = {
    "get_param": "2016-10-14", "equals": "2016-10-14", "not": "2016-10-14", "and": "2016-10-14", "or": "2016-10-14", "yaql": "2017-09-01",
    "contains": "2017-09-01",
}  # fmt: skip
"""The functions of conditions. In values, those that are not in SINCE are plain data."""

CONDITIONS = "2016-10-14"
"""Since then: the section conditions, condition and external_id of resources, condition of outputs, lower-case deletion policies."""
JSON_IN_TEXT = "2015-10-15"
"""Since then: str_replace and list_join take maps and lists, list_join takes several lists, get_attr gives all attributes."""
MAPS_IN_REPEAT = "2016-10-14"
PERMUTATIONS = "2017-09-01"
IF_WITHOUT_ELSE = "2021-04-16"
MODULO = "2017-02-24"
TAGS = "2018-03-02"


def resolve(text: str) -> str | None:
    """The date of a version or release name; None when there is no such version."""
    date = RELEASES.get(text, text)
    return date if date in VERSIONS else None


def functions_of(version: str) -> list[str]:
    """Every function of values that ``version`` has."""
    return [name for name, since in SINCE.items() if since <= version < REMOVED.get(name, "9")]
