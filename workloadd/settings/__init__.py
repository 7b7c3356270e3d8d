"""The daemon's own settings and paths: fragments → inputs → settings."""

from workloadd.settings.load import load_settings
from workloadd.settings.model import Settings
from workloadd.settings.paths import Paths

__all__ = ["Paths", "Settings", "load_settings"]
