# shellcheck shell=bash
# One throwaway host: made from the base, booted, waited for, rebooted, ended.

boot_deadline=60  # seconds
stop_deadline=40  # seconds: containers may take their stop timeout

# init_of_instance: REPLY becomes the machine's PID of the host's init; status 1 if there is none.
init_of_instance() {
    recorded_process "$instance/nspawn" || return 1
    # The kernel ends the list of children with a blank, not a newline: read reports an end of file.
    { read -r REPLY _ <"/proc/$REPLY/task/$REPLY/children" || true; } 2>/dev/null
    [[ -n $REPLY ]]
}

host_up() {
    local fresh=
    [[ ${1:-} != --fresh ]] || fresh=1
    ((EUID == 0)) || die "the throwaway host needs root" "run this as root"
    mkdir -p "$cache"
    ensure_packages mmdebstrap=mmdebstrap systemd-nspawn=systemd-container nsenter=util-linux \
        setsid=util-linux flock=util-linux python3=python3 curl=curl
    ensure_keyring
    prepare_base
    prepare_images
    mkdir -p "$instance"
    local lock
    exec {lock}>"$instance/lock"
    flock "$lock"
    [[ -z $fresh ]] || remove_instance
    if recorded_process "$instance/loop"; then
        say "host '$name' is running$(note_age)"
    else
        create_instance
        boot_instance "$lock"
    fi
    await_ready
    exec {lock}>&-
}

# What a host is made of; it is made again, once it is down, when that has changed.
version_wanted() { hash_of "$host_dir/root" "$host_dir/lib/instance.sh" "=$base" "=$images"; }

is_present() { [[ -e $instance/version && $(<"$instance/version") == "$(version_wanted)" ]]; }

note_age() { is_present || printf ', made by another version of contrib/host: up --fresh renews it'; }

# create_instance: a copy of the base and of what lies over it, unless there is a present one.
create_instance() {
    ! is_present || return 0
    say "making host '$name' from ${base%/root}"
    remove_instance
    cp -a --reflink=auto "$base" "$root"
    cp -a --no-preserve=ownership "$host_dir/root/." "$root/"
    install_images
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    printf 'workloadd-%s\n' "$name" >"$root/etc/hostname"
    mkdir -p "$root/var/log/journal"
    mkdir -p "$instance/dev"
    # The machine's own nodes may be for root only.
    mknod -m 0666 "$instance/dev/tun" c 10 200
    mknod -m 0666 "$instance/dev/fuse" c 10 229
    version_wanted >"$instance/version"
}

has_unified_cgroups() { [[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]]; }

# Without the pids controller Podman must not ask for its default limit.
write_controllers() {
    local file=$root/etc/containers/containers.conf.d/50-controllers.conf
    rm -f "$file"
    if ! has_unified_cgroups || ! grep -qw pids /sys/fs/cgroup/cgroup.controllers; then
        mkdir -p "${file%/*}"
        printf '# The machine below has no pids controller to delegate.\n[containers]\npids_limit = 0\n' >"$file"
    fi
}

boot_instance() {
    local lock=$1
    write_controllers
    raise_limits
    say "booting"
    rm -f "$instance/nspawn"
    setsid "$host_dir/lib/boot" "$instance" "$cgroup_name" {lock}>&- \
        </dev/null >"$instance/console.log" 2>&1 &
    disown
    record_process $! "$instance/loop"
}

is_ready() { user_manager_runs && registries_answer; }

user_manager_runs() {
    local uid gid home
    look_up_user "$host_user"
    init_of_instance &&
        [[ -S /proc/$REPLY/root/run/user/$uid/systemd/private ]] &&
        run_inside "$host_user" systemctl --user is-active --quiet default.target
}

registries_answer() {
    run_inside root curl --silent --output /dev/null http://127.0.0.1:5000/v2/ --output /dev/null http://127.0.0.1:5001/v2/
}

await_ready() {
    await "$boot_deadline" is_ready 2>/dev/null || {
        tail -n 20 "$instance/console.log" >&2
        die "host '$name' did not start in $boot_deadline s" "see $instance/console.log"
    }
    say "the registries answer and the manager of user '$host_user' runs"
}

init_is_not() { init_of_instance && [[ $REPLY != "$1" ]]; }

# host_reboot: an orderly reboot from inside, then as `up` waits.
host_reboot() {
    init_of_instance || die "host '$name' does not run" "start it: contrib/host/host --name $name up"
    local old=$REPLY
    say "rebooting"
    run_inside root systemctl reboot
    await "$((boot_deadline + stop_deadline))" init_is_not "$old" || die "host '$name' did not reboot" \
        "see $instance/console.log"
    await_ready
}

# host_down [--purge]: an orderly end; with --purge at once, and the host's files go as well.
host_down() {
    stop_forwards
    if [[ ${1:-} == --purge ]]; then
        remove_instance
        rm -rf "$instance"
        say "host '$name' is gone"
        return
    fi
    if ! recorded_process "$instance/loop"; then
        say "host '$name' does not run"
        return
    fi
    say "stopping host '$name'"
    # nspawn turns SIGTERM into an orderly poweroff.
    ! recorded_process "$instance/nspawn" || kill -TERM "$REPLY"
    await "$stop_deadline" is_gone "$instance/loop" || kill_instance
    say "stopped; its files are kept in $instance"
}

# kill_instance: as pulling the plug does. The death of init ends every process of its namespace,
# nspawn with it, and then the loop, which removes its cgroup.
kill_instance() {
    recorded_process "$instance/loop" || return 0
    if init_of_instance; then
        kill -KILL "$REPLY" 2>/dev/null || true
    elif recorded_process "$instance/nspawn"; then
        kill -KILL "$REPLY" 2>/dev/null || true
    fi
    await 20 is_gone "$instance/loop" || die "cannot end host '$name'" "see $instance/console.log"
}

remove_instance() {
    kill_instance
    rm -rf "${instance:?}"/{root,version,nspawn,loop,dev}
}

host_status() {
    if ! init_of_instance; then
        printf "host '%s' does not run\n" "$name"
        return 3
    fi
    printf "host '%s' runs: init is process %s, root directory %s\n" "$name" "$REPLY" "$root"
    list_forwards
}
