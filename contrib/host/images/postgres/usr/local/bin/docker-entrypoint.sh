#!/bin/sh
# What the public image promises, as far as it is used: the first start makes the cluster in $PGDATA
# with POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD (or POSTGRES_PASSWORD_FILE), and runs what is in
# /docker-entrypoint-initdb.d; the server does not run as root.
set -eu

die() { printf 'Error: %s\n' "$*" >&2; exit 1; }

# setting NAME DEFAULT: REPLY becomes the value of $NAME, of the file that $NAME_FILE names, or DEFAULT.
setting() {
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    [ -z "$value" ] || [ -z "$file" ] || die "both $1 and $1_FILE are set"
    [ -z "$file" ] || value=$(cat "$file")
    REPLY=${value:-$2}
}

make_cluster() {
    setting POSTGRES_USER postgres
    user=$REPLY
    setting POSTGRES_DB "$user"
    database=$REPLY
    setting POSTGRES_PASSWORD ''
    [ -n "$REPLY" ] || die "the database is new, and there is no POSTGRES_PASSWORD"
    (umask 077 && printf '%s\n' "$REPLY" >/tmp/password)
    initdb --username="$user" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    # For a while reachable on its Unix socket alone.
    pg_ctl --wait --options="-c listen_addresses=''" start
    [ "$database" = postgres ] ||
        psql --username "$user" --dbname postgres --set name="$database" <<'SQL'
CREATE DATABASE :"name";
SQL
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ ! -e "$file" ] || psql --set ON_ERROR_STOP=1 --username "$user" --dbname "$database" --file "$file"
    done
    pg_ctl --wait --mode=fast stop
}

case ${1:-} in
    -*) set -- postgres "$@" ;;
esac
if [ "$1" = postgres ]; then
    if [ "$(id -u)" = 0 ]; then
        mkdir -p "$PGDATA" /run/postgresql
        chown -R postgres "$PGDATA" /run/postgresql
        chmod 0700 "$PGDATA"
        exec su -s /bin/sh -- postgres -c 'exec "$0" "$@"' "$0" "$@"
    fi
    [ -s "$PGDATA/PG_VERSION" ] || make_cluster
    # Everywhere, as the public image's postgresql.conf has it.
    set -- "$@" -c listen_addresses='*'
fi
exec "$@"
