"""Pure translation of a revision into what Podman and systemd read."""
