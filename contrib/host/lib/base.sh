# shellcheck shell=bash
# The root directory every throwaway host is a copy of: Debian 13 with systemd and Podman 5.

suite=trixie
base_packages=(
    systemd systemd-sysv dbus dbus-user-session libpam-systemd polkitd
    podman crun netavark aardvark-dns passt uidmap catatonit fuse-overlayfs nftables
    python3 python3-systemd libstdc++6
    docker-registry busybox-static
    ca-certificates curl iproute2 jq less procps socat util-linux
)

prepare_base() {
    cached base "$(hash_of "$host_dir/lib/base.sh")" \
        "the root of the host, with mmdebstrap" build_base
    base=$REPLY/root
}

# mmdebstrap_root DIRECTORY OPTION…: a Debian root from this machine's own mirror.
mmdebstrap_root() {
    local directory=$1 mirror option options=()
    shift
    mirror=$(debian_mirror)
    [[ -n $mirror ]] || die "no Debian archive in this machine's apt sources" "see apt-get indextargets"
    while IFS= read -r option; do
        options+=("--aptopt=$option")
    done < <(apt_options)
    # shellcheck disable=SC2016  # $1 is for mmdebstrap's shell
    mmdebstrap --mode=root "${options[@]}" \
        --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook='rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"' \
        "$@" "$suite" "$directory" "$mirror"
}

build_base() {
    local directory=$1/root packages
    packages=$(IFS=,; printf '%s' "${base_packages[*]}")
    mmdebstrap_root "$directory" --variant=essential --include="$packages"
    add_user "$directory"
    quieten "$directory"
}

# A regular user, since a system user gets no range of subordinate IDs; lingering, so that its
# manager runs from boot on.
add_user() {
    chroot "$1" useradd --create-home --shell /bin/bash "$host_user"
    mkdir -p "$1/var/lib/systemd/linger"
    : >"$1/var/lib/systemd/linger/$host_user"
}

# Nothing that a machine for containers would not run: no consoles, no updates, no updaters.
quieten() {
    local unit
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
        podman-auto-update.timer podman-auto-update.service console-getty.service \
        getty@tty1.service getty-static.service netavark-dhcp-proxy.socket netavark-dhcp-proxy.service \
        netavark-firewalld-reload.service podman-restart.service systemd-modules-load.service; do
        ln -sf /dev/null "$1/etc/systemd/system/$unit"
    done
    rm -rf "$1"/etc/systemd/user/sockets.target.wants/{dirmngr,gpg-agent*,keyboxd}.socket
}
