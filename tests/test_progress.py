"""How far long work is: bars on a terminal, a few lines anywhere else, and never a flood of either."""

import io

from rich.console import Console

from stimuli.progress import shown


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def off_a_terminal(clock: Clock) -> tuple[Console, io.StringIO]:
    clock.now = 0.0
    out = io.StringIO()
    return Console(file=out, force_terminal=False, width=120), out


def test_off_a_terminal_a_line_begins_one_ends_and_one_comes_each_minute() -> None:
    clock = Clock()
    console, out = off_a_terminal(clock)
    with shown(console, clock=clock) as report:
        for done in range(601):
            clock.now = done * 0.25
            report("images", done, 600)
    assert out.getvalue().splitlines() == [
        "images: 0 of 600",
        "images: 240 of 600, 4.0/s, 90 s left at the most",
        "images: 480 of 600, 4.0/s, 30 s left at the most",
        "images: 600 of 600, 4.0/s",
    ]


def test_work_that_ends_before_its_most_says_where_it_stands() -> None:
    clock = Clock()
    console, out = off_a_terminal(clock)
    with shown(console, clock=clock) as report:
        report("chains", 0, 4)
        report("images", 0, 1200)
        clock.now = 20.0
        report("images", 800, 1200)
        report("chains", 4, 4)
    assert out.getvalue().splitlines() == [
        "chains: 0 of 4",
        "images: 0 of 1,200",
        "chains: 4 of 4",
        "images: 800 of 1,200, 40.0/s",
    ]


def test_what_was_done_before_does_not_count_for_the_speed() -> None:
    clock = Clock()
    console, out = off_a_terminal(clock)
    with shown(console, clock=clock) as report:
        report("images", 5000, 6000)
        clock.now = 100.0
        report("images", 5010, 6000)
    assert out.getvalue().splitlines()[-1] == "images: 5,010 of 6,000, 6.0/min, 2.8 h left at the most"


def test_on_a_terminal_each_kind_of_work_has_its_bar() -> None:
    out = io.StringIO()
    with shown(Console(file=out, force_terminal=True, width=100)) as report:
        report("chains", 0, 12)
        report("images", 0, 2880)
        report("images", 1440, 2880)
    last = out.getvalue()
    assert "chains" in last and "0/12" in last and "1,440/2,880" in last
