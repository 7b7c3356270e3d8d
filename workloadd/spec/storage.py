"""What a container sees of the host's files, of its own from earlier, and of what it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from workloadd.spec.base import SpecModel
from workloadd.spec.files import File, parse_files
from workloadd.spec.problems import Problem, ProblemsError
from workloadd.spec.secrets import Secret, parse_secrets, secret_place
from workloadd.spec.text import quote
from workloadd.spec.volume_entries import parse_volumes
from workloadd.spec.volumes import Volume


class StorageSpec(SpecModel):
    """The file systems of a container beside its image, its secrets and its files."""

    volumes: Annotated[
        tuple[Annotated[Volume, Field(discriminator="type")], ...],
        BeforeValidator(parse_volumes, json_schema_input_type=list[str | Volume]),
    ] = Field(
        default=(),
        description="What is mounted: SOURCE:TARGET[:OPTIONS], or the long form. A source that "
        "begins with /, . or ~ is a path of the host, any other the name of a volume.",
        examples=[["data:/var/lib/data", "./site:/srv/www:ro"]],
    )
    secrets: Annotated[
        Mapping[str, Secret],
        BeforeValidator(parse_secrets, json_schema_input_type=dict[str, Secret]),
    ] = Field(
        default_factory=dict,
        description="Secrets by name: where each comes from, and whether it becomes a file "
        "(/run/secrets/NAME) or a variable. A changed one means a new container.",
        examples=[{"db-password": {"file": "/etc/shop/db-password"}}],
    )
    files: Annotated[
        Mapping[str, File],
        BeforeValidator(parse_files, json_schema_input_type=dict[str, str | File]),
    ] = Field(
        default_factory=dict,
        description="Files by their path in the container: the content itself, or the long form.",
        examples=[
            {"/etc/motd": "Hello\n"},
            {"/etc/nginx/conf.d": {"source": "./conf.d"}},
        ],
    )

    @property
    def mounted_images(self) -> tuple[str, ...]:
        """The images whose content is mounted, by name."""
        return tuple(sorted({v.source for v in self.volumes if v.type == "image"}))

    @property
    def volume_images(self) -> tuple[str, ...]:
        """The images whose content volumes of the workload's own show, by name."""
        found = {v.image for v in self.volumes if v.type == "volume" and v.image}
        return tuple(sorted(found))

    @model_validator(mode="after")
    def _places_differ(self) -> StorageSpec:
        if problems := tuple(self._clashes()):
            raise ProblemsError(*problems)
        return self

    def _clashes(self) -> Iterator[Problem]:
        """What is mounted in one place hides what was mounted there before it."""
        taken = {volume.target: "a volume" for volume in self.volumes}
        for name, secret in self.secrets.items():
            place = secret_place(name, secret)
            if other := taken.get(place):
                why = f"{quote(place)} is that of {other} already"
                yield Problem("DuplicateTarget", why, "", ("secrets", name), at_key=True)
            taken[place] = f"the secret {name}"
        for path in self.files:
            if other := taken.get(path):
                why = f"{quote(path)} is that of {other} already"
                yield Problem("DuplicateTarget", why, "", ("files", path), at_key=True)
