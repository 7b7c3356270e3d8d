# shellcheck shell=bash
# The configuration that a guest's first boot applies, as it would be given to a Fedora CoreOS host.

# ignition_config KEY: prints it; KEY may enter as root.
ignition_config() {
    local key=$1 home=/home/$host_user path directories=() links=() systemd=.config/systemd/user
    # Each directory by itself: what Ignition makes on the way to another is root's.
    for path in .config .config/systemd "$systemd" "$systemd"/{sockets,default}.target.wants; do
        directories+=("$(owned "$home/$path")}")
    done
    links+=("$(owned "$home/$systemd/sockets.target.wants/podman.socket"), \
\"target\": \"/usr/lib/systemd/user/podman.socket\"}")
    links+=("$(owned "$home/$systemd/default.target.wants/workloadd.service"), \
\"target\": \"/etc/systemd/user/workloadd.service\"}")
    cat <<END
{
  "ignition": {"version": "3.3.0"},
  "passwd": {"users": [
    {"name": "root", "sshAuthorizedKeys": ["$key"]},
    {"name": "$host_user", "uid": 1000, "shell": "/bin/bash"}
  ]},
  "systemd": {"units": [
    {"name": "user@.service", "dropins": [
      {"name": "delegate.conf", "contents": "[Service]\nDelegate=cpuset cpu memory pids io\n"}
    ]}
  ]},
  "storage": {
    "directories": [
      {"path": "/etc/workloadd/workloads.d", "mode": 493},
      {"path": "/etc/workloadd/workloadd.conf.d", "mode": 493},
      $(listed "${directories[@]}")
    ],
    "files": [
      {"path": "/etc/hostname", "mode": 420, "overwrite": true,
       "contents": {"source": "data:,workloadd-$name%0A"}},
      {"path": "/var/lib/systemd/linger/$host_user", "mode": 420}
    ],
    "links": [
      $(listed "${links[@]}")
    ]
  }
}
END
}

# owned PATH: the beginning of an entry for a path of the user's.
owned() {
    printf '{"path": "%s", "user": {"name": "%s"}, "group": {"name": "%s"}' "$1" "$host_user" "$host_user"
}

listed() {
    local IFS=$'\n'
    printf '%s' "$*" | sed '$!s/$/,/; 2,$s/^/      /'
}
