"""Answers that are errors, turned into the domain's errors, so that callers catch one family.

`problem_of` gives back the problem document behind an error, with its status and request id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from podium.domain.errors import (
    ConflictError,
    FieldFault,
    ForbiddenError,
    NotFoundError,
    PasswordChangeError,
    PermanentError,
    PodiumError,
    TemporaryError,
    TooLargeError,
    UnauthenticatedError,
    UserError,
)
from podium.spec.views.problem import FaultView, Problem

if TYPE_CHECKING:
    import httpx


class UnavailableError(TemporaryError):
    """No server answers, or something between here and there is down."""

    code = "unavailable"


class AnswerError(Exception):
    """The cause of every error that a server answered; holds its document."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def nobody_answers(server: str) -> UnavailableError:
    return UnavailableError(
        f"No Podium server answers at {server}. Start one with `podium up`, "
        "or sign in to another with `podium login URL`."
    )


def not_podium(server: str, status: int) -> PermanentError:
    return PermanentError(
        f"{server} answered with status {status}, but not as a Podium server does. "
        "Check the address, or sign in to another with `podium login URL`."
    )


def raise_for_answer(response: httpx.Response, server: str) -> None:
    """Does nothing for a success; else raises a PodiumError. The body must have been read."""
    if response.status_code < 400:
        return
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        if response.status_code in (502, 503, 504):
            raise UnavailableError(
                f"The Podium server at {server} is not ready (status {response.status_code}). "
                "Try again in a moment."
            ) from None
        raise not_podium(server, response.status_code) from None
    raise failure(problem) from AnswerError(problem)


def failure(problem: Problem) -> PodiumError:
    """The domain error that a problem document stands for; unknown codes go by status."""
    words = problem.detail or problem.title
    if problem.status in (502, 503, 504) or problem.code == "unavailable":
        return UnavailableError(words, retry_after_seconds=problem.retry_after_seconds or 1.0)
    if problem.status == 429 or problem.code == TemporaryError.code:
        return TemporaryError(words, retry_after_seconds=problem.retry_after_seconds or 1.0)
    by_code: dict[str, type[PodiumError]] = {
        kind.code: kind
        for kind in (
            NotFoundError,
            ConflictError,
            ForbiddenError,
            PasswordChangeError,
            UnauthenticatedError,
            TooLargeError,
            PermanentError,
        )
    }
    by_status: dict[int, type[PodiumError]] = {
        401: UnauthenticatedError,
        403: ForbiddenError,
        404: NotFoundError,
        409: ConflictError,
        413: TooLargeError,
    }
    kind = by_code.get(problem.code) or by_status.get(problem.status)
    if kind is not None:
        return kind(words)
    if problem.status < 500:
        return UserError(
            *(FieldFault(fault.field, fault.message, fault.remedy) for fault in problem.faults),
            message=words,
        )
    return PermanentError(words)


def problem_of(error: PodiumError) -> Problem:
    """The document behind `error`: the server's own, or one made here in the same shape."""
    if isinstance(error.__cause__, AnswerError):
        return error.__cause__.problem
    faults = error.faults if isinstance(error, UserError) else ()
    return Problem(
        type="about:blank",
        title=error.code.replace("_", " ").capitalize(),
        status=0,
        code=error.code,
        detail=error.message,
        faults=[FaultView(field=f.field, message=f.message, remedy=f.remedy) for f in faults],
        retry_after_seconds=(
            error.retry_after_seconds if isinstance(error, TemporaryError) else None
        ),
    )
