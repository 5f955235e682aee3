"""The part of JSON Schema that grades.schema.json is written in. An unknown keyword is an error, not a pass."""

from __future__ import annotations

import re
from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
KNOWN = {
    *("$schema", "title", "description", "$defs", "$ref", "type", "required", "properties", "items", "enum", "const"),
    *("minimum", "pattern", "additionalProperties"),
}


def complaints(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "$") -> list[str]:
    """What is wrong with this value."""
    root = root or schema
    assert set(schema) <= KNOWN, schema
    if "$ref" in schema:
        return complaints(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    said = []
    if "const" in schema and value != schema["const"]:
        said.append(f"{at}: not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        said.append(f"{at}: {value!r} is none of {schema['enum']}")
    if "type" in schema and not _is(value, schema["type"]):
        return [f"{at}: {value!r} is no {schema['type']}"]
    if isinstance(value, (int, float)) and value < schema.get("minimum", value):
        said.append(f"{at}: {value} is too small")
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        said.append(f"{at}: {value!r} is not like {schema['pattern']}")
    if isinstance(value, dict):
        said += [f"{at}: no {name}" for name in schema.get("required", []) if name not in value]
        for name, each in value.items():
            # Stricter than JSON Schema is: a field that is not described is a field that nobody can rely on.
            inside = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            said += complaints(each, inside, root, f"{at}.{name}") if inside else [f"{at}.{name}: not described"]
    if isinstance(value, list):
        for number, each in enumerate(value):
            said += complaints(each, schema["items"], root, f"{at}[{number}]")
    return said


def _is(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names)
