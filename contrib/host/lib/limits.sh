# shellcheck shell=bash
# Kernel limits that count per user ID. All throwaway hosts share the machine's kernel, and their
# user the same ID, so what suffices for one real host is soon used up: each container has a
# keyring, each pasta and conmon an inotify instance.

raise_limits() {
    raise_limit kernel/keys/maxkeys 20000
    raise_limit kernel/keys/maxbytes 2000000
    raise_limit fs/inotify/max_user_instances 8192
}

# raise_limit NAME VALUE: raises a limit of the machine's kernel that is below VALUE.
raise_limit() {
    local file=/proc/sys/$1
    [[ -w $file ]] && (($(<"$file") < $2)) || return 0
    say "raising ${1//\//.} from $(<"$file") to $2, until the machine's next boot"
    printf '%d\n' "$2" >"$file" 2>/dev/null || say "cannot raise ${1//\//.}: going on without"
}
