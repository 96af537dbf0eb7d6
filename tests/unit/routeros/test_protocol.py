"""Commands and replies as words, both roles; the old login."""

import pytest

from imsys.routeros.errors import ProtocolError
from imsys.routeros.protocol import (
    DONE,
    FATAL,
    RE,
    TRAP,
    Command,
    Reply,
    challenge_login_command,
    challenge_response,
    encode_command,
    encode_reply,
    login_command,
    parse_command,
    parse_reply,
)
from imsys.routeros.wire import split_sentence


def test_a_command_as_words() -> None:
    command = Command("/ppp/secret/print", {".proplist": ".id,name"}, ("?name=ann", "?#!"), "7")
    assert split_sentence(encode_command(command)) == [
        b"/ppp/secret/print", b"=.proplist=.id,name", b"?name=ann", b"?#!", b".tag=7",
    ]  # fmt: skip
    assert parse_command(split_sentence(encode_command(command))) == command


def test_values_may_hold_equal_signs_or_nothing() -> None:
    assert parse_reply([b"!re", b"=name=iu=c3Eeg", b"=comment=", b"=odd"]).attributes == {
        "name": "iu=c3Eeg", "comment": "", "odd": "",
    }  # fmt: skip


@pytest.mark.parametrize("place", [1, 2, 3])
def test_trap_32_the_tag_may_stand_anywhere(place: int) -> None:
    words = [b"!re", b"=.id=*1", b"=name=ann"]
    words.insert(place, b".tag=x9")
    assert parse_reply(words) == Reply(RE, "x9", {".id": "*1", "name": "ann"})


def test_trap_32_unknown_api_attributes_are_passed_over() -> None:
    assert parse_reply([b"!re", b".section=3", b"=.section=3"]) == Reply(RE, "", {".section": "3"})


def test_a_fatal_has_its_reason_as_a_bare_word() -> None:
    reply = Reply(FATAL, message="session terminated on request")
    assert split_sentence(encode_reply(reply)) == [b"!fatal", b"session terminated on request"]
    assert parse_reply([b"!fatal", b"session terminated on request"]) == reply


def test_a_trap_has_its_message_and_its_category() -> None:
    words = [b"!trap", b".tag=4", b"=category=2", b"=message=interrupted"]
    reply = parse_reply(words)
    assert (reply.kind, reply.tag, reply.message, reply.attributes["category"]) == (TRAP, "4", "interrupted", "2")
    assert split_sentence(encode_reply(reply)) == words
    assert split_sentence(encode_reply(Reply(TRAP, "4", message="no such item"))) == [
        b"!trap", b".tag=4", b"=message=no such item",
    ]  # fmt: skip


def test_what_is_no_reply_is_refused() -> None:
    with pytest.raises(ProtocolError):
        parse_reply([b"HTTP/1.1 400 Bad Request"])


def test_trap_31_names_and_passwords_stay_text() -> None:
    reply = parse_reply([b"!re", b"=name=0012", b"=password=true", b"=comment=123", b"=disabled=yes"])
    assert reply.attributes == {"name": "0012", "password": "true", "comment": "123", "disabled": "yes"}
    assert parse_command(split_sentence(encode_command(Command("/a/set", {"password": "true"})))).attributes == {
        "password": "true"
    }


def test_trap_30_bytes_that_are_not_utf8_survive_both_ways() -> None:
    comment = b"=comment=Jos\xe9 \xff\xfe"
    text = parse_reply([b"!re", comment]).attributes["comment"]
    assert split_sentence(encode_reply(Reply(DONE, "", {"comment": text})))[1] == comment


def test_the_old_logins_challenge_as_in_the_manual() -> None:
    assert challenge_response("", "93b438ec9b80057c06dd9fe67d56aa9a") == "00e134102a9d330dd7b1849fedfea3cb57"
    with pytest.raises(ProtocolError):
        challenge_response("", "not hexadecimal")


@pytest.mark.parametrize(
    "command", [login_command("api", "wonderland"), challenge_login_command("api", "wonderland", "ab" * 16)]
)
def test_no_value_is_in_a_repr(command: Command) -> None:
    assert "wonderland" not in repr(command)
    assert "00" not in repr(command)
    assert "wonderland" not in repr(Reply(RE, "1", {"password": "wonderland"}))
