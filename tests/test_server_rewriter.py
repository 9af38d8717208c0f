"""The server rewriter against a real HTTP server with scripted answers: what is sent, what is read, what is said of what goes wrong."""

from typing import Any

import pytest
from scripted_server import Body, Said, Scripted, free_port, scripted

from stimuli.experiment import ExperimentError
from stimuli.rewriters import Ask, Question, Rewriting, Tried, Written, propose
from stimuli.rewriters.instruction import Instruction
from stimuli.rewriters.server import Server

ASK = Ask("A cat.", (Tried("A cat.", 0.5),), 20, 2**32 - 1)
MODELS = {"object": "list", "data": [{"id": "llama-small"}, {"id": "llama-large"}]}


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def server(served: Scripted, *, model: str = "llama-small", attempts: int = 2) -> Server:
    rewriting = Rewriting(model=model, address=served.address, temperature=0.7, top_p=0.8, longest=300)
    return Server(rewriting, attempts=attempts, wait=0.001)


def completion(text: Any = "1. A cat at dusk", reason: str | None = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reason}], **more}


def test_everything_that_an_answer_depends_on_is_sent() -> None:
    with scripted(lambda *_: Said(completion())) as served:
        server(served).write([ASK])
    [(path, body, _)] = served.asked
    assert path == "/chat/completions"
    assert body == {
        "model": "llama-small",
        "messages": Instruction().conversation(ASK),
        "temperature": 0.7,
        "top_p": 0.8,
        "max_tokens": 300,
        "seed": 2**31 - 1,
    }


@pytest.mark.parametrize(
    ("answer", "written"),
    [
        (completion(), Written("1. A cat at dusk")),
        (completion(usage={"completion_tokens": 7}), Written("1. A cat at dusk", tokens=7)),
        (completion(usage={"completion_tokens": None}), Written("1. A cat at dusk")),
        (completion(reason="length"), Written("1. A cat at dusk", is_cut=True)),
        (completion(reason=None), Written("1. A cat at dusk")),
        (completion([{"type": "text", "text": "1. A "}, {"type": "text", "text": "cat"}]), Written("1. A cat")),
        (completion(None, "length"), Written("", is_cut=True)),
        (completion(None, "content_filter"), Written("")),
        ({"choices": [{"message": {"refusal": "I cannot help with that."}}]}, Written("I cannot help with that.")),
        ({"choices": [{"message": {}, "finish_reason": "content_filter"}]}, Written("")),
    ],
)
def test_an_answer_is_read_in_the_forms_that_servers_give_it(answer: dict[str, Any], written: Written) -> None:
    with scripted(lambda *_: Said(answer)) as served:
        assert server(served).write([ASK]) == [written]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"choices": []},
        {"choices": None},
        {"choices": [1]},
        {"choices": [{}]},
        {"choices": [{"message": {}}]},
        completion(7),
        {"error": "x"},
    ],
    ids=str,
)
def test_an_answer_of_another_shape_is_an_error_that_shows_it(answer: dict[str, Any]) -> None:
    expected = r"/chat/completions: choices\[0\].message.content was expected; it answered: \{.*Does this address speak the interface"
    with scripted(lambda *_: Said(answer)) as served, pytest.raises(ExperimentError, match=expected):
        server(served).write([ASK])


def test_asks_are_sent_at_once_but_not_all_and_come_back_in_order() -> None:
    def echo(_path: str, body: Body, _before: int) -> Said:
        return Said(completion(f"1. {body['seed']}"), after=0.05)

    with scripted(echo) as served:
        written = server(served).write([Ask("A cat.", (), 1, seed) for seed in range(40)])
        assert server(served).write([]) == []
    assert [answer.text for answer in written] == [f"1. {seed}" for seed in range(40)]
    assert 1 < served.most_at_once <= 16


def test_the_repair_turn_goes_on_with_the_conversation() -> None:
    def script(_path: str, _body: Body, before: int) -> Said:
        return Said(completion("1. a cat\n2. A cat at dusk" if before == 0 else "1. A cat at dawn"))

    with scripted(script) as served:
        [proposal] = propose(server(served), [Question("A cat.", (), (), 2, 1)])
    assert proposal.prompts == ("A cat at dusk", "A cat at dawn")
    first, repair = (body["messages"] for _, body, _ in served.asked)
    assert repair[0] == first[0]
    assert repair[1] == {"role": "assistant", "content": "1. a cat\n2. A cat at dusk"}
    assert "Write 1 more" in repair[2]["content"]


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_wrong_model_is_told_which_there_are(status: int) -> None:
    def script(path: str, _body: Body, _before: int) -> Said:
        return Said(MODELS) if path == "/models" else Said({"error": "no such model"}, status)

    expected = r'no such model.*The server offers "llama-small", "llama-large", and no "llama": correct \[stimuli.rewriting\] model'
    with scripted(script) as served, pytest.raises(ExperimentError, match=expected):
        server(served, model="llama").write([ASK])


@pytest.mark.parametrize("models", [Said({}, 404), Said({}), Said({"data": 5}), Said({"data": [5, {}]}), Said(MODELS)], ids=range(5))
def test_where_the_server_does_not_tell_its_models_or_has_this_one_the_answer_is_told_alone(models: Said) -> None:
    def script(path: str, _body: Body, _before: int) -> Said:
        return models if path == "/models" else Said({"error": "not found"}, 404)

    with scripted(script) as served, pytest.raises(ExperimentError, match=r"it answered 404: .*Is the address complete") as caught:
        server(served).write([ASK])
    assert "offers" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 413])
def test_a_prompt_of_4000_words_that_the_server_does_not_take_is_named(status: int) -> None:
    long = Ask("word " * 4000, (), 20, 1)
    expected = r'maximum context length is 8192.*It was asked to reword "word word'
    with (
        scripted(lambda *_: Said({"error": "maximum context length is 8192 tokens"}, status)) as served,
        pytest.raises(ExperimentError, match=expected) as caught,
    ):
        server(served).write([long])
    assert len(str(caught.value)) < 700


def test_one_bad_ask_is_an_error_and_none_goes_on_in_the_background() -> None:
    def script(_path: str, body: Body, _before: int) -> Said:
        return Said({"error": "no"}, 403) if body["seed"] == 0 else Said(completion(), after=0.01)

    with scripted(script) as served:
        with pytest.raises(ExperimentError, match="answered 403"):
            server(served).write([Ask("A cat.", (), 1, seed) for seed in range(200)])
        asked = len(served.asked)
    assert asked == len(served.asked) < 200


def test_a_check_finds_a_wrong_key_and_an_absent_server_and_forgives_a_server_that_tells_no_models() -> None:
    for fine in (Said(MODELS), Said({}, 404), Said({}, 500)):
        with scripted(lambda *_, fine=fine: fine) as served:
            server(served).check()
            assert served.paths() == ["/models"]
    with scripted(lambda *_: Said({}, 401)) as served, pytest.raises(ExperimentError, match=r"wants a key: .*OPENAI_API_KEY"):
        server(served).check()
    with pytest.raises(ExperimentError, match="no server answers there"):
        Server(Rewriting(model="m", address=f"http://127.0.0.1:{free_port()}/v1")).check()


def test_the_address_of_a_hosted_service_needs_a_key() -> None:
    hosted = Server(Rewriting(model="m", address="https://api.example/v1", key_variable="EXAMPLE_KEY"))
    with pytest.raises(ExperimentError, match="environment variable EXAMPLE_KEY holds no key"):
        hosted.write([ASK])


def test_a_check_names_the_models_where_the_server_refuses_this_one_and_forgives_one_that_it_takes() -> None:
    def refuses(path: str, _body: Body, _before: int) -> Said:
        return Said(MODELS) if path == "/models" else Said({"error": "no such model"}, 404)

    def takes(path: str, _body: Body, _before: int) -> Said:
        return Said(MODELS) if path == "/models" else Said(completion())

    with scripted(refuses) as served, pytest.raises(ExperimentError, match=r'offers "llama-small", "llama-large", and no "alias"'):
        server(served, model="alias").check()
    with scripted(takes) as served:
        server(served, model="alias").check()
        assert [body.get("max_tokens") for _, body, _ in served.asked] == [None, 1]
