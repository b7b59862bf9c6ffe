"""Writes tools found, added and programmed with, and changes of configuration. Lists all tools."""

from typing import Any, Final

from connectors.emulator.includes import Item
from connectors.emulator.samples.scribe import Scribe


def search_tools(scribe: Scribe, arguments: Any, tools: list[Item], *, by_client: bool = False) -> Item:
    """Writes a search for tools and the tools found; only a client's search has a call_id."""
    call_id = scribe.call_id() if by_client else None
    common = {"status": "completed", "call_id": call_id, "execution": "client" if by_client else "server"}
    optional = {"created_by": "tool-index"} if scribe.chance(0.5) else {}
    call = scribe.emit("tool_search_call", arguments=arguments, **common, **optional)
    write = scribe.send if by_client else scribe.emit
    write("tool_search_output", tools=tools, **common, **optional)
    return call


def add_tools(scribe: Scribe, tools: list[Item]) -> Item:
    """Writes that the application gave the model more tools."""
    return scribe.send("additional_tools", role="developer", tools=tools)


def configure(scribe: Scribe, **changes: Item) -> Item:
    """Writes a change of the reasoning effort or of the form of answers."""
    return scribe.send("configuration_update", **changes)


def program(scribe: Scribe, source: str) -> Item:
    """Writes a program that calls tools; what it calls follows, then its output."""
    return scribe.emit("program", call_id=scribe.call_id(), code=source, fingerprint=scribe.secret(200, 400))


def program_output(scribe: Scribe, started: Item, result: str, *, status: str = "completed") -> Item:
    """Writes what a program returned."""
    return scribe.emit("program_output", status=status, call_id=started["call_id"], result=result)


def called_by(started: Item) -> Item:
    """The caller of a call that a program made."""
    return {"type": "program", "caller_id": started["call_id"]}


def function_tool(name: str, description: str | None, **properties: str) -> Item:
    """A function of the application; properties are its arguments with their JSON types."""
    parameters = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
        "required": sorted(properties),
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "description": description,
        "name": name,
        "parameters": parameters,
        "strict": True,
    }


def namespace(name: str, description: str, *tools: Item) -> Item:
    """Several tools under one name."""
    return {"type": "namespace", "description": description, "name": name, "tools": list(tools)}


JSON_FORMAT: Final[Item] = {
    "type": "json_schema",
    "description": "One row of the weekly table.",
    "name": "weekly_row",
    "schema": {"type": "object", "properties": {"week": {"type": "string"}, "total": {"type": "number"}}},
    "strict": True,
}

_SCHEMA: Final[Item] = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
_OFFLINE: Final[Item] = {"type": "disabled"}
_ALLOWLIST: Final[Item] = {
    "type": "allowlist",
    "allowed_domains": ["pypi.example.com"],
    "domain_secrets": [{"domain": "pypi.example.com", "name": "TOKEN", "value": "not-a-secret"}],
}
_REGION: Final[Item] = {"key": "region", "type": "eq", "value": "emea"}

SEARCHING: Final[list[Item]] = [
    {
        "type": "file_search",
        "filters": {
            "type": "and",
            "filters": [_REGION, {"key": "year", "type": "in", "value": [2025, 2026]}],
        },
        "max_num_results": 8,
        "ranking_options": {
            "hybrid_search": {"embedding_weight": 0.7, "text_weight": 0.3},
            "ranker": "auto",
            "score_threshold": 0.4,
        },
        "vector_store_ids": ["vs_handbook"],
    },
    {"type": "file_search", "filters": _REGION, "vector_store_ids": ["vs_policies", "vs_faq"]},
    {
        "type": "web_search",
        "external_web_access": True,
        "filters": {"allowed_domains": ["docs.example.com"]},
        "search_context_size": "medium",
        "user_location": {
            "type": "approximate",
            "city": "Bergen",
            "country": "NO",
            "region": None,
            "timezone": "Europe/Oslo",
        },
    },
    {
        "type": "web_search_preview",
        "search_content_types": ["text"],
        "search_context_size": "low",
        "user_location": {
            "type": "approximate",
            "city": None,
            "country": "CL",
            "region": "Valparaíso",
            "timezone": "America/Santiago",
        },
    },
    {
        "type": "tool_search",
        "description": "Finds a tool by what it does.",
        "execution": "client",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}},
    },
]

WORKING: Final[list[Item]] = [
    {"type": "computer"},
    {"type": "computer_use_preview", "display_height": 768, "display_width": 1024, "environment": "browser"},
    {
        "type": "code_interpreter",
        "allowed_callers": ["direct", "programmatic"],
        "container": {
            "type": "auto",
            "file_ids": ["file-sample"],
            "memory_limit": "4g",
            "network_policy": _OFFLINE,
        },
    },
    {"type": "code_interpreter", "container": "cntr_sample"},
    {"type": "programmatic_tool_calling"},
    {"type": "local_shell"},
    {"type": "shell", "environment": {"type": "container_reference", "container_id": "cntr_sample"}},
    {
        "type": "shell",
        "allowed_callers": ["direct"],
        "environment": {
            "type": "local",
            "skills": [{"description": "Cuts a release.", "name": "release", "path": "/skills/release"}],
        },
    },
    {
        "type": "shell",
        "environment": {
            "type": "container_auto",
            "file_ids": [],
            "memory_limit": "1g",
            "network_policy": _ALLOWLIST,
            "skills": [
                {"type": "skill_reference", "skill_id": "skill_charts", "version": "2"},
                {
                    "type": "inline",
                    "description": "House style.",
                    "name": "style",
                    "source": {"type": "base64", "data": "UEsFBg==", "media_type": "application/zip"},
                },
            ],
        },
    },
    {"type": "apply_patch", "allowed_callers": None},
    {
        "type": "image_generation",
        "action": "auto",
        "background": "auto",
        "complexity": "low",
        "frame_count": 1,
        "frame_duration_ms": 40,
        "input_fidelity": "high",
        "input_image_mask": {"file_id": "file-mask", "image_url": "https://files.example.com/mask.png"},
        "model": "gpt-image-2",
        "moderation": "auto",
        "output_compression": 90,
        "output_format": "webp",
        "partial_images": 0,
        "quality": "medium",
        "size": "1024x1024",
        "svg": {"model": "gpt-5.5-svg", "reasoning": {"effort": "low"}},
    },
]

CONNECTED: Final[list[Item]] = [
    {
        "type": "mcp",
        "allowed_callers": ["direct"],
        "allowed_tools": ["find_contact", "update_deal"],
        "authorization": "not-a-secret",
        "defer_loading": True,
        "headers": {"X-Team": "sales"},
        "require_approval": "always",
        "server_description": "The customer database.",
        "server_label": "crm",
        "server_url": "https://crm.example.com/mcp",
    },
    {
        "type": "mcp",
        "allowed_tools": {"read_only": True, "tool_names": ["list_events"]},
        "connector_id": "connector_googlecalendar",
        "require_approval": {
            "always": {"read_only": False, "tool_names": ["create_event"]},
            "never": {"read_only": True, "tool_names": ["list_events"]},
        },
        "server_label": "calendar",
    },
    {"type": "mcp", "headers": None, "server_label": "warehouse", "tunnel_id": "tunnel_sample"},
]

WRITTEN: Final[list[Item]] = [
    {
        "type": "function",
        "allowed_callers": ["programmatic"],
        "async": True,
        "defer_loading": True,
        "description": "Stock of one article.",
        "name": "get_stock",
        "output_schema": {"type": "object", "properties": {"units": {"type": "integer"}}},
        "parameters": _SCHEMA,
        "strict": False,
    },
    {"type": "function", "name": "ping", "parameters": None, "strict": None},
    {
        "type": "custom",
        "allowed_callers": ["direct"],
        "async": False,
        "defer_loading": False,
        "description": "Runs one SQL statement.",
        "format": {"type": "grammar", "definition": "start: SELECT", "syntax": "lark"},
        "name": "run_sql",
    },
    {"type": "custom", "format": {"type": "text"}, "name": "write_note"},
    namespace(
        "billing",
        "Invoices and refunds.",
        {
            "type": "function",
            "allowed_callers": None,
            "async": False,
            "defer_loading": True,
            "description": None,
            "name": "find_invoice",
            "output_schema": None,
            "parameters": _SCHEMA,
            "strict": True,
        },
        {"type": "custom", "name": "note"},
    ),
]
