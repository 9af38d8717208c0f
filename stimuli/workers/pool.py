"""What chains ask: known answers come from the store, new work is queued once, and what workers give back is stored and handed on."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stimuli.experiment import ExperimentError
from stimuli.generators import UnpaintableError
from stimuli.progress import Report
from stimuli.rewriters import Proposal, Question
from stimuli.scorers import Scorer
from stimuli.stages import (
    Render,
    keep_images,
    keep_proposals,
    keep_scores,
    known_image,
    known_proposal,
    proposal_request,
    refusal_request,
    render_request,
    score_request,
)
from stimuli.store import Event, Request, Result, Store, key_of
from stimuli.workers.failures import described
from stimuli.workers.jobs import Answers, Parts, Trouble
from stimuli.workers.queues import STAGES, Item, Kind, Queues, Sight, Stage, Tally, Wanted

Array = NDArray[np.float64]
T = TypeVar("T")

# Seconds after which news are written even where no results are.
_NEWS_WAIT = 1.0


class Pool:
    """The stages of many chains (`stimuli.steering.Stages`). Equal requests are one piece of work; whoever asks waits for it.

    Only this object uses the store, and only from the event loop's thread.
    """

    def __init__(self, store: Store, parts: Parts, sizes: dict[Stage, int], *, images: int, report: Report) -> None:
        self.queues, self.more = Queues(sizes), asyncio.Event()
        self.tallies = {stage: Tally() for stage in STAGES}
        self.broken: ExperimentError | None = None
        self._store, self._parts = store, parts
        self._open: dict[str, Wanted] = {}
        self._scorers = {key_of(score_request(scorer.spec, "", "")): place for place, scorer in enumerate(parts.scorers)}
        self._news: list[Event] = []
        self._timer: asyncio.TimerHandle | None = None
        self._images, self._seen, self._report = images, set[str](), report

    # What chains call.

    async def propose(self, question: Question) -> Proposal:
        """Return new prompts."""
        request = proposal_request(self._parts.rewriter.spec, question)
        wanted = self._wanted(request) or self._known(request, known_proposal(self._store, request))
        if wanted is None:
            [wanted] = self._queued(Kind("rewrite"), question, [request])
        proposal: Proposal = (await self._answers([wanted]))[0]
        return proposal

    async def render(self, wanted: Sequence[Render]) -> list[str]:
        """Return the SHA-256 of each image."""
        return await self._answers([self._image(wish) for wish in wanted])

    async def score(self, scorers: Sequence[Scorer], images: Sequence[str], prompts: Sequence[str]) -> Array:
        """Return what each scorer says of each image, shape (scorers, images)."""
        places = [self._place(scorer) for scorer in scorers]
        sights = [Sight(image, prompt) for image, prompt in zip(images, prompts, strict=True)]
        wanted = [self._scores(places, sight) for sight in sights]
        scores = await self._answers([one for by_image in wanted for one in by_image])
        return np.array(scores, dtype=np.float64).reshape(len(sights), len(places)).T

    async def tell(self, event: Event) -> None:
        """Write what happened to the log of events: with the next results, or a second later.

        A crash before that loses nothing: a chain that goes on tells again what it told, and an equal event is stored once.
        """
        self.note(event)

    # What they wait for.

    def _image(self, wish: Render) -> Wanted:
        request = render_request(self._parts.generator.spec, wish)
        wanted = self._wanted(request) or self._known(request, known_image(self._store, request))
        if wanted is None and (refused := self._store.answer(refusal_request(request))):
            raise UnpaintableError(refused)
        if wanted is None:
            [wanted] = self._queued(Kind("render"), wish, [request])
        elif wanted.answer.done():
            self._count([wanted.key])
        return wanted

    def _scores(self, places: Sequence[int], sight: Sight) -> list[Wanted]:
        """Return the score of one image by each scorer; those that are missing become one item."""
        requests = {place: score_request(self._parts.scorers[place].spec, sight.image, sight.prompt) for place in sorted(places)}
        found = {place: self._wanted(request) or self._known(request, self._store.answer(request)) for place, request in requests.items()}
        missing = tuple(place for place, wanted in found.items() if wanted is None)
        if missing:
            found |= dict(zip(missing, self._queued(Kind("score", missing), sight, [requests[place] for place in missing]), strict=True))
        return [wanted for place in places if (wanted := found[place])]

    def _place(self, scorer: Scorer) -> int:
        try:
            return self._scorers[key_of(score_request(scorer.spec, "", ""))]
        except KeyError:
            raise ValueError(f'scorer "{scorer.spec.name}" is not among the parts that the workers have') from None

    def _wanted(self, request: Request) -> Wanted | None:
        """Return what is waited for already."""
        if self.broken:
            raise self.broken
        return self._open.get(key_of(request))

    def _known(self, request: Request, answer: Any | None) -> Wanted | None:
        return None if answer is None else Wanted(key_of(request), request, _now(answer))

    def _queued(self, kind: Kind, task: Question | Render | Sight, requests: Iterable[Request]) -> tuple[Wanted, ...]:
        loop = asyncio.get_running_loop()
        wanted = tuple(Wanted(key_of(request), request, loop.create_future()) for request in requests)
        self._open |= {one.key: one for one in wanted}
        self.queues.put(Item(kind, task, wanted))
        self.more.set()
        return wanted

    async def _answers(self, wanted: Sequence[Wanted]) -> list[Any]:
        """Return all answers, or raise as soon as one of them has failed."""
        for one in wanted:
            one.waiting += 1
        try:
            if unknown := {one.answer for one in wanted if not one.answer.done()}:
                await asyncio.wait(unknown, return_when=asyncio.FIRST_EXCEPTION)
            failed = [error for one in wanted if one.answer.done() and (error := one.answer.exception())]
            if failed:
                # A new one for each who waits; what was refused for good stays so.
                raise (UnpaintableError if isinstance(failed[0], UnpaintableError) else ExperimentError)(str(failed[0]))
            return [one.answer.result() for one in wanted]
        finally:
            for one in wanted:
                one.waiting -= 1
            if not all(one.answer.done() for one in wanted):
                # Nobody paints what only a chain that failed has asked for.
                self._drop(self.queues.drop_unwanted())

    def _drop(self, items: Iterable[Item]) -> None:
        for item in items:
            for one in item.wanted:
                self._open.pop(one.key, None)

    # What workers gave back.

    def keep(self, done: "Done | None") -> None:
        """Store answers and tell those who wait for them."""
        if done is None:
            return
        stage, pairs = done.batch[0].kind.stage, done.pairs()
        requests, values = [wanted.request for wanted, _ in pairs], [value for _, value in pairs]
        match stage:
            case "rewrite":
                keep_proposals(self._store, requests, values, news=self._pending_news())
            case "render":
                values = keep_images(self._store, requests, values, news=self._pending_news())
                self._count([wanted.key for wanted, _ in pairs])
            case "score":
                keep_scores(self._store, requests, values, news=self._pending_news())
        for (wanted, _), value in zip(pairs, values, strict=True):
            self._open.pop(wanted.key, None)
            if not wanted.answer.done():
                wanted.answer.set_result(value)

    def _count(self, images: Iterable[str]) -> None:
        self._seen.update(images)
        self._report("images", len(self._seen), max(self._images, len(self._seen)))

    def fail(self, item: Item, trouble: Trouble) -> None:
        """Tell those who wait for an item why it has failed."""
        error = described(item, self._parts, trouble)
        if trouble.is_refusal:
            self._store.remember([Result(refusal_request(wanted.request), str(error)) for wanted in item.wanted])
        for wanted in item.wanted:
            self._open.pop(wanted.key, None)
            _refuse(wanted, error)

    def stop(self, error: ExperimentError) -> None:
        """Stop: nothing that is or will be asked for is done."""
        self.broken = self.broken or error
        for wanted in self._open.values():
            _refuse(wanted, self.broken)
        self._open.clear()
        self.queues.clear()

    def put_back(self, items: Iterable[Item], *, alone: bool = False) -> None:
        """Let items that were taken and are still wanted wait again, before others; `alone`, each for a batch of its own."""
        if alone:
            self.queues.put_alone(items)
        else:
            self.queues.put_back(items)
        self._drop(self.queues.drop_unwanted())
        self.more.set()

    def png(self, sha256: str) -> bytes:
        """Return a stored image."""
        return self._store.png(sha256)

    def note(self, event: Event) -> None:
        """Have an event written soon."""
        self._news.append(event)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_NEWS_WAIT, self.flush)

    def _pending_news(self) -> list[Event]:
        news, self._news = self._news, []
        return news

    def flush(self) -> None:
        """Write the news."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        try:
            self._store.remember([], self._pending_news())
        except ExperimentError as error:
            self.stop(error)


@dataclass(frozen=True)
class Done:
    """A batch with what a worker gave back for it."""

    batch: list[Item]
    answers: Answers

    def pairs(self) -> list[tuple[Wanted, Any]]:
        """Return each wanted answer with the one that was given."""
        if self.batch[0].kind.stage == "score":
            return [(one, self.answers[place][row]) for row, item in enumerate(self.batch) for place, one in enumerate(item.wanted)]
        return [(item.wanted[0], answer) for item, answer in zip(self.batch, self.answers, strict=True)]


def _now(value: T) -> asyncio.Future[T]:
    """Return a future that has come."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    future.set_result(value)
    return future


def _refuse(wanted: Wanted, error: ExperimentError) -> None:
    if not wanted.answer.done():
        wanted.answer.set_exception(error)
        # Asked for here, because those who wait may have failed by another answer and never look at this one.
        wanted.answer.exception()
