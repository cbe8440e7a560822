"""A gateway by HTTP that takes everything at once, as a program; its port is printed."""

from __future__ import annotations

import asyncio

from aiohttp import web


async def main() -> None:
    """Serve until killed."""
    count = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal count
        await request.read()
        count += 1
        return web.Response(body=b'{"id":"h%d"}' % count, content_type="application/json")

    app = web.Application()
    app.router.add_post("/send", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
