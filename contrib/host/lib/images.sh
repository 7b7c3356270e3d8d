# shellcheck shell=bash
# The images a host without a way out can pull: made from Debian packages, pushed to real
# registries once, and kept as those registries' storage.

prepare_images() {
    prepare_trees
    cached images \
        "$(hash_of "$host_dir/lib/images.sh" "$host_dir/lib/push-images" \
            "$host_dir/images/crash" "$host_dir/root/etc/docker" "=$base ${trees[*]}")" \
        "the images and their registries" build_images
    images=$REPLY
}

install_images() {
    cp -a --reflink=auto "$images/docker-registry" "$root/var/lib/"
    cp -a "$images/credentials/." "$root/etc/docker/registry/"
}

build_images() {
    local result=$1 work=$1/work i
    cp -a --reflink=auto "$base" "$work"
    cp -a --no-preserve=ownership "$host_dir/root/." "$work/"
    make_credentials "$work"
    mkdir "$work/build"
    for i in "${!trees[@]}"; do
        cp -a --reflink=auto "${trees[i]}/tree" "$work/build/${tree_names[i]}"
    done
    cp "$host_dir/lib/push-images" "$host_dir/images/crash/crash" "$work/build/"
    # A network of its own: the registries' ports cannot meet another's. Their processes end with
    # the PID namespace.
    # shellcheck disable=SC2016  # $1 is for the inner shell
    unshare --mount --net --pid --fork --kill-child --propagation private -- \
        /bin/bash -euc '
            mount --bind "$1" "$1"
            mount --rbind /dev "$1/dev"
            mount -t proc proc "$1/proc"
            mount -t tmpfs tmpfs "$1/run"
            exec chroot "$1" /bin/bash /build/push-images' - "$work"
    chroot "$work" chown -R docker-registry: /var/lib/docker-registry
    mv "$work/var/lib/docker-registry" "$result/docker-registry"
    mkdir "$result/credentials"
    mv "$work"/etc/docker/registry/{htpasswd,puller-auth.json} "$result/credentials/"
    rm -rf "$work"
}

# A password that exists only here; the registry wants bcrypt, which crypt(3) has.
make_credentials() {
    local directory=$1/etc/docker/registry password
    password=$(head -c 18 /dev/urandom | base64)
    # shellcheck disable=SC2016  # the variables are Perl's
    printf '%s' "$password" | chroot "$1" perl -e '
        my @digits = ("a".."z", "A".."Z", 0..9);
        my $salt = join "", map { $digits[rand @digits] } 1..21;
        print "puller:", crypt(<STDIN>, "\$2b\$05\$${salt}u"), "\n"' >"$directory/htpasswd"
    grep -q '^puller:.2b.' "$directory/htpasswd" # crypt(3) gives "*0" where it lacks bcrypt
    chroot "$1" chown root:docker-registry /etc/docker/registry/htpasswd
    chmod 0640 "$directory/htpasswd"
    (umask 077 && printf '{"auths": {"localhost:5001": {"auth": "%s"}}}\n' \
        "$(printf 'puller:%s' "$password" | base64 -w0)" >"$directory/puller-auth.json")
}
