# Looks into an image, as root of a container of it without a network; prints sections that begin with a line "== NAME".
# Arguments: texts that no file may hold.
set -u
list() { find / -xdev -path /proc -prune -o -path /sys -prune -o -path /dev -prune -o "$@"; }
echo "== files"
list -printf '%y %p\n'
echo "== keys"
list -type f -size -64k -exec grep -lE -e '^-----BEGIN ([A-Z]+ )*PRIVATE KEY-----' {} +
echo "== machine"
for text in "$@"; do printf '%s\n' "$text"; done >/dev/shm/texts
if [ $# -gt 0 ]; then list -type f -exec grep -lF -f /dev/shm/texts {} +; fi
echo "== packages"
dpkg-query --show --showformat '${Package} ${Version}\n'
echo "== python"
python=/opt/openstack/bin/python
if [ -x $python ]; then
    $python -I -c 'import importlib.metadata as m; [print(d.name.lower().replace("_", "-"), d.version) for d in m.distributions()]'
fi
echo "== certifi"
if [ -x $python ]; then
    $python -I -c 'import base64, hashlib, importlib.metadata as m
for d in m.distributions():
    for f in d.files or ():
        if f.suffix in (".pem", ".crt") and f.hash and f.locate().exists():
            digest = base64.urlsafe_b64encode(hashlib.new(f.hash.mode, f.read_binary()).digest()).rstrip(b"=").decode()
            print(f, "as published" if digest == f.hash.value else "changed")'
fi
echo "== bundle"
cat /etc/ssl/certs/ca-certificates.crt
echo "== authorities"
find /usr/share/ca-certificates -name '*.crt' -exec cat {} +
echo "== local authorities"
find /usr/local/share/ca-certificates -type f
echo "== apt"
cat /etc/apt/apt.conf.d/* /etc/apt/sources.list.d/* /etc/apt/sources.list 2>/dev/null
echo "== end"
