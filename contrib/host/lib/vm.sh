# shellcheck shell=bash
# One virtual machine: made from the disk image, booted, waited for, rebooted, cut off, ended.

boot_deadline=240 # seconds: emulated, and on a machine that may have more to do
stop_deadline=120

use_guest() {
    use_instance "$1"
    instance=$cache/vms/$name
    root=
}

guest_up() {
    local fresh=
    [[ ${1:-} != --fresh ]] || fresh=1
    ((EUID == 0)) || die "the virtual machine needs root" "run this as root"
    [[ $(uname -m) == x86_64 ]] || die "cannot emulate a guest on $(uname -m)" "run this on an x86-64 machine"
    mkdir -p "$cache"
    ensure_packages mmdebstrap=mmdebstrap setsid=util-linux flock=util-linux python3=python3 \
        mke2fs=e2fsprogs ssh=openssh-client
    ensure_keyring
    prepare_base
    prepare_qemu
    prepare_guest
    mkdir -p "$instance"
    local lock
    exec {lock}>"$instance/lock"
    flock "$lock"
    [[ -z $fresh ]] || remove_guest
    if recorded_process "$instance/qemu"; then
        say "virtual machine '$name' is running"
    else
        create_guest
        boot_guest "$lock"
    fi
    await_guest
    exec {lock}>&-
}

# What a guest is made of; it is made again, once it is down, when that has changed.
guest_wanted() { hash_of "$host_dir/lib/vm.sh" "$host_dir/lib/ignition.sh" "=$qemu" "=$disk"; }

create_guest() {
    [[ ! -e $instance/version || $(<"$instance/version") != "$(guest_wanted)" ]] || return 0
    say "making virtual machine '$name' from ${disk%/*}"
    remove_guest
    make_key
    ignition_config "$(<"$instance/key.pub")" >"$instance/config.ign"
    (in_qemu_root qemu-img create -q -f qcow2 -b "$disk" -F raw "$instance/disk.qcow2")
    : >"$instance/first-boot"
    ln -sfn "$guest" "$instance/guest"
    ln -sfn "$qemu" "$instance/qemu-root"
    guest_wanted >"$instance/version"
}

# boot_guest LOCK: starts QEMU, which ends when the guest powers off or reboots. Only the first boot is
# told to run Ignition, as a boot loader would see to it.
boot_guest() {
    local lock=$1 port qemu append='console=ttyS0 root=LABEL=root rw quiet selinux=0'
    [[ ! -e $instance/first-boot ]] || append+=' ignition.firstboot ignition.platform.id=qemu'
    qemu=$(readlink "$instance/qemu-root")
    port=$(free_port)
    write_ssh_config "$port"
    disconnect
    say "booting"
    (
        exec {lock}>&- </dev/null >>"$instance/qemu.log" 2>&1
        in_qemu_root setsid qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 4 -m 2048 \
            -no-user-config -nodefaults -display none -no-reboot \
            -chardev "file,id=console,path=$instance/console.log,append=on" -serial chardev:console \
            -kernel "$instance/guest/vmlinuz" -initrd "$instance/guest/initrd" -append "$append" \
            -fw_cfg "name=opt/com.coreos/config,file=$instance/config.ign" \
            -drive "file=$instance/disk.qcow2,format=qcow2,if=virtio,discard=unmap" \
            -netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:22" \
            -device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci
    ) &
    disown
    record_process $! "$instance/qemu"
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

await_guest() {
    await "$boot_deadline" is_connected || did_not "start"
    rm -f "$instance/first-boot"
    await "$boot_deadline" guest_serves || did_not "become ready"
    say "the registries answer and the manager of user '$host_user' runs"
}

did_not() {
    tail -n 20 "$instance/console.log" >&2
    die "virtual machine '$name' did not $1 in $boot_deadline s" "see $instance/console.log"
}

# guest_serves: asks inside, twice a second.
guest_serves() {
    run_inside root timeout 60 sh -c 'until
        runuser -u "$0" -- env XDG_RUNTIME_DIR="/run/user/$(id -u "$0")" \
            systemctl --user is-active --quiet default.target &&
        curl --silent --output /dev/null http://127.0.0.1:5000/v2/ --output /dev/null http://127.0.0.1:5001/v2/
    do sleep 0.5; done' "$host_user" 2>/dev/null
}

# guest_reboot: an orderly reboot from inside, then as `up` waits.
guest_reboot() {
    local lock
    exec {lock}>"$instance/lock"
    flock "$lock"
    say "rebooting"
    run_inside root systemctl reboot
    await "$stop_deadline" is_gone "$instance/qemu" || die "virtual machine '$name' did not go down" \
        "see $instance/console.log"
    boot_guest "$lock"
    await_guest
    exec {lock}>&-
}

# guest_power_cut: what was not yet on the disk is lost.
guest_power_cut() {
    recorded_process "$instance/qemu" || die "virtual machine '$name' does not run"
    cut_off
    say "virtual machine '$name' has no power"
}

cut_off() {
    ! recorded_process "$instance/qemu" || kill -KILL "$REPLY" 2>/dev/null || true
    await 20 is_gone "$instance/qemu" || die "cannot end virtual machine '$name'"
    [[ ! -e $instance/ssh_config ]] || disconnect
}

remove_guest() {
    cut_off
    rm -rf "${instance:?}"/{version,guest,qemu,qemu-root,qemu.log,console.log,ssh*,key*,known_hosts,config.ign,disk.qcow2,first-boot}
}

# guest_down [--purge]: an orderly end; with --purge at once, and the guest's files go as well.
guest_down() {
    if [[ ${1:-} == --purge ]]; then
        remove_guest
        rm -rf "$instance"
        say "virtual machine '$name' is gone"
    elif recorded_process "$instance/qemu"; then
        say "stopping virtual machine '$name'"
        run_inside root systemctl poweroff
        await "$stop_deadline" is_gone "$instance/qemu" || cut_off
        say "stopped; its files are kept in $instance"
    else
        say "virtual machine '$name' does not run"
    fi
}

# guest_install: what contrib/install puts into a throwaway host's root is sent as it is.
guest_install() {
    local stage=$instance/stage lib=usr/local/lib/workloadd
    prepare_base
    prepare_vendor
    rm -rf "$stage"
    mkdir -p "$stage"/{new,work,root}
    mkdir -p "$stage/new/$lib/vendor"
    printf '%s\n' "$vendor" >"$stage/new/$lib/vendor/.from"
    # shellcheck disable=SC2016  # the inner shell's own parameters
    unshare --mount --propagation private -- /bin/bash -euc '
        mount -t overlay -o "lowerdir=$1,upperdir=$2/new,workdir=$2/work" overlay "$2/root"
        # What it installs is run there, for the completions of shells.
        mount --bind "$4" "$2/root/usr/local/lib/workloadd/vendor"
        "$3" --root "$2/root" --vendor "$4"' - "$base" "$stage" "$project/contrib/install" "$vendor"
    # Large, and seldom another one than the disk was made with.
    if [[ $(run_inside root cat "/$lib/vendor/.from") != "$vendor" ]]; then
        run_inside root rm -rf "/$lib/vendor"
        cp -a --reflink=auto "$vendor" "$stage/new/$lib/"
    fi
    tar -C "$stage/new" -c --exclude=./run --exclude=./tmp . |
        run_inside root sh -ec "rm -rf /$lib/workloadd*; tar -xC / --numeric-owner"
    rm -rf "$stage"
    say "workloadd is installed in virtual machine '$name'"
    take_effect
}

guest_console() { exec tail -n 100 -F "$instance/console.log"; }

guest_status() {
    recorded_process "$instance/qemu" || {
        printf "virtual machine '%s' does not run\n" "$name"
        return 3
    }
    printf "virtual machine '%s' runs: QEMU is process %s\n" "$name" "$REPLY"
}
