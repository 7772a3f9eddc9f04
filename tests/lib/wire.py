"""Clients of one connection, and bytes that no client library would send."""
import http.client
import json
import socket

from .child import Answer


class Connection:
    """One kept connection to loopback; a server that closes it gets a new one with the next request."""

    def __init__(self, port, timeout=30):
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(self, method, path, body=None, headers=None):
        """`body`: bytes go as they are, anything else as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self.http.request(method, path, data, {**({} if data is None else {"Content-Type": "application/json"}), **(headers or {})})

    def response(self):
        """To what was sent; whoever wants its body reads it as it comes."""
        return self.http.getresponse()

    def ask(self, method, path, body=None, headers=None):
        self.send(method, path, body, headers)
        response = self.response()
        return Answer(response.status, response.headers, response.read())

    def close(self):
        self.http.close()


def listens(port):
    """Whether somebody does, on loopback."""
    try:
        connect(port).close()
    except ConnectionError:
        return False
    return True


def connect(port, receive_bytes=None):
    """A bare connection to loopback, with so small a buffer for what comes."""
    client = socket.socket()
    client.settimeout(30)
    if receive_bytes:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.connect(("127.0.0.1", port))
    return client


def raw_post(body, path="/v1/generate/immediate", extra="", length=None):
    """The bytes of a POST; `extra`: whole lines of its head, `length`: what it claims of its body."""
    body = body if isinstance(body, bytes) else body.encode()
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body) if length is None else length}\r\n{extra}\r\n")
    return head.encode() + body


def raw_get(path, extra=""):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n".encode()
