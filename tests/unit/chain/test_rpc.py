"""HttpRpc against a scripted node on this machine: every way to fail is one clear error of ours."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.chain.abi import encode
from bot.chain.rpc import CountingRpc, HttpRpc, NodeError, without_credentials
from bot.core.errors import ChainError, ConfigError, Reverted

pytestmark = pytest.mark.chain  # opens sockets, of this machine only
SAID = "0x08c379a0" + encode(("string",), "vault: below floor").hex()


@asynccontextmanager
async def node(body: str, status: str = "200 OK", delay_s: float = 0) -> AsyncIterator[str]:
    """Answers every request with `body`; gives its address."""

    answers = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.add(asyncio.current_task())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-le")
        )
        await reader.readexactly(length)
        try:
            await asyncio.sleep(delay_s)
            writer.write(
                f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n{body}".encode()
            )
        finally:
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in answers:
            task.cancel()
        await asyncio.gather(*answers, return_exceptions=True)


def result(value: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": value})


def error(code: int, message: str, data: object = None) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, "data": data}})


async def test_call__good_answer__gives_the_result() -> None:
    async with node(result("0x1")) as url, HttpRpc(url) as rpc:
        assert await rpc.call("eth_chainId") == "0x1"


async def test_call__null_result__is_none() -> None:
    async with node(result(None)) as url, HttpRpc(url) as rpc:
        assert await rpc.call("eth_getTransactionReceipt", "0x00") is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (error(3, "execution reverted: vault: below floor", SAID), "vault: below floor"),
        (error(-32000, "execution reverted", {"data": SAID}), "vault: below floor"),
        (error(-32000, "execution reverted: vault: below floor"), "vault: below floor"),
        (error(3, "execution reverted", "0x"), "no reason given"),
        (error(3, "execution reverted", "0xdeadbeef"), "custom error 0xdeadbeef"),
    ],
)
async def test_call__revert__carries_the_contracts_own_words(body: str, reason: str) -> None:
    async with node(body) as url, HttpRpc(url) as rpc:
        with pytest.raises(Reverted) as caught:
            await rpc.call("eth_call", {}, "latest")
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        (error(-32601, "the method eth_x does not exist"), "200 OK", -32601, "does not offer it"),
        (
            error(-32005, "daily request count exceeded"),
            "429 Too Many Requests",
            -32005,
            "daily request count exceeded",
        ),
        ("slow\ndown", "429 Too Many Requests", 429, "HTTP 429 slow down"),
        ("<html>", "502 Bad Gateway", 502, "HTTP 502 <html>"),
    ],
)
async def test_call__node_refuses__says_method_words_and_code(body: str, status: str, code: int, says: str) -> None:
    async with node(body, status) as url, HttpRpc(url) as rpc:
        with pytest.raises(NodeError) as caught:
            await rpc.call("eth_x")
    assert caught.value.code == code
    assert "eth_x" in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", ["hello", "[]", "{}", '{"jsonrpc":"2.0","id":1}'])
async def test_call__answer_is_not_json_rpc__is_a_chain_error(body: str) -> None:
    async with node(body) as url, HttpRpc(url) as rpc:
        with pytest.raises(ChainError, match="eth_chainId: expected"):
            await rpc.call("eth_chainId")


async def test_call__node_is_silent__gives_up_after_the_timeout() -> None:
    async with node(result("0x1"), delay_s=5) as url, HttpRpc(url, timeout_s=0.1) as rpc:
        with pytest.raises(ChainError, match=r"eth_chainId: no answer within 0\.1 s"):
            await rpc.call("eth_chainId")


async def test_call__nothing_listens__names_the_node_and_never_its_key() -> None:
    async with HttpRpc("http://user:secret1@127.0.0.1:9/v3/secret2?k=secret3") as rpc:
        with pytest.raises(ChainError, match=r"http://127\.0\.0\.1:9: eth_chainId: not reachable") as caught:
            await rpc.call("eth_chainId")
    assert "secret" not in str(caught.value)


async def test_call__address_no_client_takes__is_said_without_its_key() -> None:
    async with HttpRpc("ftp://127.0.0.1/secret") as rpc:
        with pytest.raises(ChainError, match=r"not reachable \(ftp://127\.0\.0\.1\)") as caught:
            await rpc.call("eth_chainId")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://node:99999/secret", "http://[::1/secret", "http://node:port/secret"])
def test_http_rpc__malformed_address__is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="expected a node's address") as caught:
        HttpRpc(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://mainnet.infura.io/v3/KEY", "https://mainnet.infura.io"),
        ("https://me:KEY@node.example:8545/?key=KEY", "https://node.example:8545"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
    ],
)
def test_without_credentials__any_address__keeps_scheme_host_and_port(url: str, name: str) -> None:
    assert without_credentials(url) == name


async def test_close__after_calls__leaves_nothing_open_and_may_be_called_again() -> None:
    async with node(result("0x1")) as url:
        rpc = HttpRpc(url)
        await asyncio.gather(*(rpc.call("eth_chainId") for _ in range(5)))
        await rpc.close()
        await rpc.close()
        assert await rpc.call("eth_chainId") == "0x1"  # opens anew
        await rpc.close()
    del rpc
    gc.collect()  # an unclosed session would warn here, and warnings are errors


async def test_counting__calls_of_two_methods__counts_each_and_all() -> None:
    async with node(result("0x1")) as url, HttpRpc(url) as inner:
        rpc = CountingRpc(inner)
        for method in ("eth_chainId", "eth_chainId", "eth_gasPrice"):
            await rpc.call(method)
    assert rpc.counts == {"eth_chainId": 2, "eth_gasPrice": 1}
    assert rpc.count == 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("Cannot POST /v2/key-in-the-path?apikey=key-in-the-query", "404 Not Found"),
        ("<html>/v2/key-in-the-path</html>", "200 OK"),
        (error(-32000, "project key-in-the-path is over its quota"), "200 OK"),
        (error(-32000, "reverted by the limiter of key-in-the-path"), "200 OK"),
        (error(-32000, "who is pass word?"), "200 OK"),
    ],
)
async def test_call__node_repeats_its_address__no_key_in_the_error(body: str, status: str) -> None:
    async with node(body, status) as url:
        address = url.replace("http://", "http://owner:pass%20word@") + "/v2/key-in-the-path?apikey=key-in-the-query"
        async with HttpRpc(address) as rpc:
            with pytest.raises(ChainError) as raised:
                await rpc.call("eth_chainId")
    said = f"{raised.value} {vars(raised.value)}"
    assert not [secret for secret in ("key-in-the", "pass word", "pass%20word") if secret in said]
    assert "***" in said
