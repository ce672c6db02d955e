"""Properties as AWS's own schemas have them, by the names that the template writes: shapes, kinds, what is required.

The facts stand in ``known_types/cfn.json``, one line a type, as in :mod:`heat_schema`, for the types that have a native one. CloudFormation takes
numbers and booleans written as text, and text written as a number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine.evaluate.heat_schema import HeatCheck


class AwsCheck(HeatCheck):
    """Checks the properties of one resource; what is wrong is reported and left out of what comes back."""

    beside: ClassVar[tuple[str, ...]] = (
        "DependsOn", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy", "CreationPolicy", "Condition", "Type",
    )  # fmt: skip

    def convert(self, value: Any, schema: Mapping[str, Any]) -> Any:
        """``value`` as it is; raises where AWS refuses it."""
        match schema["t"]:
            case "s" if isinstance(value, (dict, list)):
                raise TypeError(value)
            case "i" if isinstance(value, bool) or not (isinstance(value, int) or re.fullmatch(r"\s*[+-]?\d+\s*", str(value))):
                raise ValueError(value)
            case "n" if isinstance(value, (bool, dict, list)) or not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", str(value)):
                raise ValueError(value)
            case "b" if not isinstance(value, bool) and str(value).lower() not in ("true", "false"):
                raise ValueError(value)
            case "l" if not isinstance(value, list):
                raise TypeError(value)
            case "m" if not isinstance(value, dict):
                raise TypeError(value)
        return value
