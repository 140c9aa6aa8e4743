# put.sh OLD NEW: copies /snapshot to the volumes in /volumes; what was the user OLD's becomes NEW's.
old=$1 new=$2
trap 'exit 143' TERM INT
cp --archive --sparse=always --reflink=auto -- /snapshot/* /volumes/ &
wait $!
if [ "$old" != "$new" ]; then find /volumes -user "$old" -exec chown --no-dereference "$new" {} +; fi
