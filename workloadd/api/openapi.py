"""The description of the API for programs, OpenAPI 3.1, made from the contract and the models."""

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from workloadd.api.contract import ENDPOINTS, Endpoint
from workloadd.api.models import LockRefused, ProblemDocument

_REF = "#/components/schemas/{model}"
_JSON, _PROBLEM = "application/json", "application/problem+json"
_TEXT, _HTML = "text/plain", "text/html"
# What any request may be refused with, whatever it asks for.
_ANY: dict[int, str] = {
    401: "it is over TCP, where a token is wanted, and has none or another",
    403: "it is another site's web page, or another user, or an action over TCP",
    408: "it comes too slowly",
    413: "it has a body, or too large a one",
    421: "its Host is not a name of this machine's loopback",
    431: "a line of it is too long, or it has too many headers",
    500: "an error of workloadd's own",
    503: "what the answer needs is away for the moment",
}
_MEANING = {
    200: "done, or as it is",
    202: "begun",
    304: "not changed since",
    400: "a parameter cannot be accepted",
    404: "there is no such thing",
    409: "it is in no state for that",
    502: "the upstream FleetLock server does not answer",
}


def openapi() -> dict[str, Any]:
    """The whole document."""
    models = _models()
    references, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REF
    )
    schemas = {model: references[(model, "serialization")] for model in models}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "workloadd",
            "version": version("workloadd"),
            "description": "On the Unix socket in $XDG_RUNTIME_DIR/workloadd (reads and actions)"
            " and on 127.0.0.1:7780 (reads).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:7780"}],
        "security": [{}, {"token": []}],
        "paths": _paths(schemas),
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Over TCP, where [api] token_file is set.",
                }
            },
        },
    }


def _models() -> list[type[BaseModel]]:
    found = {model for one in ENDPOINTS for model in one.answers.values() if model}
    found |= {one.body for one in ENDPOINTS if one.body}
    return sorted({*found, ProblemDocument}, key=lambda model: model.__name__)


def _paths(schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for one in ENDPOINTS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    return paths


def _operation(one: Endpoint, schemas: dict[type[BaseModel], Any]) -> dict[str, Any]:
    answers = {
        str(status): _answer(one, status, model, schemas) for status, model in one.answers.items()
    }
    if one.method == "GET" and one.answers.get(200):
        answers["304"] = {"description": _MEANING[304]}
    refused = LockRefused if one.body else ProblemDocument
    for status, why in _ANY.items():
        answers.setdefault(str(status), _refusal(why, schemas[refused], one))
    operation: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "responses": dict(sorted(answers.items())),
    }
    if one.owner:
        token = ", or with the token over TCP" if one.method == "GET" else ""
        said = f"On the Unix socket, for the owner of the workloads and root{token}."
        operation["description"] = said
    if one.parameters:
        operation["parameters"] = [
            {
                "name": given.name,
                "in": given.where,
                "description": given.description,
                "required": given.required,
                "schema": dict(given.schema),
            }
            for given in one.parameters
        ]
    if one.body:
        operation["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": schemas[one.body]}},
        }
    return operation


def _answer(
    one: Endpoint, status: int, model: type[BaseModel] | None, schemas: dict[type[BaseModel], Any]
) -> dict[str, Any]:
    said = _MEANING.get(status, _ANY.get(status, ""))
    if status == 200 and one.media:
        return {"description": said, "content": {one.media: {"schema": {"type": "string"}}}}
    refused = model is not None and issubclass(model, ProblemDocument)
    schema = schemas[model] if model else {"type": "object"}
    content = {_PROBLEM if refused else _JSON: {"schema": schema}}
    return {"description": said, "content": _with(content, one)}


def _refusal(why: str, schema: Any, one: Endpoint) -> dict[str, Any]:
    return {"description": why, "content": _with({_PROBLEM: {"schema": schema}}, one)}


def _with(content: dict[str, Any], one: Endpoint) -> dict[str, Any]:
    """The same in words, where it is told so as well."""
    words = {_TEXT: one.text or bool(one.media), _HTML: one.page}
    return {**content, **{kind: {"schema": {"type": "string"}} for kind, so in words.items() if so}}
