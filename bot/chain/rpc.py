"""JSON-RPC over HTTP: one request, one answer, one of our errors."""

import asyncio
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from bot.core.errors import ChainError, ConfigError, Reverted
from bot.core.ports import Rpc

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from web3.providers.rpc.async_rpc import AsyncHTTPProvider

EXECUTION_REVERTED = 3  # geth's error code for a revert that carries data
INVALID_PARAMS = -32602  # JSON-RPC 2.0
METHOD_NOT_FOUND = -32601  # JSON-RPC 2.0
SHORTEST_SECRET = 6  # shorter parts of an address ("v2", "rpc") are words of every other message


class NodeError(ChainError):
    """The node answered with a JSON-RPC error that is not a revert; `code` and `said` are the node's."""

    def __init__(self, message: str, code: int, said: str) -> None:
        super().__init__(message)
        self.code = code
        self.said = said


class HttpRpc:
    """One endpoint. Makes its connections on first use; `close()` it, or use it as an async context."""

    def __init__(self, url: str, timeout_s: float = 10) -> None:
        self.name = without_credentials(url)
        self._url = url
        self._secrets = _secrets(url)
        self._timeout_s = timeout_s
        self._provider: AsyncHTTPProvider | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> "HttpRpc":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def call(self, method: str, *params: Any) -> Any:
        """The `result` of one request. Reverted when a call reverts, else ChainError; never retries."""
        answer = await self._request(method, params)
        error = answer.get("error")
        if error is not None:
            raise self._refusal(method, error)
        if "result" not in answer:
            raise ChainError(f"{self.name}: {method}: expected a result, found {sorted(answer)}; is this a node?")
        return answer["result"]

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        provider, self._provider = self._provider, None
        if provider is not None:
            await provider.disconnect()

    async def _request(self, method: str, params: tuple[Any, ...]) -> dict[str, Any]:
        provider = self._provider or await self._open()
        import aiohttp
        from web3.exceptions import Web3Exception

        try:
            answer: Any = await provider.make_request(method, params)
        except _HttpStatus as refused:
            answer = refused.error()
        except TimeoutError:
            said = f"no answer within {self._timeout_s:g} s; try again, or use a faster node"
            raise ChainError(f"{self.name}: {method}: {said}") from None
        except (aiohttp.ClientError, OSError) as error:
            said = f"not reachable ({error}); check the address and that the node runs"
            raise ChainError(f"{self.name}: {method}: {self._discreet(said)}") from None
        except (Web3Exception, ValueError) as error:
            said = f"expected a JSON-RPC answer, found something else ({error}); is this a node?"
            raise ChainError(f"{self.name}: {method}: {self._discreet(said)}") from None
        if not isinstance(answer, dict):
            raise ChainError(f"{self.name}: {method}: expected a JSON-RPC answer, found {type(answer).__name__}")
        return answer

    async def _open(self) -> "AsyncHTTPProvider":
        from aiohttp import ClientSession, ClientTimeout, TCPConnector

        with warnings.catch_warnings():
            # Importing any part of web3 7 imports websockets.legacy, which is deprecated and unused here.
            warnings.simplefilter("ignore", DeprecationWarning)
            from web3.providers.rpc.async_rpc import AsyncHTTPProvider

        async with self._opening:
            if self._provider is None:
                timeout = ClientTimeout(total=self._timeout_s)
                provider = AsyncHTTPProvider(
                    self._url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None
                )
                # web3's own session opens a connection for every request, and drops the body of a refusal.
                await provider.cache_async_session(ClientSession(connector=TCPConnector(), raise_for_status=_check))
                self._provider = provider
            return self._provider

    def _refusal(self, method: str, error: Any) -> ChainError:
        found = error if isinstance(error, dict) else {"message": str(error)}
        code, message = int(found.get("code", 0)), " ".join(str(found.get("message", found)).split())
        data = found.get("data")
        if isinstance(data, dict):  # some nodes wrap it
            data = data.get("data") or data.get("result")
        if code == EXECUTION_REVERTED or "revert" in message.lower():
            return Reverted(self._discreet(_reason(data, message)))
        advice = "this node does not offer it" if code == METHOD_NOT_FOUND else "try again, or ask another node"
        return NodeError(
            f"{self.name}: {method}: the node said {self._discreet(message)!r} ({code}); {advice}",
            code,
            self._discreet(message),
        )

    def _discreet(self, text: str) -> str:
        text = text.replace(self._url, self.name)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


class CountingRpc:
    """Counts the requests that pass through, per method."""

    def __init__(self, inner: Rpc) -> None:
        self.inner = inner
        self.counts: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """Requests of all methods so far."""
        return self.counts.total()

    async def call(self, method: str, *params: Any) -> Any:
        self.counts[method] += 1
        return await self.inner.call(method, *params)


class _HttpStatus(Exception):
    """The server refused with a status; nodes often put the JSON-RPC error in the body."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.body = status, body

    def error(self) -> dict[str, Any]:
        import json

        try:
            answer = json.loads(self.body)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and answer.get("error"):
            return answer
        return {"error": {"code": self.status, "message": f"HTTP {self.status} {self.body[:200]}"}}


async def _check(response: "ClientResponse") -> None:
    if response.status >= 400:
        raise _HttpStatus(response.status, await response.text(errors="replace"))


def _reason(data: Any, message: str) -> str:
    if isinstance(data, str) and data.startswith("0x") and len(data) > 2:
        from bot.chain.revert import reason

        return reason(bytes.fromhex(data[2:]))
    return message.removeprefix("execution reverted").lstrip(": ") or "no reason given"


def _secrets(url: str) -> tuple[str, ...]:
    """Every part of an address that may be a key, longest first: servers repeat paths and queries in what they say."""
    parts = urlsplit(url)
    pieces = [parts.username or "", parts.password or "", *parts.path.split("/"), parts.query]
    pieces += [value for pair in parts.query.split("&") for value in pair.split("=")[-1:]]
    found = {piece for each in pieces for piece in (each, unquote(each)) if len(piece) >= SHORTEST_SECRET}
    return tuple(sorted(found, key=len, reverse=True))


def without_credentials(url: str) -> str:
    """Scheme, host and port only: keys of hosted nodes stand in the user part, the path or the query.

    ConfigError when it is no address.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise ConfigError(f"expected a node's address such as http://127.0.0.1:8545, found one with: {error}") from None
    return f"{parts.scheme}://{parts.hostname or '?'}{port}"
