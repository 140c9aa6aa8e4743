# unpack.sh SIZE VOLUME=BYTES...: fills /snapshot from a compressed tar of SIZE bytes, which anybody may have made. It ends with
# 3 where that holds anything else than the volumes, with files, folders and links that stay where they are, of about so many
# bytes. What is refused stays behind, for whoever called to remove.
trap 'exit 143' TERM INT
set -f
size=$1
shift
refuse() { echo "$*" >&2; exit 3; }
stated=0
for volume; do stated=$((stated + ${volume##*=})); done

# In a tar each file takes up to 512 bytes more than it has, in a volume up to a block of the file system: a tenth, and room
# for many small ones.
most=$((stated + stated / 10 + (64 << 20)))
head --bytes="$size" | gzip --decompress | head --bytes="$most" |
    tar --extract --sparse --numeric-owner --same-permissions --directory /snapshot || {
    ended=$?
    # A full disk is no fault of the tar's.
    [ "$(df --output=avail --block-size=1M /snapshot | tail -n 1)" -ge 64 ] || exit "$ended"
    refuse "it is no tar of files, folders and links, or it holds more than the $stated bytes that it says"
}

cd /snapshot
for there in $(find . -mindepth 1 -maxdepth 1 -printf '%P=%y\n'); do
    case " ${*%=*} " in *" ${there%=*} "*) ;; *) refuse "it holds something besides its volumes" ;; esac
    [ "${there##*=}" = d ] || refuse "a volume in it is no folder"
done
[ -z "$(find . ! -type f ! -type d ! -type l -print -quit)" ] || refuse "it holds something that is no file, folder or link"
[ -z "$(find . -type f -perm /6000 -print -quit)" ] || refuse "it holds a program with its owner's rights (setuid)"
# A link that only goes down stays in its volume, wherever that is mounted.
up='^(/.*|(.*/)?\.\.(/.*)?)$'
while IFS= read -r -d '' target; do
    [[ ! $target =~ $up ]] || refuse "it holds a link that leaves its folder"
done < <(find . -type l -printf '%l\0')
taken=$(du --block-size=1 --summarize . | cut --fields=1)
[ "$taken" -le $((most * 2)) ] || refuse "it takes $taken bytes, and says that it takes $stated"
