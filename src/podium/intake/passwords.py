"""Passwords: what may be one, how they are kept, and whether one is right."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from podium.domain.errors import FieldFault, UserError

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 1024
_GUESSES_MIN = 1_000_000
_GUESSED_CHARACTERS = 72
_OWN_WORDS = ("podium",)


class Passwords:
    """Hashing is slow on purpose; one at a time keeps a burst from taking all the memory."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._hashing = asyncio.Semaphore(1)
        # What a wrong name is checked against, so that it takes as long as a wrong password.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str, *, username: str = "", field: str = "password") -> str:
        """Raises UserError, about `field`, when it is too short, too long, or easily guessed."""
        fault = _length_fault(password, field)
        if fault is not None:
            raise UserError(fault)
        async with self._hashing:
            if await asyncio.to_thread(_is_guessed, password, username):
                raise UserError(
                    FieldFault(
                        field,
                        "is among the first that somebody would try.",
                        "Use several unrelated words, or let a password keeper make one.",
                    )
                )
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, hashed: str, password: str) -> bool:
        """Whether it is the password; an empty hash, which nobody's is, takes as long as any."""
        if len(password) > PASSWORD_LENGTH_MAX:
            return False
        async with self._hashing:
            try:
                return await asyncio.to_thread(
                    self._hasher.verify, hashed or self._nobody, password
                )
            except (Argon2Error, InvalidHashError):
                return False


def _length_fault(password: str, field: str) -> FieldFault | None:
    length = len(password)
    if length < PASSWORD_LENGTH_MIN:
        return FieldFault(
            field, f"has {length} characters.", f"Use at least {PASSWORD_LENGTH_MIN}."
        )
    if length > PASSWORD_LENGTH_MAX:
        return FieldFault(field, f"has {length} characters.", f"Use at most {PASSWORD_LENGTH_MAX}.")
    return None


def _is_guessed(password: str, username: str) -> bool:
    """Whether a million guesses find it, by the words, names and passwords that people use."""
    from zxcvbn import zxcvbn  # its lists are only needed when somebody sets a password

    if username and password.lower().replace(username.lower(), "").strip("0123456789-_. !") == "":
        return True
    known = [each for each in (username, *_OWN_WORDS) if each]
    estimate = zxcvbn(password[:_GUESSED_CHARACTERS], user_inputs=known)
    return bool(estimate["guesses"] < _GUESSES_MIN)
