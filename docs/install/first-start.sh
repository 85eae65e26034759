#!/bin/sh
# Makes what must be secret, once; a later start finds it and changes nothing.
#   first-start.sh [folder]     (/secrets)
# secret             signs tokens, cookies and links (GLOED_SECRET_FILE)
# postgres-password  for Postgres, which reads it when its volume is empty
# pgpass             the same for Gloed (PGPASSFILE)
set -eu
umask 077
cd "${1:-/secrets}"

random() { od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'; }

# A file appears whole or not at all, whatever happens half-way.
keep() {
    sync "$1.part"
    mv "$1.part" "$1"
}

for name in secret postgres-password; do
    if [ ! -s "$name" ]; then
        random >"$name.part"
        keep "$name"
    fi
done
printf '*:*:gloed:gloed:%s\n' "$(cat postgres-password)" >pgpass.part
keep pgpass
