"""Settings to objects: the one place of wiring. `load` checks the files; `bot.config.wiring` builds what they say."""

from bot.config.load import load, load_policy
from bot.config.models import Config, json_schema, policy_schema

__all__ = ["Config", "json_schema", "load", "load_policy", "policy_schema"]
