# shellcheck shell=bash
# Running a command inside a virtual machine: over ssh, from loopback to loopback, with a key of its own.

# make_key: the key that Ignition lets in, and what the guest's own is known by.
make_key() {
    ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$instance/key"
    printf 'guest %s\n' "$(<"$guest/root/etc/ssh/ssh_host_ed25519_key.pub")" >"$instance/known_hosts"
}

write_ssh_config() {
    cat >"$instance/ssh_config" <<END
Host guest
HostName 127.0.0.1
Port $1
User root
HostKeyAlias guest
UserKnownHostsFile $instance/known_hosts
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
IdentityFile $instance/key
IdentitiesOnly yes
BatchMode yes
ConnectTimeout 20
ControlPath $instance/ssh
LogLevel ERROR
END
}

in_guest() { ssh -F "$instance/ssh_config" "$@"; }

# is_connected: one connection for all commands, since each of its own takes seconds under emulation.
is_connected() {
    recorded_process "$instance/qemu" || die "virtual machine '$name' ended" "see $instance/console.log"
    ! in_guest -O check guest >/dev/null 2>&1 || return 0
    in_guest -fNM guest </dev/null >"$instance/ssh.log" 2>&1 && return 0
    sleep 1
    return 1
}

disconnect() { in_guest -O exit guest >/dev/null 2>&1 || true; }

# exec_inside USER COMMAND…: becomes the command.
exec_inside() {
    recorded_process "$instance/qemu" ||
        die "virtual machine '$name' does not run" "start it: contrib/host/vm --name $name up"
    exec ssh -F "$instance/ssh_config" guest \
        "$(declare -f die look_up_user join_user_manager become); name=$name; cd /; become 1 $(printf '%q ' "$@")"
}
