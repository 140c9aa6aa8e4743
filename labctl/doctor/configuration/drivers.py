"""Values that are allowed and do not do what was meant."""

from collections.abc import Iterator

from labctl.doctor.check import Evidence, check
from labctl.doctor.configuration.facts import ConfigurationFacts
from labctl.findings import Place

LAYER_2_AGENTS = frozenset({"linuxbridge_agent.ini", "openvswitch_agent.ini"})


@check(
    "database-driver",
    title="A database URL without a driver",
    why="SQLAlchemy takes `mysql://` for the driver MySQLdb, which OpenStack does not use and is seldom there.",
    remedy="mysql+pymysql://USER:PASSWORD@HOST/DATABASE",
)
def database_driver(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Connections that begin with mysql://."""
    for value in facts.named("connection"):
        if value.text.startswith(("mysql://", "mariadb://")):
            line = f"{value.option} begins with {value.text.partition('//')[0]}//"
            yield Evidence((line,), value.value_place, is_error=False)


@check(
    "security-groups-off",
    title="An agent that applies no security groups",
    why="Without [securitygroup] firewall_driver the agent takes its no-operation driver: every port of every server "
    "on that host is open, whatever its security groups say.",
    remedy="[securitygroup] firewall_driver = iptables (Linux bridge agent) or openvswitch (Open vSwitch agent).",
)
def security_groups_off(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Agents without a driver, where security groups are asked for or another host's agent has one.

    The default is none, which neutron takes for `noop` (neutron/agent/securitygroups_rpc.py).
    """
    drivers = [value for value in facts.named("firewall_driver") if value.section == "securitygroup"]
    for one in facts.files:
        if one.file.path.name not in LAYER_2_AGENTS or any(value.host == one.host for value in drivers):
            continue
        asked = facts.of_file(one).get("securitygroup.enable_security_group")
        if asked and asked.text.lower() in {"true", "yes", "1", "on"}:
            lines = [f"{asked.option} = {asked.text}, and no firewall_driver"]
            lines += [f"another host has one: {value.place}" for value in drivers[:1]]
            yield Evidence(tuple(lines), asked.place)
        elif drivers:
            lines = ["no [securitygroup] firewall_driver", f"another host has one: {drivers[0].place}"]
            yield Evidence(tuple(lines), Place(str(one.file.path), 1))


CHECKS = (database_driver, security_groups_off)
