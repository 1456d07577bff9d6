"""The page's server, over real connections: what it answers, whom it refuses, and that it leaves the run alone."""

from __future__ import annotations

import asyncio
import fcntl
import http.client
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest

from synth.errors import UsageError
from synth.governance.forgetting import forget
from synth.report.marks import read_marks
from synth.view.server import viewing


@pytest.fixture
async def copy(finished: Path, tmp_path: Path) -> Path:
    folder = tmp_path / 'run "<b>&'
    shutil.copytree(finished, folder)
    return folder


@pytest.fixture
async def address(copy: Path) -> AsyncIterator[str]:
    async with viewing(copy) as address:
        yield address


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def get(client: aiohttp.ClientSession, address: str, path: str) -> dict[str, object]:
    async with client.get(address + path) as response:
        assert response.status == 200, await response.text()
        data: dict[str, object] = await response.json()
        return data


async def indexed(client: aiohttp.ClientSession, address: str) -> dict[str, object]:
    return await until(client, address, "api/overview", lambda now: now["reading"] is None)


async def until(
    client: aiohttp.ClientSession, address: str, path: str, so: Callable[[dict[str, object]], bool]
) -> dict[str, object]:
    """The answer once it is so."""
    for _ in range(2000):
        answer = await get(client, address, path)
        if so(answer):
            return answer
        await asyncio.sleep(0.01)
    raise AssertionError(f"{path} stayed {answer}")


async def status(address: str, method: str, path: str, body: str = "", **headers: str) -> int:
    """Of a request whose path and headers are exactly these."""
    place = urlsplit(address)

    def ask() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", place.port or 0, timeout=20)
        connection.putrequest(method, path, skip_host="host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode())
        try:
            return connection.getresponse().status
        finally:
            connection.close()

    return await asyncio.to_thread(ask)


async def test_it_tells_how_the_run_stands(client: aiohttp.ClientSession, address: str) -> None:
    now = await indexed(client, address)
    assert (now["name"], now["status"], now["accepted"], now["attempts"]) == ("looked-at", "complete", 16, 20)
    assert now["rejected"] == {"accept": 4}


async def test_an_example_comes_with_its_seed_its_siblings_and_its_calls(
    client: aiohttp.ClientSession, address: str
) -> None:
    await indexed(client, address)
    found = await get(client, address, "api/examples?q=wombat&most=1")
    assert found["rows"]
    unit = found["rows"][0]["id"]  # type: ignore[index]
    example = await get(client, address, f"api/examples/{unit}")
    assert "wombat" in example["seed"]["question"]  # type: ignore[index]
    assert all(one["id"] != unit for one in example["siblings"])  # type: ignore[attr-defined]
    calls = await get(client, address, f"api/examples/{unit}/calls")
    assert [call["id"] for call in calls["calls"]] == [f"{unit}/draft.0"]  # type: ignore[attr-defined]
    near = await get(client, address, f"api/examples/{unit}/neighbours")
    assert near["by"] == "wording"
    similar = [one["similarity"] for one in near["near"]]  # type: ignore[attr-defined]
    assert similar == sorted(similar, reverse=True) != []


async def test_a_mark_is_kept_and_found_again(client: aiohttp.ClientSession, address: str, copy: Path) -> None:
    async def mark(value: str | None) -> None:
        async with client.post(address + "api/marks", json={"id": "raw-000001", "mark": value}) as response:
            assert response.status == 200

    await mark("unsure")
    await mark("good")
    assert read_marks(copy) == {"raw-000001": "good"}
    await until(client, address, "api/examples?mark=good", lambda found: found["total"] == 1)
    await mark(None)
    assert read_marks(copy) == {}


async def test_a_run_that_is_killed_is_at_work_no_more(client: aiohttp.ClientSession, copy: Path) -> None:
    (copy / "run.pid").write_text("1\n")
    with (copy / "run.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        async with viewing(copy) as address:
            await until(client, address, "api/overview", lambda now: now["status"] == "running")
            fcntl.flock(lock, fcntl.LOCK_UN)
            await until(client, address, "api/overview", lambda now: now["status"] == "complete")


async def test_what_the_run_forgets_is_not_found_any_more(
    client: aiohttp.ClientSession, address: str, copy: Path
) -> None:
    def total(count: int) -> Callable[[dict[str, object]], bool]:
        return lambda found: found["total"] == count

    await indexed(client, address)
    assert (await get(client, address, "api/examples?q=%222+apples%22&seed=s2"))["total"]
    gone = await asyncio.to_thread(forget, copy, "s2")
    left = 20 - len(gone.accepted + gone.rejected)
    await until(client, address, "api/examples?gate=forgotten", total(20 - left))
    assert (await get(client, address, "api/examples?q=%222+apples%22"))["total"] == 0
    await until(client, address, "api/examples", total(20))
    assert (await get(client, address, "api/overview"))["accepted"] == 16 - len(gone.accepted)


async def test_a_number_is_one_in_plain_digits(client: aiohttp.ClientSession, address: str) -> None:
    for first in ("²", "٣", "-1", "x"):
        async with client.get(address + "api/examples", params={"first": first}) as response:
            assert response.status == 400
            assert "whole number" in (await response.json())["message"]


async def test_it_changes_nothing_but_marks(client: aiohttp.ClientSession, copy: Path) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    async with viewing(copy) as address:
        await indexed(client, address)
        for path in ("api/pictures", "api/facets", "api/examples", "api/examples/raw-000001/neighbours"):
            await get(client, address, path)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


async def test_every_answer_says_what_a_browser_may_do(client: aiohttp.ClientSession, address: str) -> None:
    wrong = address.replace(urlsplit(address).path, "/wrong/")
    for url in (address, address + "assets/app.js", address + "api/overview", address + "nowhere", wrong):
        async with client.get(url) as response:
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"


async def test_who_has_not_the_token_is_refused(address: str) -> None:
    token = urlsplit(address).path.strip("/")
    for path in ("/", "/api/overview", f"/{token[:-1]}/", f"/{token}x/", f"//{token}/", "/%00/", "/%e9/"):
        assert await status(address, "GET", path) == 403, path


async def test_other_hosts_are_refused(address: str) -> None:
    path, port = urlsplit(address).path, urlsplit(address).port
    assert await status(address, "GET", path, host=f"127.0.0.1:{port}") == 200
    assert await status(address, "GET", path, host=f"localhost:{port}") == 200
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.evil.example:{port}", ""):
        assert await status(address, "GET", path, host=host) == 403, host


async def test_path_tricks_find_nothing(address: str, copy: Path) -> None:
    root = urlsplit(address).path
    for trick in (
        "../run.sqlite",
        "assets/../../run.sqlite",
        "assets/..%2f..%2fserver.py",
        "assets/%2e%2e/server.py",
        "assets//etc/passwd",
        "assets/%2fetc%2fpasswd",
        f"assets/{copy}/run.sqlite",
        "assets/FONTS.txt",
        "assets/",
        "run.sqlite",
        "api/examples/..%2f..%2frun.sqlite/calls/x",
    ):
        assert await status(address, "GET", (root + trick).replace(" ", "%20").replace('"', "%22")) in {400, 403, 404}


async def test_marks_come_only_from_the_page_and_only_as_marks(address: str, copy: Path) -> None:
    path, port = urlsplit(address).path + "api/marks", urlsplit(address).port
    good = orjson.dumps({"id": "raw-000001", "mark": "good"}).decode()

    async def post(body: str, **headers: str) -> int:
        return await status(address, "POST", path, body, **({"Content_Type": "application/json"} | headers))

    assert await post(good, Origin="https://evil.example") == 403
    assert await post(good, Origin="null") == 403
    assert await post(good, Content_Type="text/plain") == 415
    for bad in (
        "",
        "[]",
        '{"id": "raw-000001"}',
        '{"id": "nobody", "mark": "good"}',
        '{"id": "raw-000001", "mark": "x"}',
    ):
        assert await post(bad) == 400, bad
    assert await post('{"id": "' + "x" * 10_000 + '", "mark": "good"}') == 413
    assert read_marks(copy) == {}
    assert await post(good, Origin=f"http://127.0.0.1:{port}") == 200
    assert await status(address, "DELETE", path) in {405, 415}


async def test_it_listens_on_this_machine_and_says_when_a_port_is_taken(address: str, copy: Path) -> None:
    place = urlsplit(address)
    assert place.hostname == "127.0.0.1"
    assert place.port is not None
    with pytest.raises(UsageError, match=f"port {place.port} is taken"):
        async with viewing(copy, place.port):
            pass


async def test_a_stream_tells_of_news(client: aiohttp.ClientSession, address: str) -> None:
    await indexed(client, address)
    async with client.get(address + "api/events") as response:
        assert response.content_type == "text/event-stream"
        first = await response.content.readuntil(b"\n\n")
        async with client.post(address + "api/marks", json={"id": "raw-000002", "mark": "bad"}):
            pass
        while (second := await response.content.readuntil(b"\n\n")).startswith(b":"):
            pass
    assert int(second.removeprefix(b"data: ")) > int(first.removeprefix(b"data: "))


async def test_where_there_is_no_run_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no run"):
        async with viewing(tmp_path):
            pass
