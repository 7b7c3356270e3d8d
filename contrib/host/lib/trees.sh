# shellcheck shell=bash
# The trees that images are made of: the least of Debian's packages that runs, busybox for a shell,
# and what contrib/host/images/NAME has to put over it. Each is kept apart, so that a change of one
# makes that one anew.

tree_names=(busybox nginx node-exporter postgres redis)

# prepare_trees: trees becomes the directory of each, in the order of tree_names.
prepare_trees() {
    local name builder
    trees=()
    for name in "${tree_names[@]}"; do
        builder=${name//-/_}_tree
        cached "tree-$name" \
            "$(hash_of "=$base" "$host_dir/images/$name" "=$(declare -f "$builder" debian_tree copy_programs busybox_applets)")" \
            "the files of image $name" build_tree "$builder" "$host_dir/images/$name"
        trees+=("$REPLY")
    done
}

# build_tree DIRECTORY BUILDER OVERLAY
build_tree() {
    mkdir -p "$1/tree/tmp"
    chmod 1777 "$1/tree/tmp"
    "$2" "$1/tree"
    cp -a --no-preserve=ownership "$3/." "$1/tree/"
}

busybox_tree() {
    mkdir -p "$1"/{bin,etc,www}
    busybox_applets "$1/bin"
}

nginx_tree() {
    mkdir -p "$1"/var/{lib,log}/nginx
    debian_tree "$1" nginx,nginx-common /usr/sbin/nginx -- usr/share/nginx/html etc/nginx/mime.types
}

node_exporter_tree() {
    debian_tree "$1" prometheus-node-exporter /usr/bin/prometheus-node-exporter --
    mkdir -p "$1/bin"
    ln -s /usr/bin/prometheus-node-exporter "$1/bin/node_exporter"
}

# Without LLVM: just-in-time compilation is off where its library is missing.
postgres_tree() {
    local programs=/usr/lib/postgresql/17/bin
    debian_tree "$1" postgresql-17 \
        "$programs"/{postgres,initdb,pg_ctl,pg_dump,pg_dumpall,pg_isready,pg_restore,psql} -- \
        usr/share/postgresql/17 usr/lib/postgresql/17/lib/'*.so' usr/share/zoneinfo usr/lib/locale/C.utf8
}

redis_tree() {
    debian_tree "$1" redis-server /usr/bin/redis-server /usr/bin/redis-cli --
}

# debian_tree TREE PACKAGES PROGRAM… -- PATTERN…: programs of Debian packages with the libraries they
# load, further files, and busybox for a shell.
debian_tree() {
    local tree=$1 packages=$2 all=$1.packages path programs=()
    shift 2
    mmdebstrap_root "$all" --variant=extract --include="$packages,base-files"
    while [[ $1 != -- ]]; do
        programs+=("$1")
        shift
    done
    mkdir -p "$tree"/{etc,run,usr/bin,var}
    ln -s /run "$tree/var/run"
    for path in bin sbin lib lib64; do
        [[ ! -L $all/$path ]] || cp -a "$all/$path" "$tree/$path"
    done
    copy_programs "$all" "$tree" "${programs[@]}" -- "${@:2}"
    busybox_applets "$tree/usr/bin"
    rm -rf "$all"
}

# copy_programs ALL TREE PROGRAM… -- PATTERN…
copy_programs() {
    local all=$1 tree=$2 loader program
    shift 2
    loader=$(cd "$all" && compgen -G 'usr/lib/*/ld-linux*.so.*')
    {
        printf '%s\n' "$loader"
        (cd "$all" && compgen -G 'usr/lib*/ld-linux*') # where programs look for the loader
        for program; do
            shift
            [[ $program != -- ]] || break
            printf '%s\n' "${program#/}"
            # A static program, as of Go, has nothing to list.
            { chroot "$all" "/$loader" --list "$program" || true; } |
                awk '$2 == "=>" { sub("^/(usr/)?", "usr/", $3); print $3 }'
        done
        (cd "$all" && for program; do compgen -G "$program"; done)
    } | sort -u | tar -C "$all" -c --dereference --files-from=- | tar -C "$tree" -x
}

busybox_applets() {
    local applet
    cp "$base/usr/bin/busybox" "$1/busybox"
    "$1/busybox" --list | while read -r applet; do
        [[ -e $1/$applet ]] || ln -s busybox "$1/$applet"
    done
}
