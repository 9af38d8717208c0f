"""What a server process runs: Streamlit, with words of our own when Ctrl-C ends it."""

import signal
import sys
from types import FrameType

from streamlit.web import cli

from study.screens.running import is_preview


def main() -> None:
    """Serve as the command line says, which is Streamlit's, until a signal."""
    # The server has shut down in good order when it hands Ctrl-C on.
    signal.signal(signal.SIGINT, _stop)
    cli.main(prog_name="streamlit")


def _stop(_signal: int, _frame: FrameType | None) -> None:
    kept = "Nothing of the preview is kept." if is_preview() else "Run the same command to go on; nothing is lost."
    sys.stderr.write(f"Stopped. {kept}\n")
    sys.exit(1)


if __name__ == "__main__":
    main()
