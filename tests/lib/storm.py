"""Many requests over many connections at once."""
import asyncio
import json


async def _client(port, requests, answers):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path, body in requests:
        writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        content = await reader.readexactly(int(headers["content-length"]))
        answers.append((int(status.split()[1]), headers, json.loads(content)))
    writer.close()


async def _storm(port, path, bodies, connections):
    answers = []
    requests = ((path, json.dumps(body).encode()) for body in bodies)
    await asyncio.gather(*(_client(port, requests, answers) for _ in range(connections)))
    return answers


def storm(server, path, bodies, connections=200, seconds=60):
    """POSTs every body, over so many connections in parallel; (status, headers, json) of each, as they came."""
    return asyncio.run(asyncio.wait_for(_storm(server.port, path, bodies, connections), seconds))
