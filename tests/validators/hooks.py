"""How Schemathesis writes a body that is a query; run in its own environment."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/sparql-query")
def query(context: Any, value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")
