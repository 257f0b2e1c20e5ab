"""A real browser for pages that people open from a file: Chromium without a window."""

import subprocess
from pathlib import Path

from gmv.temporary import TemporaryFolder
from tests.services.patience import patience
from tests.services.server import ServerError, find_program, mortal

# No sandbox: as root Chromium refuses to start with one, in a container it often cannot, and the page is our own.
# The others keep it off the network: it opens a file.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
_RUN_SECONDS_MAX = patience(60)


def save_screenshot(page: Path, picture: Path, width: int = 1280, height: int = 1600) -> None:
    """Write what a window of this size (pixels) shows of an HTML file, as PNG.

    Raises:
        ServerError: the browser ended with an error or wrote no picture.
    """
    picture.unlink(missing_ok=True)
    _run(page, f"--screenshot={picture.resolve()}", f"--window-size={width},{height}")
    if not picture.is_file():
        raise ServerError(f"the browser wrote no picture of {page}")


def dump_dom(page: Path) -> str:
    """Return the HTML of a file after its scripts ran.

    Raises:
        ServerError: the browser ended with an error.
    """
    return _run(page, "--dump-dom")


def _run(page: Path, *flags: str) -> str:
    program = find_program("chromium", "chromium-browser", "google-chrome")
    with TemporaryFolder("browser") as profile:
        command = [program, *_FLAGS, f"--user-data-dir={profile}", *flags, page.resolve().as_uri()]
        try:
            done = subprocess.run(mortal(command), capture_output=True, text=True, timeout=_RUN_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise ServerError(f"the browser took more than {_RUN_SECONDS_MAX:g} s over {page}") from None
    if done.returncode:
        raise ServerError(f"the browser ended with exit code {done.returncode} over {page}:\n{done.stderr[-2000:]}")
    return done.stdout
