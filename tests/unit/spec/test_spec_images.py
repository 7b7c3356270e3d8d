"""Image references."""

from __future__ import annotations

import pytest

from workloadd.spec.images import ImageRef, image_reference
from workloadd.spec.problems import ProblemsError

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("docker.io/nginx", ImageRef("docker.io", "library/nginx", "latest")),
        ("index.docker.io/nginx:1", ImageRef("docker.io", "library/nginx", "1")),
        ("docker.io/grafana/loki:3", ImageRef("docker.io", "grafana/loki", "3")),
        ("localhost/a", ImageRef("localhost", "a", "latest")),
        ("localhost:5000/a:1", ImageRef("localhost:5000", "a", "1")),
        ("[::1]:5000/a/b-c__d.e:1", ImageRef("[::1]:5000", "a/b-c__d.e", "1")),
        (f"quay.io/a@{DIGEST}", ImageRef("quay.io", "a", None, DIGEST)),
        (f"quay.io/a:1@{DIGEST}", ImageRef("quay.io", "a", "1", DIGEST)),
    ],
)
def test_reference(text: str, reference: ImageRef) -> None:
    assert image_reference(text) == reference
    assert image_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("bitnami/redis:7", "docker.io/bitnami/redis:7"),
        ("docker://quay.io/a:1", "without docker://"),
        ("oci-archive:/tmp/x.tar", "transport"),
        ("quay.io/", "part of a repository"),
        ("quay.io/a//b:1", "part of a repository"),
        ("quay.io/A:1", "write a"),
        ("quay.io/a:", "is not a tag"),
        ("quay.io/a:" + "x" * 129, "is not a tag"),
        ("quay.io/a@sha256:12", "is not a digest"),
        ("quay.io/a@", "is not a digest"),
        ("-x.io/a:1", "host name"),
        ("quay.io/" + "a" * 250, "longer than 255"),
        ("quay.io/a b", "part of a repository"),
        ("quay.io/a\n", "control character"),
        ("", "empty"),
    ],
)
def test_bad_reference(text: str, words: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        image_reference(text)
    assert words in str(caught.value)
