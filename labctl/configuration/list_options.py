"""Prints the options of a service as JSON. Runs inside the service's image, with its Python; labctl never imports it.

It asks what oslo-config-generator asks (the entry points of `oslo.config.opts`), and tells more than its JSON does:
types with all their limits, options that may be there more than once, the options of keystoneauth's plugins, versions.

Takes one argument, JSON: `namespaces`, and `unlisted`, section to references (MODULE:ATTRIBUTE) of options that
no namespace has.
"""

import json
import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from keystoneauth1 import loading
from oslo_config import cfg, types

LIMITS = ("min", "max", "max_length", "quotes", "ignore_case", "bounds", "inclusive", "schemes", "key_value_separator")
KNOWN = tuple(
    kind for kind in vars(types).values() if isinstance(kind, type) and kind.__module__ == types.__name__
)  # fmt: skip
ADDRESSES = {4: "127.0.0.1", 6: "::1"}


def describe_type(kind: Any) -> dict[str, Any]:
    """A type as its constructor takes it; of a service's own subclass, the type of oslo.config below it."""
    if kind is str:
        return {"name": "String"}
    base = next((one for one in type(kind).__mro__ if one in KNOWN), None)
    if base is None or base is types.ConfigType:
        return {"name": ""}
    arguments = {name: value for name in LIMITS if (value := getattr(kind, name, None)) not in (None, False, 0, [])}
    arguments |= {name: getattr(kind, name) for name in ("min", "max") if getattr(kind, name, None) == 0}
    if base is types.Range:
        arguments["inclusive"] = kind.inclusive
    if getattr(kind, "choices", None):
        arguments["choices"] = list(kind.choices)
    if getattr(kind, "regex", None) is not None:
        arguments["regex"] = kind.regex.pattern
    if base in (types.IPAddress, types.HostAddress, types.HostDomain):
        taken = [version for version, address in ADDRESSES.items() if takes(kind, address)]
        arguments |= {"version": taken[0]} if len(taken) == 1 else {}
    inner = getattr(kind, "item_type", None) or getattr(kind, "value_type", None)
    return {"name": base.__name__, "arguments": arguments, "inner": describe_type(inner) if inner else None}


def takes(kind: Any, value: str) -> bool:
    """Whether a value is one of this type."""
    try:
        kind(value)
    except ValueError:
        return False
    return True


def describe(option: Any, section: str, package: str) -> dict[str, Any]:
    """One option, as `Option` of labctl/configuration/options.py."""
    old = [{"section": name.group or section, "name": name.name or option.dest} for name in option.deprecated_opts]
    removal = one_line(option.deprecated_reason, since(option)) or "no reason is given"
    return {
        "section": section,
        "name": option.dest,
        "type": describe_type(option.type),
        "type_name": getattr(option.type, "type_name", "string value"),
        "default": text(option, option.default if option.sample_default is None else option.sample_default),
        "multi": bool(option.multi),
        "secret": bool(option.secret),
        "mutable": bool(option.mutable),
        "required": bool(option.required),
        "help": one_line(option.help),
        "deprecated": [name for name in old if name != {"section": section, "name": option.dest}],
        "removal": removal if option.deprecated_for_removal else None,
        "package": package,
    }


def one_line(*texts: Any) -> str:
    """Texts as one, without their line ends."""
    return " ".join(" ".join(str(part or "") for part in texts).split())


def since(option: Any) -> str:
    """Since when an option is deprecated, where it says so."""
    return f"(deprecated since {option.deprecated_since})" if option.deprecated_since else ""


def text(option: Any, default: Any) -> Any:
    """A default as a file would have it."""
    if default is None:
        return None
    if option.multi:
        return [str(value) for value in (default if isinstance(default, list | tuple) else [default])]
    if isinstance(default, bool):
        return str(default).lower()
    bounds = getattr(option.type, "bounds", False)
    if isinstance(default, list | tuple):
        items = ",".join(str(value) for value in default)
        return f"[{items}]" if bounds else items
    if isinstance(default, dict):
        items = ",".join(f"{key}:{value}" for key, value in default.items())
        return f"{{{items}}}" if bounds else items
    return str(default)


def registered(namespace: str) -> list[dict[str, Any]]:
    """The options of a namespace."""
    entry = one_entry("oslo.config.opts", namespace)
    if entry is None:
        sys.exit(f"no package of this image has the namespace {namespace!r} of options")
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
    return [
        describe(option, getattr(group, "name", group) or "DEFAULT", package)
        for group, options in entry.load()()
        for option in options
    ]


def one_entry(group: str, name: str) -> EntryPoint | None:
    """The entry point of that name, if there is one."""
    return next(iter(entry_points(group=group, name=name)), None)


def plugins() -> dict[str, list[dict[str, Any]]]:
    """The options of each authentication plugin that is installed; their section is whatever names the plugin."""
    return {
        name: [describe(option, "", "keystoneauth1") for option in loading.get_auth_plugin_conf_options(name)]
        for name in sorted(loading.get_available_plugin_names())
    }


def referenced(reference: str) -> list[Any]:
    """The options of a list in a module, or of a function that returns one."""
    module, _, attribute = reference.partition(":")
    found = getattr(import_module(module), attribute)
    return [option for option in (found() if callable(found) else found) if isinstance(option, cfg.Opt)]


def main(wanted: dict[str, Any]) -> None:
    """Prints everything."""
    for namespace in wanted["namespaces"]:
        change_defaults = one_entry("oslo.config.opts.defaults", namespace)
        if change_defaults:
            change_defaults.load()()
    options = [option for namespace in wanted["namespaces"] for option in registered(namespace)]
    for section, references in wanted["unlisted"].items():
        for reference in references:
            package = reference.split(".")[0]
            options += [describe(option, section, package) for option in referenced(reference)]
    json.dump({"options": options, "plugins": plugins()}, sys.stdout)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
