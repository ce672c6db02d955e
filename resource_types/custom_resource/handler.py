"""SE::CustomResource: calls somebody's program for create, update and delete, as CloudFormation calls a custom resource."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk

from .calls import call


class CustomResource(sdk.ResourceType):
    """Every call has a request id that stays the same when it is made again after a crash."""

    name: ClassVar[str] = "SE::CustomResource"
    traceless: ClassVar[bool] = True

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        if want["inert"]:
            return {"id": str(ctx.identity["physical_id"]), "data": {}}
        if "id" in ctx.attributes:
            return self._called(ctx, "Update", want, want)
        return self._called(ctx, "Create", want, None)

    def update(self, ctx: sdk.Context, want: sdk.Properties, last: sdk.Properties) -> dict[str, sdk.Value]:
        """Update; another physical id in the answer means that the old object is to be deleted."""
        if want["inert"]:
            return {}
        before = ctx.attributes.get("id")
        made = self._called(ctx, "Update", want, last)
        if before is not None and made["id"] != before:
            call(ctx, last, "Delete", str(before), None)
        return made

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        if "id" in ctx.attributes and not last["inert"]:
            call(ctx, last, "Delete", str(ctx.attributes["id"]), None)

    def _called(self, ctx: sdk.Context, request: str, want: sdk.Properties, last: sdk.Properties | None) -> dict[str, sdk.Value]:
        known = str(ctx.attributes["id"]) if "id" in ctx.attributes else None
        answer = call(ctx, want, request, known, last)
        data = answer.get("Data") or {}
        made = str(answer.get("PhysicalResourceId") or known or ctx.identity["physical_id"])
        return {"id": made, "data": sdk.Sensitive(data) if answer.get("NoEcho") else data}


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's own name of the custom resource is told to its handler."""
    properties["type"] = foreign_type
    return properties
