"""One order-update socket of an account that has logged in."""

from aiohttp import web


class Link:
    """A socket; a silent one stays open and says nothing, not even to a ping."""

    def __init__(self, socket: web.WebSocketResponse, request: web.BaseRequest) -> None:
        self._socket, self._request = socket, request
        self.silent = False

    async def say(self, frame: str | bytes) -> None:
        """Send a frame, as text or binary."""
        try:
            if isinstance(frame, bytes):
                await self._socket.send_bytes(frame)
            else:
                await self._socket.send_str(frame)
        except (ConnectionError, RuntimeError):
            self.drop()

    async def pong(self, content: bytes) -> None:
        """Answer a ping."""
        if not self.silent:
            await self._socket.pong(content)

    async def close(self) -> None:
        """End it as the protocol wants."""
        await self._socket.close()

    def drop(self) -> None:
        """End the connection without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()
