# shellcheck shell=bash
# What the machine itself must have, and where its packages come from.

# ensure_packages COMMAND-OR-PATH=PACKAGE…: installs the packages whose command or file is missing.
ensure_packages() {
    local pair thing missing=()
    for pair in "$@"; do
        thing=${pair%%=*}
        case $thing in
            /*) [[ -e $thing ]] || missing+=("${pair#*=}") ;;
            *) command -v "$thing" >/dev/null || missing+=("${pair#*=}") ;;
        esac
    done
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || die "cannot install ${missing[*]}: not root" "run this as root"
    say "installing on this machine: ${missing[*]}"
    apt_get update
    apt_get install --yes --no-install-recommends "${missing[@]}"
}

# apt_get VERB ARGUMENT…: one at a time, as apt does not wait for the lock of another one.
apt_get() {
    local lock
    exec {lock}>"$cache/apt.lock"
    flock "$lock"
    DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >"$cache/apt.log" 2>&1 </dev/null {lock}>&- || {
        tail -n 15 "$cache/apt.log" >&2
        die "apt-get $1 failed" "see $cache/apt.log"
    }
    exec {lock}>&-
}

# debian_mirror: prints the archive this machine installs Debian from.
debian_mirror() {
    # shellcheck disable=SC2016  # the $(…) are apt's own
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 !~ /-/ && $2 ~ /debian/ && $2 !~ /security/ { print $2; exit }'
}

# apt_options: prints the machine's own settings for fetching (proxy, certificates, dates).
apt_options() {
    apt-config dump --no-empty --format '%F "%v";%n' |
        grep -E '^Acquire::(https?|ftp|Check-|Max-|Retries|ForceIPv)' || true
}

# ensure_keyring: the archive keys of the release we build, which an early Debian 12 lacks.
ensure_keyring() {
    compgen -G '/usr/share/keyrings/debian-archive-trixie-*' >/dev/null && return
    say "updating debian-archive-keyring"
    apt_get update
    apt_get install --yes --no-install-recommends debian-archive-keyring
}
