# shellcheck shell=bash
# Running a command inside the host, as root or as a user with a session's environment.

# look_up_user USER: sets uid, gid and home to what they are inside the host.
look_up_user() {
    local user
    while IFS=: read -r user _ uid gid _ home _; do
        [[ $user != "$1" ]] || return 0
    done <"$root/etc/passwd"
    die "no user '$1' in host '$name'"
}

# run_inside USER COMMAND…: waits for it; same standard streams, same exit status.
run_inside() { (exec_inside "$@"); }

# exec_inside USER COMMAND…: becomes the command.
exec_inside() {
    local entry
    init_of_instance || die "host '$name' does not run" "start it: contrib/host/host --name $name up"
    entry=(nsenter -t "$REPLY" -m -u -i -n -p -C --)
    become "$REPLY" "$@"
}

# become INIT USER COMMAND…: becomes the command, by way of what the array `entry` holds.
become() {
    local init=$1 user=$2 uid gid home identity=()
    shift 2
    local environment=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        "LANG=C.UTF-8" "TERM=${TERM:-dumb}" "USER=$user" "LOGNAME=$user" "SHELL=/bin/bash")
    look_up_user "$user"
    environment+=("HOME=$home")
    if ((uid != 0)); then
        environment+=("XDG_RUNTIME_DIR=/run/user/$uid"
            "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$uid/bus")
        identity=(setpriv "--reuid=$uid" "--regid=$gid" --init-groups)
        join_user_manager "$init" "$uid"
    fi
    exec env -i "${environment[@]}" "${entry[@]}" "${identity[@]}" "$@"
}

# Podman expects to be in a cgroup that its user owns, as a shell of that user's session is.
join_user_manager() {
    local slice=/proc/$1/root/sys/fs/cgroup/user.slice/user-$2.slice/user@$2.service/app.slice
    local scope=$slice/host-exec.scope
    if [[ ! -d $scope ]]; then
        [[ -d $slice ]] || return 0
        mkdir -p "$scope"
        chown "$2:$2" "$scope" "$scope/cgroup.procs"
    fi
    echo "$BASHPID" >"$scope/cgroup.procs"
}
