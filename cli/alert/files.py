"""Routes and receivers as settings name them."""

from cli.destination_files import named_files
from consumers.alert.load import Alerting, load_alerting
from runtime.errors import PraetorError
from runtime.settings import Settings


def read_alerting(settings: Settings) -> Alerting:
    """The routes and receivers of the file or folder that PRAETOR_ALERTING names.

    Raises:
        PraetorError: none is named, it cannot be read, or something in it is wrong: every mistake at once.
    """
    if settings.alerting is None:
        raise PraetorError(
            "no routes are named: set PRAETOR_ALERTING to a file or folder of documents, `kind: Alerting` and"
            " `kind: Receiver` (docs/alerts/README.md)"
        )
    return load_alerting(named_files(settings.alerting, "PRAETOR_ALERTING"))
