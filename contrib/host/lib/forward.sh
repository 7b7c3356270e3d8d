# shellcheck shell=bash
# Ports of the host's loopback on 127.0.0.1 of this machine. Each forwarding process is recorded in
# $instance/forwards/LOCAL-PORT, one file for each of its ports.

# host_forward [LOCAL[-LOCAL]:]PORT[-PORT]…: single ports are needed; of a range, what is free is taken.
host_forward() {
    local argument pairs=()
    (($#)) || die "forward: no port" "for example: forward 8080 or forward 18080:8080"
    init_of_instance || die "host '$name' does not run" "start it: contrib/host/host --name $name up"
    for argument in "$@"; do
        add_pairs "$argument"
    done
    ((${#pairs[@]})) || return 0
    local answer
    answer=$(python3 "$host_dir/lib/forward.py" "$instance/nspawn" "${pairs[@]}") ||
        die "not all ports are free$(port_owners)" \
            "stop the other program, or take another port: contrib/host/host --name $name forward 18080:8080"
    record_forwards "$answer"
}

# add_pairs [LOCAL[-LOCAL]:]PORT[-PORT]: appends to pairs what is not forwarded yet.
add_pairs() {
    [[ $1 =~ ^(([0-9]+)(-[0-9]+)?:)?([0-9]+)(-([0-9]+))?$ ]] ||
        die "'$1' is not [LOCAL:]PORT" "for example 8080, 18080:8080, 8081-8089 or 18081-18089:8081-8089"
    local local_port=${BASH_REMATCH[2]:-${BASH_REMATCH[4]}} port=${BASH_REMATCH[4]}
    local last=${BASH_REMATCH[6]:-$port} optional=${BASH_REMATCH[5]:+?}
    for (( ; port <= last; port++, local_port++)); do
        recorded_process "$instance/forwards/$local_port" || pairs+=("$local_port:$port$optional")
    done
}

# record_forwards "PID TAKEN…": notes the process under each port it listens on.
record_forwards() {
    local pid taken pair local_port
    read -r pid taken <<<"$1"
    mkdir -p "$instance/forwards"
    for pair in "${pairs[@]}"; do
        local_port=${pair%%:*}
        [[ " $taken " == *" $local_port "* ]] || record_process "$pid" "$instance/forwards/$local_port"
    done
    [[ -z $taken ]] || say "not forwarded, because this machine uses them: $taken"
}

# port_owners: prints who listens on the ports asked for, where that can be told.
port_owners() {
    local pair
    command -v ss >/dev/null || return 0
    for pair in "${pairs[@]}"; do
        ss -Hltnp "sport = :${pair%%:*}" | sed -n 's/.*users:((\([^,]*\),pid=\([0-9]*\).*/; \1 is process \2/p'
    done | tr -d '\n'
}

list_forwards() {
    local file ports=()
    for file in "$instance"/forwards/*; do
        ! recorded_process "$file" || ports+=("${file##*/}")
    done
    ((${#ports[@]} == 0)) || printf 'forwarded on 127.0.0.1: %s\n' "${ports[*]}"
}

stop_forwards() {
    local file
    for file in "$instance"/forwards/*; do
        ! recorded_process "$file" || kill "$REPLY" 2>/dev/null || true
    done
    rm -rf "$instance/forwards"
}
