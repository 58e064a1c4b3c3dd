"""A FastAPI application whose start-up loads what its requests need. README.md says which settings deploy it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import Cookie, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

GREETINGS = Path(__file__).with_name("greetings.json")


class Guest(BaseModel):
    """Somebody to greet."""

    name: str = Field(min_length=1, max_length=80)
    language: str = "en"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Loads the greetings, once for as long as this process lives."""
    app.state.starts = getattr(app.state, "starts", 0) + 1
    app.state.greetings = json.loads(GREETINGS.read_text("utf-8"))
    yield


app = FastAPI(title="Greetings", lifespan=lifespan)


def greeting(request: Request, language: str, name: str) -> str:
    """Returns the greeting of a language.

    Raises:
        HTTPException: 404, nobody has taught it that language.
    """
    try:
        return f"{request.app.state.greetings[language]}, {name}!"
    except KeyError:
        raise HTTPException(404, f"No greeting is known in {language}") from None


@app.get("/")
async def languages(request: Request) -> dict[str, list[str]]:
    """Lists the languages."""
    return {"languages": sorted(request.app.state.greetings)}


@app.get("/greetings/{language}")
def greet(
    request: Request,
    language: str,
    name: Annotated[str, Query(min_length=1)] = "you",
    visitor: Annotated[str | None, Cookie()] = None,
) -> dict[str, str]:
    """Greets by name, or the visitor that a cookie knows."""
    return {"greeting": greeting(request, language, visitor or name)}


@app.post("/greetings", status_code=201)
async def remember(request: Request, response: Response, guest: Guest) -> dict[str, str]:
    """Greets a guest and remembers the name in a cookie."""
    response.set_cookie("visitor", guest.name, httponly=True)
    response.set_cookie("language", guest.language)
    return {"greeting": greeting(request, guest.language, guest.name)}


@app.put("/mirror")
async def mirror(request: Request) -> Response:
    """Answers the bytes it got, last first."""
    return Response((await request.body())[::-1], media_type="application/octet-stream")


@app.get("/countdown/{count}")
async def countdown(count: int) -> StreamingResponse:
    """Counts down, a line at a time."""

    async def lines() -> AsyncIterator[str]:
        for number in range(count, 0, -1):
            yield f"{number}\n"

    return StreamingResponse(lines(), media_type="text/plain")


@app.get("/starts")
async def starts(request: Request) -> dict[str, int]:
    """Tells how often this process was started up: once, however many requests it has answered."""
    return {"starts": request.app.state.starts}
