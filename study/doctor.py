"""What this machine offers for asking people, and what to do about each lack."""

import shutil
import sqlite3

from stimuli.doctor import Finding

# Streamlit serves the pages; the browser is only for the tests and the README's pictures.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser() -> str | None:
    """Return the path of a Chromium that tests can drive, None when there is none."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def findings() -> list[Finding]:
    """Return what is here: the database of a study, and a browser to test its pages with."""
    found = browser()
    return [
        Finding("database", "ready", f"SQLite {sqlite3.sqlite_version}"),
        Finding("browser for tests", "ready", found)
        if found
        else Finding("browser for tests", "optional", "no Chromium", "apt-get install chromium"),
    ]
