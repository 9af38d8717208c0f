"""The local rewriter on a tiny Llama: a row alone is the row in a batch; cut answers, long prompts, weights that are not there."""

import pickle
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from tiny_llama import llama

from stimuli.experiment import ExperimentError
from stimuli.machine.hardware import Means
from stimuli.rewriters import Ask, Rewriting, Tried, Written
from stimuli.rewriters.local import Local, chat_weights, row_noise

SHORT = "{descriptions} {requested_number} {base_prompt}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama(tmp_path_factory.mktemp("weights") / "llama")


@pytest.fixture(scope="module")
def local(folder: Path) -> Local:
    return made(folder)


def made(folder: Path, *, temperature: float = 0.9, top_p: float = 0.95, longest: int = 48) -> Local:
    rewriting = Rewriting(temperature=temperature, top_p=top_p, longest=longest)
    return Local(rewriting, instruction=SHORT, means=Means("cpu", {"local": folder}))


def asks_of(rng: random.Random, number: int) -> list[Ask]:
    """Return asks of very different lengths, some of them repair turns."""

    def words(longest: int) -> str:
        return " ".join(f"word{rng.randrange(75)}" for _ in range(rng.randint(1, longest)))

    return [
        Ask(
            words(80),
            tuple(Tried(words(30), rng.random()) for _ in range(rng.randint(0, 4))),
            rng.randint(1, 20),
            rng.randrange(2**32),
            before=words(40) if rng.random() < 0.3 else None,
        )
        for _ in range(number)
    ]


def test_a_row_alone_is_the_row_in_any_batch_in_any_order(local: Local) -> None:
    rng = random.Random(7)
    asks = asks_of(rng, 10)
    alone = [local.write([ask])[0] for ask in asks]
    assert any(answer.is_cut for answer in alone)
    assert len({answer.tokens for answer in alone}) > 4
    for size in (2, 3, 5, 8, 10):
        chosen = rng.sample(range(len(asks)), size)
        assert local.write([asks[place] for place in chosen]) == [alone[place] for place in chosen]


def test_a_seed_gives_the_same_answer_again_and_another_seed_another(local: Local) -> None:
    first, other = (Ask("word1 word2", (), 3, seed) for seed in (1, 2))
    assert local.write([first, first, other])[:2] == local.write([first]) * 2
    assert local.write([first]) != local.write([other])


def test_no_temperature_takes_the_likeliest_token_whatever_the_seed(folder: Path) -> None:
    greedy = made(folder, temperature=0)
    [one, other] = greedy.write([Ask("word1 word2", (), 3, seed) for seed in (1, 2)])
    assert one == other


def test_noise_draws_tokens_as_often_as_the_model_finds_them_likely() -> None:
    # 20,000 rows of the same four logits: the share of each token is within five standard errors of its probability.
    logits = torch.tensor([2.0, 1.0, 0.0, -torch.inf])
    rows = 20_000
    drawn = row_noise(range(rows), torch.device("cpu"))(torch.zeros(rows, 1), logits.repeat(rows, 1)).argmax(dim=1)
    for token, chance in enumerate(logits.softmax(dim=0).tolist()):
        share = Counter(drawn.tolist())[token] / rows
        assert abs(share - chance) <= 5 * (chance * (1 - chance) / rows) ** 0.5


def test_the_nucleus_holds_no_unlikely_token(folder: Path) -> None:
    greedy, narrow = made(folder, temperature=0), made(folder, top_p=1e-6)
    ask = Ask("word1 word2", (), 3, 1)
    assert narrow.write([ask]) == greedy.write([ask])


def test_the_settings_of_a_checkpoint_are_not_ours(local: Local) -> None:
    local.write([Ask("word1", (), 1, 1)])
    chat = local._chat
    assert chat is not None
    assert chat.model.generation_config.repetition_penalty is None
    assert chat.ends == (2,)


def test_a_cut_answer_says_so_and_tokens_are_counted(folder: Path, tmp_path: Path) -> None:
    ask = Ask("word1 word2", (), 3, 4)
    [endless] = made(llama(tmp_path / "endless", ending=0)).write([ask])
    assert (endless.is_cut, endless.tokens) == (True, 48)
    [whole] = made(folder, longest=1000).write([ask])
    assert not whole.is_cut
    assert whole.tokens is not None
    assert whole.tokens > 16
    [cut] = made(folder, longest=16).write([ask])
    assert (cut.is_cut, cut.tokens) == (True, 16)
    assert whole.text.startswith(cut.text)


def test_no_asks_are_answered_without_loading_weights(tmp_path: Path) -> None:
    assert made(tmp_path).write([]) == []


def test_it_is_sent_elsewhere_without_its_weights_and_answers_the_same_there(local: Local) -> None:
    asks = asks_of(random.Random(3), 2)
    here = local.write(asks)
    sent = pickle.dumps(local)
    assert len(sent) < 10_000
    there: Local = pickle.loads(sent)
    assert there.spec == local.spec
    assert there.write(asks) == here


def test_a_prompt_longer_than_the_model_reads_is_an_error_that_names_it(tmp_path: Path) -> None:
    local = made(llama(tmp_path / "short", context=256))
    local.write([Ask("word1", (), 1, 1)])
    with pytest.raises(ExperimentError, match=r'prompt "word1 word1 .*…" and what is told .* are 40\d\d tokens; .* reads 256, of which 48'):
        local.write([Ask("word1", (), 1, 1), Ask("word1 " * 4000, (), 1, 1)])


def test_a_repair_turn_that_is_too_long_is_asked_as_a_question_of_its_own(tmp_path: Path) -> None:
    local = made(llama(tmp_path / "short", context=256))
    repair = Ask("word1", (), 2, 9, before="word2 " * 300, at_first=5)
    assert local.write([repair]) == local.write([Ask("word1", (), 2, 9)])


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    local = made(llama(tmp_path / "base", chat=False))
    for look in (local.check, lambda: local.write([Ask("word1", (), 1, 1)])):
        with pytest.raises(ExperimentError, match=r'base: has no chat template, so it is no chat model; .* "Instruct"'):
            look()


def test_a_folder_without_weights_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"holds no weights of local .*hf download meta-llama/Llama-3.1-8B-Instruct"):
        made(tmp_path).check()


def test_a_damaged_checkpoint_is_an_error(tmp_path: Path) -> None:
    damaged = llama(tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(ExperimentError, match=r"local: the weights in .*damaged cannot be loaded .*; download them again: hf download"):
        made(damaged).write([Ask("word1", (), 1, 1)])


@pytest.mark.parametrize(
    ("model", "licence"),
    [
        (None, r"accept its licence \(Llama 3.1 Community\) .* run `hf download meta-llama/Llama"),
        ("some/model", r"run `hf download some/model`"),
    ],
)
def test_weights_that_are_not_here_say_which_licence_and_which_command(
    model: str | None, licence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ExperimentError, match=licence):
        Local(Rewriting(model=model), means=Means("cpu")).check()


def test_another_model_may_be_named_with_its_revision() -> None:
    weights = chat_weights("some/model@abc")
    assert (weights.repository, weights.revision, weights.licence, weights.gated) == ("some/model", "abc", "see its page", False)
    assert Local(Rewriting(model="some/model@abc")).spec.version.startswith("some/model@abc ")
    assert chat_weights("meta-llama/Llama-3.1-8B-Instruct@abc").gated


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_rows_of_one_batch_do_not_share_their_noise(folder: Path) -> None:
    local = Local(Rewriting(longest=48), instruction=SHORT, means=Means("cuda", {"local": folder}))
    ask = Ask("word1 word2", (), 3, 1)
    answers: Sequence[Written] = local.write([ask, ask])
    assert answers[0] == answers[1]
