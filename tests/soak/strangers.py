"""Clients that mean harm or do not care: they send nonsense, leave in the middle, or never read. One function does one thing."""
import json
import socket
import struct
import time

from good import token_of
from lib import connect, echo, raw_get, raw_post

REFUSED = (400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 422, 431, 501, 505)
CLOSED = 0  # no answer, which nonsense may get
READERS, READER_SECONDS = 12, 4.0
LARGE_ITEMS, LARGE_BYTES = 20, 50_000


def status_of(world, request):
    """Of the first answer to these bytes."""
    seen = b""
    with connect(world.port) as client:
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before it was all there: the answer may be
        try:
            while b"\r\n" not in seen and (piece := client.recv(4096)):
                seen += piece
        except ConnectionError:
            pass
    return int(seen.split()[1]) if seen.startswith(b"HTTP/1.") else CLOSED


def malformed(chance):
    noise = chance.randbytes(chance.randint(1, 2000))
    return chance.choice((
        noise,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: \0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/generate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        raw_post("{}", length="-1"),
        raw_post("{}", length=50),
    ))


def wrong(chance):
    return chance.choice((
        raw_post("{"), raw_post(""), raw_post("[]"), raw_post("{}"), raw_post(b"\xff\xfe"), raw_post('{"prompt": 7}'), raw_post('{"prompt": ""}'),
        raw_post('{"prompt":"x","strict":true,"unknown":1}'), raw_post("[" * 5000), raw_post('{"prompt":"x","outputSchema":[]}'),
        raw_post('{"items":[]}', "/v1/generate/batch"), raw_post("{}", "/nowhere"), raw_get("/v1/jobs/nobody"), raw_get("/v1/jobs?limit=-1"),
        raw_get("/v1/generate"), raw_get("/admin/config"), raw_get("/%zz"), b"DELETE /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
        raw_post("{}").replace(b"application/json", b"text/plain"),
    ))


def huge(chance):
    return chance.choice((
        raw_post(b'{"prompt":"' + b"x" * (11 << 20) + b'"}'),
        raw_post("{}", length=1 << 40),
        raw_get("/", "A: " + "x" * 200_000 + "\r\n"),
        raw_get("/", "".join(f"A{n}: x\r\n" for n in range(5000))),
        raw_get("/" + "x" * 100_000),
        raw_post('{"prompt":"x",' + ",".join(f'"m{n}":{n}' for n in range(5000)) + ',"strict":true}'),
    ))


def send_malformed(world, record, chance):
    record.answer("malformed", status_of(world, malformed(chance)), (*REFUSED, CLOSED))


def send_wrong(world, record, chance):
    record.answer("wrong", status_of(world, wrong(chance)), REFUSED)


def send_huge(world, record, chance):
    record.answer("huge", status_of(world, huge(chance)), (*REFUSED, CLOSED))


def cut(client):
    """The other side sees a reset instead of an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def leave(world, record, chance):
    request = raw_post(json.dumps({"prompt": echo(token_of(chance), chance.choice((0, 50_000)))}))
    client = connect(world.port)
    moment = chance.choice(("mid-request", "before the answer", "mid-answer", "waiting for a job"))
    if moment == "mid-request":
        client.sendall(request[:chance.randrange(len(request))])
    elif moment == "before the answer":
        client.sendall(request)
    elif moment == "mid-answer":
        client.sendall(raw_get("/metrics"))
        client.recv(10)
    else:
        made = world.call("POST", "/v1/generate", {"prompt": echo(token_of(chance))})
        if record.answer("job of one who leaves", made.status, (202,)):
            client.sendall(raw_get(f"/v1/jobs/{made.json['jobId']}" + chance.choice(("?wait=30", "/events"))))
    time.sleep(chance.choice((0, 0.02, 0.2)))
    (cut if chance.random() < 0.5 else socket.socket.close)(client)
    record.answer("left", moment, (moment,))


def never_read(world, record, chance):
    items = [{"id": str(n), "request": {"prompt": f"{token_of(chance)} ECHO:{json.dumps({'x': 'y' * LARGE_BYTES})}:ECHO"}}
             for n in range(LARGE_ITEMS)]
    made = world.call("POST", "/v1/generate/batch", {"items": items})
    if not record.answer("large batch", made.status, (202,)):
        return
    job = f"/v1/jobs/{made.json['jobId']}"
    world.call("GET", job + "?wait=20")
    idle = []
    for n in range(READERS):
        client = connect(world.port, receive_bytes=1024)
        client.sendall(raw_get(job + ("/events" if n % 2 else "")))
        idle.append(client)
    time.sleep(READER_SECONDS)
    for client in idle:
        cut(client)
    record.answer("never read", "left", ("left",))
