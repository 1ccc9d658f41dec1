#!/bin/sh
# Makes what docker-compose.yml mounts: a random password for ClickHouse's user `praetor`, and the users' file
# that knows only its hash. Safe to repeat: what is there stays. The folder is closed to everyone else; the
# files in it are readable, since a container reads them under another user's number.
set -eu

folder=$(dirname "$0")/secrets
password=$folder/clickhouse_password
users=$folder/clickhouse-users.xml
mkdir -p "$folder"
chmod 700 "$folder"
if [ ! -s "$password" ]; then
    head -c 33 /dev/urandom | base64 | tr -d '\n' > "$password"
    rm -f "$users"
    echo "made $password"
fi
if [ ! -s "$users" ]; then
    hash=$(tr -d '\n' < "$password" | sha256sum | cut -d ' ' -f 1)
    cat > "$users" << XML
<clickhouse>
    <users>
        <!-- nobody comes in without a password -->
        <default remove="remove"/>
        <praetor>
            <password_sha256_hex>$hash</password_sha256_hex>
            <networks><ip>::/0</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
        </praetor>
    </users>
</clickhouse>
XML
    echo "made $users"
fi
chmod 444 "$password" "$users"
