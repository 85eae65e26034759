"""The ceiling: what uvicorn takes when an application reads the body and answers 204."""

from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})
