"""A lab of the real catalog with everything fixed: two nodes, secrets that say which secret they are."""

from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import yaml

from labctl.catalog.folders import catalog_folders
from labctl.catalog.image import load_images
from labctl.lab.addresses import AddressPlan
from labctl.lab.nodes import node_names
from labctl.lab.secrets import Secrets
from labctl.render.images import Naming
from labctl.render.lab import LabPlan, needed_secrets, render_lab

FOLDERS = catalog_folders()
IMAGES = load_images(FOLDERS)
REFERENCES = {image.name: Naming("test").reference(image.name) for image in IMAGES.containers(IMAGES.brought_by)}

# Made for these tests by labctl.lab.secrets.make; they open nothing. Joined here so that no scanner stumbles.
_HEAD, _TAIL = (f"-----{word} OPENSSH PRIVATE KEY-----" for word in ("BEGIN", "END"))
SSH_KEYS = {
    "ssh.nova": """\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz
c2gtZWQyNTUxOQAAACBppiqmYJtRi8f0WdBHgbm4/pNQQu+RvUTFh5mZXiYEvQAA
AIiN3UnVjd1J1QAAAAtzc2gtZWQyNTUxOQAAACBppiqmYJtRi8f0WdBHgbm4/pNQ
Qu+RvUTFh5mZXiYEvQAAAED90QPDnkap9XtJ9jDNqTfVd6diCixmHj+iy2wFjZb4
BmmmKqZgm1GLx/RZ0EeBubj+k1BC75G9RMWHmZleJgS9AAAAAAECAwQF
""",
    "ssh.host": """\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtz
c2gtZWQyNTUxOQAAACBWtpKlexXieNrLbB9/omeVYeT/Bp/yCv1OjvQIP71eLAAA
AIhRq8ToUavE6AAAAAtzc2gtZWQyNTUxOQAAACBWtpKlexXieNrLbB9/omeVYeT/
Bp/yCv1OjvQIP71eLAAAAEClUMbR4AefT28GgLoFTMk4AnEVSontHKpl6DLI3apF
ala2kqV7FeJ42stsH3+iZ5Vh5P8Gn/IK/U6O9Ag/vV4sAAAAAAECAwQF
""",
}

# The lab's authority and one key for all certificates, likewise.
AUTHORITY_KEY = """\
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDSm56/ARshRNyW
x3JkszMt+e4ldVi49/rtomLfU2Au27Up4Y7SFxPYjDFXxrNN0M/1wdaz+p6daxzn
O33CgYDo0qUT3rhwkcNVntTBmQdka3eeTyaeMlGJwNyOayODEoP4HwMQtd23vtT9
mdw7GLA1wrqpdFUgFYND/yV57KaVYcfOrQFq474NwOF8qhraMzAwtpBYIG1gQ8t3
KPG7rfzu32ynz6d8kZAvWsdvP8OU+cdqu10uslda1uutzUmy+lcopKV2NrIZq4Kh
f7b2bB0XCCtPvGZwoJ894Mfx4n1WKCUx+gcnCJnzyC81wWTPfjgphMc2gerM4Nmj
q8NgOn1rAgMBAAECggEAAWRh8j7ebQpFfJtCfrcbuX9GobZa3C4kP60StjzMDMM+
OVHYxDuLnnAFMeCJ9hO3rDCYOLki+N6b/EznK4GSCcS94czxFZCasYnK1W5euPBo
HZwsU/nFLDUhwBc/m6T9r+z6886GWENjD27hU8qsyRr80BRV+hy3F2kr8dhfz+qO
4H9yTvsHhOnLhs8QO9mxHMWMu2Yy+hYPRi5vU/8ZPzHXJZZrD9OMueChn9xKSNkf
uHWiwcoddKIr+7iOf49sAA7TuNSyrysRrVoLzkFysBBNzg7KSHBbVdBboZmLoQuS
gDVjtPlDSbOYEn2UnsQbA4Qhioz8Xzi4O050FxDN0QKBgQDpgxkIOCwh4XJbs+Gi
AJX+t6aDHSluN9wJqXjxUbfNDrLhOFmxprB3q+rRTfjd/i0gmUGhQaWt/5l5KIti
Ck1ljmQYL85sqsdQaZCML43/+nrukHgOHaiwkVAEvZtNrqzkJvCrWwwv9dQehudg
n9grzoo9ILq1lhIrzhi/9+aCtQKBgQDm49ostok4dFXTq1wRAwZJT04KTkVAs/dh
sMjgAuJOMgc7Ku5d70iKUIXEMw5Q8TW9wcgz38UC+ZlFb22BeTXU1c3NEEOus5Zm
cj9TQYRw16bYEluLmfoxeAiy60AT4pNlk0GqxQfXk0wh44iEkn/igNUKCWlK1qog
dp4BzPhznwKBgQCU8zboc0xTYEdeD2QBvnXvQJ5KTDO9Roxo7V1kMUgY2SNpXlR4
aWdvLo5ebGou0I9gl+GxRvqz/rKbAi3Gn+O2wBlBBF2cG2N/+5ZklYDyo4f+3NB3
0Jtl5YsxOvDxoFZQQjaKV01y2lAwGMVGcS+m4dx0GYh/g/abUp+e9DZpcQKBgCp1
tGWMm+d53V6zoJawS7Onld5nTmz7q36XmBk57owavyGuX29+1YQ6Ep9mFDfmY8+l
lz+S4xQM+pa+SxEITVH6j4Iqf4fdFsd4MxUIc2adAd2yYotloZD/VfoxMPN3M0v2
rJjO6wZF3DZPNYfLuSDaOFNEL8zHdTnLFnuWSgpZAoGAWHDZqFJ5/G8OTWH4PZuX
emyyqFivpOjqkx9C7bnDPuVNGLEOKkRud6sz7o0AGXQsqv63PnCsKwEULr7rLo1P
mNDerslfwB83SZ+linx1Jon/s3X1OAv9FYb+dcJX8emfyJyBAf3M2xIYtFIX+JO5
J3P9yKJfaFaSAOSehGEyka0=
"""
AUTHORITY_CERTIFICATE = """\
MIIC/TCCAeWgAwIBAgIUMlOtvo0saci18juEaqu76x4NZE4wDQYJKoZIhvcNAQEL
BQAwFTETMBEGA1UEAwwKbGFiY3RsIGxhYjAeFw0yNjExMzAwMjUxNTdaFw0zNjEx
MjcwMjUxNTdaMBUxEzARBgNVBAMMCmxhYmN0bCBsYWIwggEiMA0GCSqGSIb3DQEB
AQUAA4IBDwAwggEKAoIBAQDSm56/ARshRNyWx3JkszMt+e4ldVi49/rtomLfU2Au
27Up4Y7SFxPYjDFXxrNN0M/1wdaz+p6daxznO33CgYDo0qUT3rhwkcNVntTBmQdk
a3eeTyaeMlGJwNyOayODEoP4HwMQtd23vtT9mdw7GLA1wrqpdFUgFYND/yV57KaV
YcfOrQFq474NwOF8qhraMzAwtpBYIG1gQ8t3KPG7rfzu32ynz6d8kZAvWsdvP8OU
+cdqu10uslda1uutzUmy+lcopKV2NrIZq4Khf7b2bB0XCCtPvGZwoJ894Mfx4n1W
KCUx+gcnCJnzyC81wWTPfjgphMc2gerM4Nmjq8NgOn1rAgMBAAGjRTBDMBIGA1Ud
EwEB/wQIMAYBAf8CAQAwDgYDVR0PAQH/BAQDAgGGMB0GA1UdDgQWBBRK3yPPVk/a
VoyZRrUqh8CZpwbtyjANBgkqhkiG9w0BAQsFAAOCAQEAzbsD7Lc+0dZSFOB59yxM
7NhmOxjM4G4iS91psGndLljELGhsgWOZDyWeRnPWJ6yeSG8WSg2oR1tDoR6ZnO8r
wTjatQqYQ0Q/UXiHJg+03BCL2/JsG9m3nYDqZLMajCEVUh4OflgMhzLuJXAjmOl3
repKAkqCcW/1fXAOzc0FnDt7P7Nwh1GRhbHqErdwDIYQ3QA01srvRASXqKdgR9d0
3z/2dXZRk53JiLsYKUk5rumCpot4vLiTCBwyag5K/xD6Yk0u2Kk/la49phG6j27e
qPfGdE3/d6e9riRBZRLhmJq1VfvnGowGPRLulkjIpqvAV1vC6dybc3yHbNjI6APT
jw==
"""
TLS_KEY = """\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/ROl8jHwIQR5FuHV
gpGH9clU4YwClX+umzxGoGn57dyhRANCAATCIdV/6YNofsVdUrL1nVTKlm7P4kCZ
hUwqaEXO5+0qR6ZkKLoHy/riHfHdHp7QjOf7I9fk4ZvmG2kpnExxBiCw
"""


def pem(label: str, body: str) -> str:
    """A block of PEM."""
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"


def make_plan(name: str = "fixed", start: str = "10.20.0.0/22", nodes: int = 2, **more: object) -> LabPlan:
    """The plan of a lab."""
    addresses = AddressPlan(IPv4Network(start))
    plan = LabPlan(
        name=name,
        project=f"labctl-{name}",
        network_prefix=f"lab{sum(name.encode()):07}",
        addresses=addresses,
        nodes=addresses.nodes(node_names(nodes)),
        virt_type="qemu",
        references=REFERENCES,
        user="1000:0",
        owner="1000:somebody",
    )
    return replace(plan, **more)  # type: ignore[arg-type]


def secret(name: str) -> str:
    """The secret of that name."""
    if name.startswith("ssh."):
        return f"{_HEAD}\n{SSH_KEYS[name]}{_TAIL}\n"
    if name.startswith("authority."):
        return pem("PRIVATE KEY", AUTHORITY_KEY) + pem("CERTIFICATE", AUTHORITY_CERTIFICATE)
    if name.startswith("tls."):
        return pem("PRIVATE KEY", TLS_KEY)
    return f"secret-of-{name}"


def make_secrets(plan: LabPlan) -> Secrets:
    """All secrets of a lab."""
    return Secrets(values={name: secret(name) for name in needed_secrets(FOLDERS, plan)})


def render(plan: LabPlan) -> dict[str, bytes]:
    """All files of a lab."""
    return render_lab(FOLDERS, plan, make_secrets(plan))


def read_yaml(content: bytes) -> Any:
    """Reads YAML, ten times faster than Python's own reader where libyaml is there."""
    return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
