# shellcheck shell=bash
# QEMU 10 in a root of its own: Debian 12's (7.2) crashes guest kernels under software emulation, which
# is what there is where KVM is not.

qemu_packages=(qemu-system-x86 qemu-utils seabios ipxe-qemu)

prepare_qemu() {
    cached qemu "$(hash_of "$host_dir/lib/qemu.sh" "=$(declare -f mmdebstrap_root)")" \
        "QEMU, with mmdebstrap" build_qemu
    qemu=$REPLY/root
}

build_qemu() {
    mmdebstrap_root "$1/root" --variant=essential --include="$(IFS=,; printf '%s' "${qemu_packages[*]}")"
    mkdir -p "$1/root$cache"
}

# in_qemu_root COMMAND…: becomes a command of that root which sees the cache at its own place. Its
# mounts are its own and end with it.
in_qemu_root() {
    # shellcheck disable=SC2016  # the inner shell's own parameters
    exec unshare --mount --propagation private -- /bin/bash -euc '
        root=$1 cache=$2
        shift 2
        mount --bind "$cache" "$root$cache"
        mount --rbind /dev "$root/dev"
        mount -t proc proc "$root/proc"
        exec chroot "$root" "$@"' - "$qemu" "$cache" "$@"
}
