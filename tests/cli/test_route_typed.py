"""`test route` as it is typed: who calls whom, from where, at which listener; and the stages and targets it shows."""

from __future__ import annotations

from cli.completion import Completion, complete
from cli.help import help_lines
from tests.cli.shells import new_session, script
from tests.cli.stand_in import StandIn


def test_its_arguments_are_sent(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    script(session, "test route 4711")
    options = "from alice@example.com source 192.0.2.7 listener main unauthenticated"
    script(session, f"test route sip:bob@example.com {options}")
    assert [args for do, args in stand_in.seen if do == "test route"] == [
        {"uri": "4711"},
        {
            "uri": "sip:bob@example.com",
            "from": "alice@example.com",
            "source": "192.0.2.7",
            "listener": "main",
            "unauthenticated": True,
        },
    ]


def test_stages_targets_and_the_outcome_are_shown(stand_in: StandIn) -> None:
    lines = script(new_session(stand_in), "test route sip:bob@example.com").lines
    stages, targets = lines[: lines.index("")], lines[lines.index("") + 1 :]
    assert [line.split()[:2] for line in stages[2:]] == [["validate", "continue"], ["locate", "continue"]]
    assert targets[2].split() == ["sip:bob@192.0.2.9:5060", "1.0", "udp", "192.0.2.9:5060", "-"]
    assert targets[-1] == "It is forwarded to 1 target."


def test_words_and_live_names_complete(stand_in: StandIn) -> None:
    session = new_session(stand_in)

    def completed(text: str) -> Completion:
        return complete(session.grammars, text, session.live_names)

    assert completed("test route ali") == Completion("", ("alice@example.com", "alina@example.com"))
    assert completed("test route sip:x listener ph") == Completion("ones ")
    assert completed("test route sip:x unauth") == Completion("enticated ")


def test_help_names_each_argument(stand_in: StandIn) -> None:
    session = new_session(stand_in)
    words = [line.split()[0] for line in help_lines(session.grammars, "test route sip:x ")]
    assert {"from", "source", "listener", "unauthenticated"} <= set(words)
