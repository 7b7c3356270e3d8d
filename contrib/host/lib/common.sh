# shellcheck shell=bash
# shellcheck disable=SC2034  # the files that source this one use its variables
# What every part of contrib/host shares: paths, messages, cached steps, processes we started.

host_dir=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
project=$(cd "$host_dir/../.." && pwd)
cache=${WORKLOADD_CACHE:-${XDG_CACHE_HOME:-/var/cache}/workloadd}
host_user=workloads
quiet=${WORKLOADD_HOST_QUIET:-}
readonly host_dir project cache host_user quiet

# use_instance NAME: sets the paths of one throwaway host.
use_instance() {
    [[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || die "'$1' is not a name for a host" \
        "take lower-case letters, digits and dashes"
    name=$1
    instance=$cache/hosts/$name
    root=$instance/root
    cgroup_name=workloadd-host-$name
}

# say MESSAGE…: one line of progress, with the seconds since this command began.
say() {
    [[ -n $quiet ]] || printf '%6.1fs  %s\n' "$(seconds_since "$started_at")" "$*" >&2
}

seconds_since() {
    local microseconds=$((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}))
    printf '%d.%d' $((microseconds / 1000000)) $((microseconds % 1000000 / 100000))
}

# die MESSAGE [HINT]: ends the command with an error a person can act on.
die() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    [[ -z ${2:-} ]] || printf '  → %s\n' "$2" >&2
    exit 1
}

# hash_of FILE|DIRECTORY|=TEXT…: a short digest of contents, names and modes.
hash_of() {
    local input
    for input in "$@"; do
        case $input in
            =*) printf '%s\n' "$input" ;;
            *) (cd "$(dirname "$input")" && find "$(basename "$input")" -name __pycache__ -prune -o \
                \( -printf '%P %y %#m %l\n' -type f -exec sha256sum {} \; \) | LC_ALL=C sort) ;;
        esac
    done | sha256sum | cut -c1-16
}

# cached KIND HASH WHAT BUILDER [ARGUMENT…]: REPLY becomes $cache/KIND-HASH, which is built first,
# by `BUILDER DIRECTORY [ARGUMENT…]`, if it is not there yet. The directory appears only when it is
# complete, and one command at a time builds a kind.
cached() {
    local kind=$1 hash=$2 what=$3 builder=$4 lock
    shift 4
    REPLY=$cache/$kind-$hash
    [[ ! -d $REPLY ]] || return 0
    exec {lock}>"$cache/$kind.lock"
    flock "$lock"
    if [[ ! -d $REPLY ]]; then
        say "building $what (once; the log is $cache/$kind.log)"
        rm -rf "$cache/$kind-"*.part
        mkdir -p "$REPLY.part"
        # In the background, because errexit does not hold in a function whose status is tested.
        (exec {lock}>&-; "$builder" "$REPLY.part" "$@") >"$cache/$kind.log" 2>&1 </dev/null &
        wait $! || {
            tail -n 15 "$cache/$kind.log" >&2
            die "cannot build $what" "see $cache/$kind.log"
        }
        mv "$REPLY.part" "$REPLY"
        forget_old "$kind"
    fi
    exec {lock}>&-
}

# forget_old KIND: removes what other versions of the inputs left more than a week ago.
forget_old() {
    find "$cache" -maxdepth 1 -name "$1-*" -mtime +7 ! -path "$REPLY" -exec rm -rf {} +
}

# await SECONDS COMMAND…: repeats the command until it succeeds; status 1 after that many seconds.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

# A process is recorded as "PID START-TIME", so that a recycled PID is never taken for it.
record_process() {
    local stat
    read -r stat <"/proc/$1/stat"
    stat=${stat##*) }
    # shellcheck disable=SC2086  # the fields are meant to be split
    set -- "$2" $1 $stat
    printf '%s %s\n' "$2" "${22}" >"$1"
}

# recorded_process FILE: REPLY becomes the PID if that very process still lives; else status 1.
recorded_process() {
    local pid start stat
    REPLY=
    { read -r pid start <"$1"; } 2>/dev/null || return 1
    { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [[ ${20} == "$start" && $1 != Z ]] || return 1
    REPLY=$pid
}

is_gone() { ! recorded_process "$1"; }
