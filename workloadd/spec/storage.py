"""What a container sees of the host's files, and of its own from earlier."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from workloadd.spec.base import SpecModel
from workloadd.spec.volumes import Volume, parse_volumes


class StorageSpec(SpecModel):
    """The file systems of a container beside its image."""

    volumes: Annotated[
        tuple[Annotated[Volume, Field(discriminator="type")], ...],
        BeforeValidator(parse_volumes, json_schema_input_type=list[str | Volume]),
    ] = Field(
        default=(),
        description="What is mounted: SOURCE:TARGET[:OPTIONS], or the long form. A source that "
        "begins with /, . or ~ is a path of the host, any other the name of a volume.",
        examples=[["data:/var/lib/data", "./site:/srv/www:ro"]],
    )
