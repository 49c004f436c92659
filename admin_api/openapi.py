"""The OpenAPI 3.1 document, from what the routes say of themselves and the types that check what is sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from admin_api.operations import OF_BODIES, OF_PUBLIC, OFTEN, Described, Operation, Parameter
from admin_api.problems import Problem

BASE = "/api/v1"
REFERENCE = "#/components/schemas/{name}"
_VARIABLE = re.compile(r"<([a-z_]+)>")
_TEXTS = ("text/", "image/")
_SECURITY = {
    "basic": {"type": "http", "scheme": "basic", "description": "An administrator's name and password."},
    "token": {"type": "http", "scheme": "bearer", "description": "An API token or a session."},
}
Json = dict[str, Any]


def document(routes: Iterable[Described], version: str) -> Json:
    """The whole document, as plain values."""
    routes = list(routes)
    schemas = _Schemas(routes)
    paths: dict[str, Json] = {}
    for each in routes:
        path = _VARIABLE.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Polyphony",
            "version": version,
            "description": "Everything that can be administered. Errors are problem details (RFC 9457).",
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in _SECURITY],
        "tags": [{"name": tag} for tag in dict.fromkeys(each.operation.tag for each in routes)],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": _SECURITY},
    }


class _Schemas:
    """The JSON schemas of every type there is, named once."""

    def __init__(self, routes: list[Described]) -> None:
        kinds: list[Any] = [Problem]
        for each in routes:
            operation = each.operation
            kinds += [kind for kind in (operation.answer, operation.body) if kind is not None]
            kinds += [parameter.type for parameter in operation.parameters]
        found, components = msgspec.json.schema_components(
            _unlike(kinds), schema_hook=_unusual, ref_template=REFERENCE
        )
        self._found = {_key(kind): schema for kind, schema in zip(_unlike(kinds), found, strict=True)}
        self.components = {name: _tidied(schema) for name, schema in components.items()}

    def of(self, kind: Any) -> Json:
        """The schema of a type, or where it is."""
        found: Json = _tidied(self._found[_key(kind)])
        return found


def _key(kind: Any) -> Any:
    return repr(kind) if not isinstance(kind, type) else kind


def _unlike(kinds: list[Any]) -> list[Any]:
    return list({_key(kind): kind for kind in kinds}.values())


def _unusual(kind: type) -> Json:
    """Of what the library has no schema for."""
    if kind is msgspec.Raw:
        return {"$ref": REFERENCE.format(name=Problem.__name__)}
    raise NotImplementedError


def _tidied(schema: Any) -> Any:
    """Of a description the first paragraph: the others speak of our code."""
    if isinstance(schema, list):
        return [_tidied(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _tidied(value) for name, value in schema.items()}
    text = found.get("description")
    if isinstance(text, str):
        found["description"] = " ".join(text.partition("\n\n")[0].split())
    return found


# ---- operations


def _operation(route: Described, schemas: _Schemas) -> Json:
    operation = route.operation
    found: Json = {
        "operationId": _identity(route),
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": _responses(route, schemas),
    }
    parameters = [*_parts(route), *(_parameter(each, schemas) for each in operation.parameters)]
    if parameters:
        found["parameters"] = parameters
    if operation.body is not None:
        content = {kind: {"schema": _body(kind, operation, schemas)} for kind in operation.bodies}
        found["requestBody"] = {"required": True, "content": content}
    if operation.public:
        found["security"] = []
    return found


def _identity(route: Described) -> str:
    words = re.findall(r"[A-Za-z0-9]+", route.path.removeprefix(BASE))
    return "_".join([route.method.lower(), *([] if route.path.startswith(BASE) else ["root"]), *words])


def _body(kind: str, operation: Operation, schemas: _Schemas) -> Json:
    """Rows are text: what a row may hold is said by the noun's own schema."""
    return (
        schemas.of(operation.body) if kind.endswith("json") and "ndjson" not in kind else {"type": "string"}
    )


def _parts(route: Described) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.operation.parts.get(name, ""),
            "schema": {"type": "string", "minLength": 1},
        }
        for name in _VARIABLE.findall(route.path)
    ]


def _parameter(parameter: Parameter, schemas: _Schemas) -> Json:
    schema = schemas.of(parameter.type)
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.description or schema.get("description", ""),
        "schema": schema,
    }


def _responses(route: Described, schemas: _Schemas) -> Json:
    operation = route.operation
    found: Json = {str(operation.status.value): _success(operation, schemas)}
    for status, words in operation.also.items():
        found[str(status.value)] = {"description": words}
        if operation.answer is not None and status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
            found[str(status.value)] = {"description": words, "content": _content(operation, schemas)}
    for refusal in sorted(_refusals(route)):
        found[str(refusal.value)] = {
            "description": refusal.phrase,
            "content": {"application/problem+json": {"schema": schemas.of(Problem)}},
        }
    return found


def _refusals(route: Described) -> set[HTTPStatus]:
    operation = route.operation
    found = set(operation.refusals) | (OF_PUBLIC if operation.public else OFTEN)
    if operation.body is not None:
        found |= OF_BODIES
    elif route.method not in {"GET", "DELETE"}:
        found.add(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    return found


def _success(operation: Operation, schemas: _Schemas) -> Json:
    found: Json = {"description": operation.status.phrase}
    if operation.answer is not None:
        found["content"] = _content(operation, schemas)
    if operation.headers:
        found["headers"] = {
            name: {"description": words, "schema": {"type": "string"}}
            for name, words in operation.headers.items()
        }
    return found


def _content(operation: Operation, schemas: _Schemas) -> Mapping[str, Json]:
    return {kind: {"schema": _answer(kind, operation, schemas)} for kind in operation.answers}


def _answer(kind: str, operation: Operation, schemas: _Schemas) -> Json:
    if kind.startswith(_TEXTS) or kind == "application/x-ndjson":
        return {"type": "string"}
    return schemas.of(operation.answer)
