"""Files and environment to checked types; every fault names the file, the key, what was expected and what was found."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.config.models import Config, fault, unknown
from bot.core.errors import ConfigError
from bot.policy.rules import Policy

PREFIX = "EVENKEEL_"
PATH_KEYS = (("policy",), ("history", "file"), ("key", "keystore"), ("key", "password_file"))
SECRET_KEYS = (("chain", "rpc"), ("journal", "url"), ("key",))  # a wrong value may be a secret in the wrong place
SQLITE = "sqlite+aiosqlite:///"
PHRASES = {  # pydantic's -> the rest of "expected ..."
    "Input should be ": "",
    "Value error, ": "",
    "String should match pattern": "text matching",
    "Input is not ": "",
    " should have at least ": " with at least ",
    " should have at most ": " with at most ",
}
M = TypeVar("M", bound=BaseModel)


@dataclass
class Sources:
    """The merged settings, and where each key was said."""

    data: dict[str, Any] = field(default_factory=dict)
    said: dict[tuple[str, ...], str] = field(default_factory=dict)  # path of a key -> "file:line" or "environment X"

    def put(self, path: tuple[str, ...], value: Any, where: str) -> None:
        """Set one key, with every mapping on the way to it."""
        level = self.data
        for key in path[:-1]:
            below = level.get(key)
            if not isinstance(below, dict):
                below = level[key] = {}
            level = below
        level[path[-1]] = value
        for n in range(len(path)):
            if _file(self.said.get(path[:n], "")) != _file(where):
                self.said[path[:n]] = where
        self.said[path] = where

    def where(self, path: Sequence[str | int]) -> str:
        """Where a key, or the nearest mapping around it, was said."""
        keys = tuple(map(str, path))
        near = (self.said[keys[:n]] for n in range(len(keys), -1, -1) if keys[:n] in self.said)
        return next(near, "configuration")


def _file(where: str) -> str:
    return where.rpartition(":")[0] or where


def load(paths: Sequence[Path], environ: Mapping[str, str] | None = None) -> Config:
    """The files, later over earlier, then EVENKEEL_SECTION__KEY from the environment. ConfigError with every fault."""
    sources = Sources()
    for path in paths:
        data = read_yaml(path)
        if "targets" in data:
            raise ConfigError(f"{path}: expected a configuration, found a policy; name it under `policy` in one")
        _overlay(sources, data, path)
    _environment(sources, os.environ if environ is None else environ)
    return _checked(Config, sources)


def load_policy(config: Config) -> Policy:
    """The policy file, checked against the market. ConfigError with every fault."""
    sources = Sources()
    _overlay(sources, read_yaml(config.policy), config.policy)
    policy = _checked(Policy, sources)
    tokens, pools = config.market.tokens, config.market.pools
    faults: dict[tuple[str, ...], PydanticCustomError] = {}
    faults |= {("targets", s): unknown("", s, tokens, "market.tokens") for s in policy.targets if s not in tokens}
    for i, wanted in enumerate(r.pool for r in policy.ranges):
        if wanted not in pools:
            faults["ranges", str(i), "pool"] = unknown("", wanted, pools, "market.pools")
        elif pools[wanted].kind != "v3":
            faults["ranges", str(i), "pool"] = fault("", "a v3 pool (a v2 pair has no range)", wanted)
    if faults:
        raise ConfigError(
            "\n".join(f"{sources.where(p)}: {'.'.join(p)}: {said.message()}" for p, said in faults.items())
        )
    return policy


def read_yaml(path: Path) -> CommentedMap:
    """One YAML 1.2 mapping with its line numbers, be it empty. ConfigError when unreadable or anything else."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        what = e.strerror if isinstance(e, OSError) else "text that is not UTF-8"
        raise ConfigError(f"{path}: expected a readable YAML file, found: {what}; `evenkeel init` writes one") from None
    try:
        data = YAML(typ="rt").load(text)
    except YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = (e.problem if isinstance(e, MarkedYAMLError) else str(e)) or "a syntax error"
        raise ConfigError(f"{path}{line}: expected valid YAML, found: {problem.splitlines()[0]}") from None
    if data is None:  # nothing but comments
        return CommentedMap()
    if not isinstance(data, CommentedMap):
        found = "a list" if isinstance(data, list) else f"{_brief(data)} alone"
        raise ConfigError(f"{path}: expected a mapping of keys to values, found {found}")
    return data


def _overlay(sources: Sources, data: CommentedMap, path: Path) -> None:
    home = path.absolute().parent
    for keys, value, line in _leaves(data):
        sources.put(keys, _resolved(keys, value, home), f"{path}:{line}")


def _leaves(data: CommentedMap, above: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any, int]]:
    """Every key whose value is not a mapping (an empty mapping is one), with its line."""
    for key, value in data.items():
        path = (*above, str(key))
        if isinstance(value, CommentedMap) and value:
            yield from _leaves(value, path)
        else:
            yield path, value, data.lc.key(key)[0] + 1


def _resolved(path: tuple[str, ...], value: Any, home: Path) -> Any:
    """Relative files start at the directory of the file that names them, so a bot means the same wherever it starts."""
    if not isinstance(value, str):
        return value
    if path in PATH_KEYS:
        return str(home / Path(value).expanduser())
    if path == ("journal", "url") and value.startswith(SQLITE) and value != SQLITE:
        file = value.removeprefix(SQLITE)
        return value if file.startswith(":memory:") else SQLITE + str(home / file)
    return value


def _environment(sources: Sources, environ: Mapping[str, str]) -> None:
    """EVENKEEL_CHAIN__RPC sets chain.rpc; JSON where it parses, else text. Names without `__` are not ours."""
    for name in sorted(environ):
        if not name.startswith(PREFIX) or ("__" not in name and name != f"{PREFIX}POLICY"):
            continue
        path = _spelled(name.removeprefix(PREFIX).split("__"), sources.data)
        try:
            value = json.loads(environ[name])
        except json.JSONDecodeError:
            value = environ[name]
        sources.put(path, _resolved(path, value, Path.cwd()), f"environment {name}")


def _spelled(parts: Sequence[str], data: Any) -> tuple[str, ...]:
    """The parts as the files spell them (symbols are upper case), else in lower case."""
    path: list[str] = []
    for part in parts:
        known = {key.upper(): key for key in data} if isinstance(data, dict) else {}
        path.append(known.get(part.upper(), part.lower()))
        data = data.get(path[-1]) if isinstance(data, dict) else None
    return tuple(path)


def _checked(model: type[M], sources: Sources) -> M:
    try:
        return model.model_validate_json(json.dumps(sources.data, default=str), strict=True)
    except ValidationError as e:
        faults = [_said(error, model, sources) for error in e.errors(include_url=False)]
        raise ConfigError("\n".join(dict.fromkeys(faults))) from None


def _said(error: ErrorDetails, model: type[BaseModel], sources: Sources) -> str:
    """`file:line: path.of.key: expected ..., found ...`."""
    context = error.get("ctx", {})
    path = (*error["loc"], *(str(context["at"]).split(".") if error["type"] == "fault" and context["at"] else ()))
    start = f"{sources.where(path)}: {'.'.join(map(str, path)) or 'the file'}: "
    if error["type"] == "extra_forbidden":
        near = get_close_matches(str(path[-1]), _siblings(model, path), n=1)
        return f"{start}expected a known key, found {path[-1]!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if error["type"] == "missing":
        # A whole section is missing from all that was said, whoever spoke last.
        start = f"configuration: {path[0]}: " if model is Config and not path[1:] else start
        return f"{start}expected a value, found nothing"
    if error["type"] == "fault":
        return start + error["msg"]
    if error["type"] == "value_error":  # a rule of ours about the whole, which says what it found
        return f"{start}expected: {context['error']}"
    if error["type"] == "too_short":
        return f"{start}expected at least {_items(context['min_length'])}, found {_items(context['actual_length'])}"
    expected = error["msg"]
    for theirs, ours in PHRASES.items():
        expected = expected.replace(theirs, ours)
    secret = any(path[: len(keys)] == keys for keys in SECRET_KEYS)
    return f"{start}expected {expected}, found {'something else (not shown)' if secret else _brief(error['input'])}"


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count or 'no'} items"


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _siblings(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """The keys that would have been right beside the last one of `path`."""
    here: type[BaseModel] | None = model
    for key in path[:-1]:
        annotation = here.model_fields[str(key)].annotation if here and str(key) in here.model_fields else None
        found = _model_in(annotation)
        here = found or here  # a name or number inside a mapping or list: the model stays
    return list(here.model_fields) if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for inner in getattr(annotation, "__args__", ()) if (m := _model_in(inner))), None)
