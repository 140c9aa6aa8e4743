# unpack.sh SIZE: fills /snapshot from a compressed tar of SIZE bytes.
trap 'exit 143' TERM INT
head --bytes="$1" | gzip --decompress | tar --extract --sparse --numeric-owner --same-permissions --directory /snapshot
