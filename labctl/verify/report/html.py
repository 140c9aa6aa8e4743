"""The report as one HTML page that needs nothing else."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from labctl.verify.report.text import skip_text, summary
from labctl.verify.results import Status
from labctl.verify.run import Verdict

SLOWEST = 20


def as_html(verdict: Verdict) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["skip_text"] = skip_text
    return environment.get_template("page.html.j2").render(
        verdict=verdict, summary=summary(verdict), outcome=verdict.outcome, status=Status, slowest=SLOWEST
    )
