# shellcheck shell=bash
# Putting the present tree's workloadd into a host.

host_install() {
    [[ -d $root/etc ]] || die "there is no host '$name'" "make it: contrib/host/host --name $name up"
    prepare_base
    prepare_vendor
    "$project/contrib/install" --root "$root" --vendor "$vendor"
    say "workloadd is installed in host '$name'"
    ! init_of_instance || take_effect
}

# What workloadd depends on, for the host's Python.
prepare_vendor() {
    local list
    make -s -C "$project" .venv/stamp >&2
    list=$("$project/.venv/bin/python" "$project/contrib/vendor" --list)
    cached vendor "$(hash_of "$project/contrib/vendor" "=$list" "=$base")" \
        "the Python packages workloadd depends on" build_vendor
    vendor=$REPLY/vendor
}

# build_vendor DIRECTORY: wheels for the base's Python, compiled by it for where they will be.
build_vendor() {
    local version
    version=$(chroot "$base" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$project/.venv/bin/python" "$project/contrib/vendor" "$version" "$1/vendor"
    # shellcheck disable=SC2016  # the inner shell's own parameters
    unshare --mount --propagation private -- /bin/bash -euc '
        mount --bind "$2" "$1/mnt"
        exec chroot "$1" python3 -m compileall -q -s /mnt -p /usr/local/lib/workloadd/vendor /mnt' \
        - "$base" "$1/vendor"
}

# What a boot would do: the directories under /run, and the units as they are now.
take_effect() {
    run_inside root systemd-tmpfiles --create workloadd.conf
    run_inside root systemctl daemon-reload
    run_inside "$host_user" systemctl --user daemon-reload
    local state
    state=$(run_inside "$host_user" systemctl --user show --value -p ActiveState workloadd.service)
    # Podman's service reads its settings when it starts.
    run_inside "$host_user" systemctl --user stop podman.service
    [[ $state != inactive ]] || return 0
    # What the older tree had used up of the start limit does not count for this one.
    run_inside "$host_user" systemctl --user reset-failed workloadd.service
    run_inside "$host_user" systemctl --user restart workloadd.service
    say "workloadd.service was restarted"
}
