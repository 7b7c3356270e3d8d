# shellcheck shell=bash
# What every virtual machine starts from: the throwaway host's root without its user, with a kernel,
# an initrd that runs Ignition, a network and sshd, as a disk image.

guest_packages=(linux-image-cloud-amd64 dracut dracut-network ignition gdisk openssh-server zstd)

prepare_guest() {
    prepare_images
    cached guest "$(hash_of "$host_dir/lib/base.sh" \
        "=${guest_packages[*]} $(declare -f build_guest configure_ignition build_initrd)")" \
        "the root of the virtual machine, its kernel and initrd" build_guest
    guest=$REPLY
    prepare_vendor
    cached disk "$(hash_of "$host_dir/root" "$host_dir/vm-root" "=$guest $images $vendor" "=$(declare -f build_disk)")" \
        "the disk of the virtual machine" build_disk
    disk=$REPLY/disk.img
}

build_guest() {
    local directory=$1/root
    mmdebstrap_root "$directory" --variant=essential \
        --include="$(IFS=,; printf '%s' "${base_packages[*]},${guest_packages[*]}")"
    quieten "$directory"
    configure_ignition "$directory"
    build_initrd "$directory"
    mv "$directory"/boot/vmlinuz-* "$1/vmlinuz"
    mv "$directory"/boot/initrd.img "$1/initrd"
    rm -rf "$directory"/boot/*
}

# This build of Ignition relabels for SELinux once it is done, by a policy and a program that are not
# here: the guest runs without SELinux, and what is called instead does nothing.
configure_ignition() {
    mkdir -p "$1/etc/selinux"
    printf 'SELINUX=disabled\nSELINUXTYPE=default\n' >"$1/etc/selinux/config"
    printf '#!/bin/sh\nexit 0\n' >"$1/usr/local/lib/setfiles"
    chmod 0755 "$1/usr/local/lib/setfiles"
}

build_initrd() {
    # shellcheck disable=SC2016  # $1 is for the inner shell
    unshare --mount --pid --fork --kill-child --propagation private -- /bin/bash -euc '
        mount --rbind /dev "$1/dev"
        mount -t proc proc "$1/proc"
        mount -t sysfs -o ro sysfs "$1/sys"
        version=$(cd "$1/lib/modules" && echo *)
        exec chroot "$1" dracut --force --no-hostonly --kver "$version" --compress "zstd -3" \
            --add ignition --include /usr/local/lib/setfiles /usr/sbin/setfiles \
            --add-drivers "virtio_blk virtio_pci virtio_net ext4 qemu_fw_cfg" /boot/initrd.img' - "$1"
}

# The disk is the image of a tree that is made for it and then removed: its file systems have room for
# a dozen containers, and where nothing was written the image has holes.
build_disk() {
    local tree=$1/tree
    cp -a --reflink=auto "$guest/root" "$tree"
    cp -a --no-preserve=ownership "$host_dir/root/." "$host_dir/vm-root/." "$tree/"
    root=$tree install_images
    # Made in another root, where that user has another number.
    chroot "$tree" chown -R docker-registry: /var/lib/docker-registry
    chroot "$tree" chgrp docker-registry /etc/docker/registry/htpasswd
    mkdir -p "$tree/usr/local/lib/workloadd" "$tree/var/log/journal"
    cp -a --reflink=auto "$vendor" "$tree/usr/local/lib/workloadd/vendor"
    printf '%s\n' "$vendor" >"$tree/usr/local/lib/workloadd/vendor/.from"
    # Empty, as on Fedora CoreOS: what Ignition enables is enabled by preset, at a first boot only.
    : >"$tree/etc/machine-id"
    mke2fs -q -t ext4 -L root -d "$tree" "$1/disk.img" 6G
    rm -rf "$tree"
}
