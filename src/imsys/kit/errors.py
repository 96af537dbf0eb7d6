"""The root of all errors: what happened, what to do about it, and whether trying again can help."""


class ImsysError(Exception):
    """Something failed in a way that a person can be told about in one line.

    `message` says who and what, `remedy` what to do, `code` is the stable name in docs and JSON (e.g. "LoginRefused").
    Never put a secret into either text.
    """

    default_code = "Error"

    def __init__(self, message: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code or self.default_code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}" if self.remedy else self.message


class TransientError(ImsysError):
    """Worth trying again after a backoff; nothing was changed."""


class PermanentError(ImsysError):
    """A person must act; trying again changes nothing."""


class UnknownOutcome(ImsysError):
    """A write may or may not have happened. Read, then decide; never repeat it blind."""


class InputError(PermanentError):
    """What a person gave us is not usable; the message says what to give instead."""

    default_code = "BadInput"
