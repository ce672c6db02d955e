"""HOT versions: their dates, release names, and which functions each has (Heat documentation, hot_spec)."""

from __future__ import annotations

RELEASES = {
    "newton": "2016-10-14", "ocata": "2017-02-24", "pike": "2017-09-01", "queens": "2018-03-02", "rocky": "2018-08-31",
    "stein": "2018-08-31", "train": "2018-08-31", "ussuri": "2018-08-31", "victoria": "2018-08-31", "wallaby": "2021-04-16",
}  # fmt: skip

VERSIONS = ("2013-05-23", "2014-10-16", "2015-04-30", "2015-10-15", "2016-04-08", "2016-10-14", "2017-02-24", "2017-09-01", "2018-03-02", "2018-08-31",
            "2021-04-16")  # fmt: skip

SINCE = {
    "get_param": "2013-05-23", "get_resource": "2013-05-23", "get_attr": "2013-05-23", "get_file": "2013-05-23", "str_replace": "2013-05-23",
    "list_join": "2014-10-16", "resource_facade": "2013-05-23", "digest": "2015-04-30", "repeat": "2015-04-30", "str_split": "2015-10-15",
    "map_merge": "2016-10-14", "map_replace": "2016-10-14", "yaql": "2016-10-14", "if": "2016-10-14", "equals": "2016-10-14", "not": "2016-10-14",
    "and": "2016-10-14", "or": "2016-10-14", "filter": "2017-02-24", "str_replace_strict": "2017-02-24", "make_url": "2017-09-01",
    "list_concat": "2017-09-01", "list_concat_unique": "2017-09-01", "contains": "2017-09-01", "str_replace_vstrict": "2017-09-01",
}  # fmt: skip
"""The first version that has each function."""

REMOVED = {"Fn::Select": "2014-10-16", "Fn::GetAZs": "2014-10-16", "Fn::Join": "2014-10-16"}


def resolve(text: str) -> str | None:
    """The date of a version or release name; None when there is no such version."""
    date = RELEASES.get(text, text)
    return date if date in VERSIONS else None
