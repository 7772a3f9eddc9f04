"""The requests that both servers get, and the worlds they get them in: data, made of fields times values.

A world is one start of both servers: the environment that both have, and how each provider behaves. The requests of a world are
sent in this order. What the simulator answers is between ECHO: and :ECHO of a prompt, else what it always does.
"""
import gzip
import hashlib
import hmac
import json
import time
from typing import NamedTuple


class World(NamedTuple):
    environment: dict = {}
    providers: dict = {"openai": {}, "mistral": {}}  # by name, in order: how the simulator plays it
    settings: dict = {}  # of Stepper's own: lines of the page that bring the package's behaviour back


class Ask(NamedTuple):
    """`body`: text or bytes as they are, anything else as JSON. `job`: what was queued is asked for until it has ended."""
    name: str
    method: str
    path: str
    body: object = None
    headers: dict = {}
    job: bool = False
    world: str = "open"


# Jobs that nobody can serve now are over soon, as they are there.
SOON = {"queue": {"max_wait": "1s"}}
KEY = "key-of-the-migration-tests"
SECRET = "secret-of-the-migration-tests"
ORIGIN = "https://app.example"
LIMITED = {"steps": [{"status": 429, "retry_after": "1"}]}
DOWN = {"steps": [{"status": 503}]}
# One failed answer is no reason for either to look away: what breakers do is another matter.
PATIENT = {"CIRCUIT_FAILURE_THRESHOLD": "1000", "RETRY_MAX_ATTEMPTS": "1", "RATE_LIMIT_ENABLED": "false"}

WORLDS = {
    "open": World({**PATIENT, "WEBHOOK_SECRET": SECRET}),
    "locked": World({**PATIENT, "NODE_ENV": "production", "API_KEY_ENABLED": "true", "STEPPER_API_KEY": KEY,
                     "CORS_ALLOWED_ORIGINS": ORIGIN, "CORS_ALLOW_CREDENTIALS": "true"}),
    "bare": World({**PATIENT, "HELMET_ENABLED": "false", "CORS_ENABLED": "false"}),
    "all-behind-the-key": World({**PATIENT, "API_KEY_ENABLED": "true", "STEPPER_API_KEY": KEY, "API_KEY_HEADER": "x-own",
                                 "API_KEY_SKIP_HEALTH": "false"}),
    "any-origin": World({**PATIENT, "CORS_ALLOWED_ORIGINS": "*"}),
    "chain": World(PATIENT, {"groq": LIMITED, "mistral": DOWN, "openai": {}}),
    "down": World(PATIENT, {"openai": DOWN, "mistral": DOWN}, SOON),
    "down-without-fallback": World({**PATIENT, "FALLBACK_ENABLED": "false"}, {"openai": DOWN, "mistral": DOWN}, SOON),
    "limited": World(PATIENT, {"openai": LIMITED, "mistral": LIMITED}, SOON),
    "refused": World({**PATIENT, "FALLBACK_ENABLED": "false"}, {"openai": {"steps": [{"error": "auth"}]}}, SOON),
    "small-batches": World({**PATIENT, "BATCH_MAX_ITEMS": "2", "BATCH_MAX_CONCURRENCY": "3"}),
    "stale": World({**PATIENT, "CACHE_STALE_THRESHOLD": "0"}),
    "delivered-once": World(PATIENT, settings={"cache": {"delivery": {"generate": "once"}}}),
    "few": World({"CIRCUIT_FAILURE_THRESHOLD": "1000", "RETRY_MAX_ATTEMPTS": "1", "RATE_LIMIT_MAX_REQUESTS": "6",
                  "RATE_LIMIT_MAX_PER_USER": "2"}),
    "counted": World(PATIENT, {"groq": DOWN, "openai": {}}),
}

GENERATE, IMMEDIATE, BATCH = "/v1/generate", "/v1/generate/immediate", "/v1/generate/batch"
REPORTS, REPORT_NOW = "/v1/reports", "/v1/reports/immediate"
COMMIT = {"userId": "u-1", "commitSha": "abc123", "repo": "shop/catalog", "message": "Round prices to cents\n\nHalf up.",
          "files": ["src/price.ts", "src/cart.ts"], "components": ["pricing"], "diffSummary": "+ round(price)"}
SCHEMA = {"kind": "http-json", "requiredKeys": ["product", "price"],
          "properties": {"product": {"type": "string"}, "price": {"type": "number"}}}
NOWHERE = "http://127.0.0.1:9/hook"


def without(body, *names):
    return {k: v for k, v in body.items() if k not in names}


def echo(text):
    return f"ECHO:{text}:ECHO"


def nested(levels):
    """An http-json node with that many objects in each other."""
    return {"type": "object", "properties": {"in": nested(levels - 1)}} if levels else {"type": "string"}


# Of a generic request: what its fields may be, and what not.
GOOD = {
    "prompt": ["Name three uses of a queue.", {"instructions": "Name it."},
               {"instructions": "Name it.", "variables": {"a": 1}},
               {"template": "Name {{ payload.what }} of {{metadata.whose}} {{ variables.x }}", "variables": {"x": [1]}},
               {"template": "{{ payload.none }}Name it", "instructions": "Be brief."},
               {"preset": "other", "instructions": "Name it."},
               {"preset": "commit-report", "payload": COMMIT}],
    "payload": [{"text": "beans"}, "beans", [1, 2], 7, None],
    "responseMode": ["json", "text"],
    "contractVersion": ["1"],
    "cacheControl": ["default", "no-cache", "refresh"],
    "preferredProviders": [["mistral"], ["MISTRAL", "openai"], ["nobody"], []],
    "excludeProviders": [["openai"], ["OpenAI"], ["nobody"], []],
    "metadata": [{"a": {"b": 1}}],
    "tenantId": ["shop"],
    "cacheKey": ["own-identity"],
    "callbacks": [[], [{"url": NOWHERE, "headers": {"x-a": "b"}, "continueOnFailure": True,
                        "retry": {"maxAttempts": 1, "backoffMs": 100}}]],
    "outputSchema": [SCHEMA, {"kind": "http-json"}, {"kind": "http-json", "properties": {}, "allowAdditionalKeys": True},
                     {**SCHEMA, "allowAdditionalKeys": False},
                     {"kind": "http-json", "properties": {"product": {"type": "string"}}},
                     {"kind": "http-json", "properties": {"in": nested(8)}}],
    "unheardOf": [1],
}
BAD = {
    "prompt": ["", " \n", 7, None, True, [], {}, {"preset": 7}, {"template": 7}, {"instructions": []},
               {"preset": "commit-report"},
               {"preset": "commit-report", "payload": {"userId": "u"}}],
    "responseMode": ["xml", "", 7, None, "JSON"],
    "contractVersion": ["2", "", 1, None],
    "cacheControl": ["never", "", 7, None],
    "preferredProviders": ["openai", [7], [""], [" "], {}, None],
    "excludeProviders": ["openai", [7], [""], {}, ["openai", "mistral"], None],
    "providers": [[{"name": "openai"}], [{}], "openai", [], None],
    "metadata": ["text", 7, None],
    "tenantId": [7, "", "t" * 257, None],
    "cacheKey": [7, " ", "k" * 2000, None],
    "callbacks": ["x", [{"url": "no url"}], [{"url": "ftp://a.example/"}], [{}], None],
    "outputSchema": [7, None, "http-json", [], {}, {"kind": "zod"}, {**SCHEMA, "requiredKeys": "product"},
                     {**SCHEMA, "requiredKeys": [""]},
                     {**SCHEMA, "properties": 7}, {**SCHEMA, "properties": {"": {"type": "string"}}},
                     {**SCHEMA, "properties": {"a": 7}},
                     {**SCHEMA, "properties": {"a": {}}}, {**SCHEMA, "properties": {"a": {"type": "integer"}}},
                     {**SCHEMA, "properties": {"a": {"type": "string", "items": {"type": "string"}}}},
                     {**SCHEMA, "properties": {"a": {"type": "array", "minItems": -1}}},
                     {**SCHEMA, "properties": {"a": {"type": "array", "maxItems": 1.5}}},
                     {**SCHEMA, "properties": {"a": {"type": "array", "items": {"type": "none"}}}},
                     {**SCHEMA, "properties": {"a": {"type": "object", "requiredKeys": [7]}}},
                     {**SCHEMA, "properties": {"a": {"type": "object", "allowAdditionalKeys": 1}}},
                     {**SCHEMA, "allowAdditionalKeys": "no"}, {"kind": "http-json", "properties": {"in": nested(10)}}],
}
# What a model says, and under which conditions: the way from its text to the answer.
ANSWERS = {
    "object": ('{"a":1}', {}), "fenced": ("```json\n{\"a\":1}\n```", {}), "prose": ('Here: {"a":1} done', {}),
           "array": ("[1,2]", {}),
    "scalar": ("17", {}), "no-json": ("I cannot do that", {}), "empty-text": (" ", {"responseMode": "text"}),
    "text": ("Hello", {"responseMode": "text"}), "missing-key": ('{"product":"tea"}', {"outputSchema": SCHEMA}),
    "wrong-type": ('{"product":"tea","price":"9"}', {"outputSchema": SCHEMA}),
    "extra-key": ('{"product":"tea","price":9,"x":1}', {"outputSchema": {**SCHEMA, "allowAdditionalKeys": False}}),
    "too-many": ('{"l":[1,2]}', {"outputSchema": {"kind": "http-json",
                                                  "properties": {"l": {"type": "array", "maxItems": 1}}}}),
    "big-number": ('{"n":12345678901234567890}', {}), "double-key": ('{"a":1,"a":2}', {}),
           "unicode": ('{"a":"é\\u0000😀"}', {}),
    "page": ("<html>no</html>", {}),
}
# Of a commit report.
BAD_COMMIT = {
    "userId": [None, "", " ", 7, "u" * 129], "commitSha": [None, "", "c" * 65], "repo": [None, "", "r" * 256],
    "message": [None, "", "m" * 10001], "files": [None, "src", [7], ["f"] * 2001, ["f" * 2049]],
    "components": [None, "c", [7], ["c"] * 201, ["c" * 257]], "diffSummary": [None, 7, "d" * 32001],
              "template": [7, "t" * 10001, None],
    "callbackUrl": ["no url", "ftp://a.example/x", 7, None],
    "callbacks": [7, [{}], [{"url": "no url"}], [{"url": NOWHERE}] * 6,
                  [{"url": NOWHERE, "retry": {"maxAttempts": 0, "backoffMs": 100}}],
                  [{"url": NOWHERE, "retry": {"maxAttempts": 6, "backoffMs": 100}}],
                  [{"url": NOWHERE, "retry": {"maxAttempts": 1, "backoffMs": 99}}],
                  [{"url": NOWHERE, "headers": {"a": 7}}]],
}
GOOD_COMMIT = {"template": ["Be brief.", ""], "diffSummary": [""], "files": [[], ["", "a.ts"]], "components": [[]],
               "userId": [" u-2 "],
               "callbackUrl": [NOWHERE], "callbacks": [[], [{"url": NOWHERE}]], "unheardOf": [1],
               "cacheControl": ["no-cache"], "preferredProviders": [["mistral"]]}
ITEM = {"id": "a", "request": {"prompt": "Name it."}}
BAD_BATCH = {
    "items": [None, [], {}, [7], [{}], [{"id": "a"}], [without(ITEM, "id")], [{**ITEM, "id": ""}], [{**ITEM, "id": 7}],
              [{**ITEM, "id": "i" * 129}],
              [ITEM, {**ITEM, "id": " a "}], [{"id": "a", "request": 7}], [{"id": "a", "request": {}}],
              [{"id": "a", "request": {"prompt": "x", "responseMode": "xml"}}],
              [{"id": "a", "request": {"prompt": "x", "contractVersion": "2"}}],
              [{**ITEM, "id": str(n)} for n in range(101)]],
    "concurrency": [0, 6, 1.5, "2", None, -1], "tenantId": [7, "t" * 257], "requestId": [7, "r" * 257],
             "contractVersion": ["2", 1],
}


def posts(path, fields, base, tell, **more):
    """A post for each value of each field, beside what `base` has."""
    return [Ask(f"{tell} {field} {number}", "POST", path, {**base, field: value}, **more)
            for field, values in fields.items() for number, value in enumerate(values)]


def fresh(asks):
    """Each with an identity of its own, so that no cache stands between two of them."""
    def identity(ask):
        if "prompt" in ask.body:
            return {"requestId": ask.name}
        is_common = ask.body.get("commitSha") == COMMIT["commitSha"]
        return {"commitSha": hashlib.sha1(ask.name.encode()).hexdigest()} if is_common else {}
    return [ask._replace(body={**identity(ask), **without(ask.body, *identity(ask))}) for ask in asks]


def generating():
    prompt = {"prompt": "Name it."}
    yield from fresh(posts(IMMEDIATE, GOOD, prompt, "now"))
    yield from fresh(posts(GENERATE, GOOD, prompt, "queue", job=True))
    yield from fresh(posts(GENERATE, BAD, prompt, "queue bad", job=True))
    yield from fresh(posts(IMMEDIATE, {k: v[:2] for k, v in BAD.items()}, prompt, "now bad"))
    yield from fresh([Ask(f"answer {name}", "POST", IMMEDIATE, {"prompt": echo(text), **more}) for name,
                      (text, more) in ANSWERS.items()])
    yield Ask("text mode with schema", "POST", IMMEDIATE, {"prompt": "x", "responseMode": "text", "outputSchema": SCHEMA})
    for path in (GENERATE, IMMEDIATE, BATCH, REPORTS, REPORT_NOW):
        for name, body in {"nothing": None, "empty": b"", "null": "null", "array": "[]", "string": '"x"',
                           "broken": '{"prompt":', "no-fields": "{}",
                           "latin": b'{"prompt":"\xe9"}', "bom": b'\xef\xbb\xbf{"prompt":'}.items():
            yield Ask(f"{path} body {name}", "POST", path, body)


def reporting():
    yield from fresh(posts(REPORT_NOW, GOOD_COMMIT, COMMIT, "report now"))
    # The package's worker does not end a job before its webhook is delivered, or was tried for 15 s.
    yield from (ask._replace(job="callbackUrl" not in ask.body) for ask in fresh(posts(REPORTS, GOOD_COMMIT, COMMIT, "report",
                                                                                       job=True)))
    yield from fresh(posts(REPORTS, BAD_COMMIT, COMMIT, "report bad"))
    yield from (Ask(f"report without {name}", "POST", REPORTS, without(COMMIT, name)) for name in COMMIT)
    yield from (Ask(f"forget {query}", "DELETE", REPORTS + query)
                for query in ("", "?userId=u-1", "?commitSha=abc123", "?userId=u-1&commitSha=abc123",
                              "?userId=u-1&commitSha=abc123&template=x",
                              "?userId=&commitSha=abc123"))


def batching():
    base = {"items": [ITEM]}
    yield from posts(BATCH, BAD_BATCH, base, "batch bad")
    for name, body in {"one": base, "two": {"items": [ITEM, {"id": "b",
                                                             "request": {"prompt": "Name it.", "responseMode": "text"}}],
                                            "concurrency": 1},
                       "owned": {**base, "tenantId": "shop", "requestId": "r-1"},
                       "trimmed": {"items": [{**ITEM, "id": " b "}]},
                       "empty prompt": {"items": [ITEM, {"id": "e", "request": {"prompt": ""}}]},
                       "bad answer": {"items": [{"id": "n", "request": {"prompt": echo("no json")}}]}}.items():
        # Apart from what was asked before: items are found in the cache, too.
        items = [{**item, "request": {"tenantId": f"batch {name}", **item["request"]}} for item in body["items"]]
        yield Ask(f"batch {name}", "POST", BATCH, {**body, "items": items}, job=True)


def caching():
    body = {"prompt": "Name it.", "tenantId": "cache", "requestId": "c-1"}
    yield from (Ask(f"cache {n} {name}", "POST", GENERATE, {**body, **more}, job=True)
                for n, (name, more) in enumerate([("first", {}), ("hit", {}), ("hit again", {}),
                                                  ("bypassed", {"cacheControl": "no-cache"}),
                                                  ("refreshed", {"cacheControl": "refresh"}), ("hit after", {})]))
    report = {**COMMIT, "commitSha": "cached"}
    yield from (Ask(f"report cache {n}", "POST", REPORTS, report, job=job) for n, job in enumerate((True, True, True)))
    yield Ask("own identity first", "POST", GENERATE, {"prompt": "One.", "cacheKey": "mine"}, job=True)
    yield Ask("own identity hit", "POST", GENERATE, {"prompt": "Two.", "cacheKey": "mine"}, job=True)


def looking():
    for path in ("/", "/health", "/v1/providers", "/v1/jobs/unknown", "/v1/reports/unknown", "/v1/jobs/", "/v1/generate",
                 "/nowhere", "/v1/reports",
                 "/V1/Providers", "/health/", "//health", "/v1/providers?x=1"):
        yield Ask(f"get {path}", "GET", path)
    for method, path in [("HEAD", "/"), ("HEAD", "/health"), ("PUT", "/v1/generate"), ("PATCH", "/v1/jobs/x"),
                         ("DELETE", "/v1/jobs/unknown"),
                         ("POST", "/health"), ("POST", "/"), ("OPTIONS", "/v1/generate"), ("OPTIONS", "/nowhere"),
                         ("DELETE", "/v1/generate")]:
        yield Ask(f"{method.lower()} {path}", method, path)
    prompt = json.dumps({"prompt": "Name it."})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8",
                 "application/json; charset=latin1",
                 "application/json; charset=utf8", 'application/json; charset="UTF-8"', "application/json, application/json",
                 "application/problem+json", "APPLICATION/JSON", ""):
        yield Ask(f"content type {kind or 'none'}", "POST", IMMEDIATE, prompt, {"Content-Type": kind})
    yield Ask("content encoding", "POST", IMMEDIATE, prompt, {"Content-Encoding": "br"})
    yield Ask("gzip", "POST", IMMEDIATE, gzip.compress(prompt.encode(), mtime=0), {"Content-Encoding": "gzip"})
    yield Ask("identity", "POST", IMMEDIATE, prompt, {"Content-Encoding": "identity"})
    for condition in ("*", 'W/"1"'):
        yield Ask(f"if none match {condition}", "GET", "/v1/jobs/unknown", None, {"If-None-Match": condition})
        yield Ask(f"root if none match {condition}", "GET", "/", None, {"If-None-Match": condition})
    for path in ("/v1/jobs/%FF", "/v1/jobs/100%", "/v1/jobs/a%2Fb", "/v1/jobs/..%2f..%2fhealth", "/%C0%AF"):
        yield Ask(f"get {path}", "GET", path)
    yield Ask("forget twice", "DELETE", "/v1/reports?userId=a&userId=b&commitSha=c")
    yield Ask("forget nested", "DELETE", "/v1/reports?userId[x]=a&commitSha=c")
    yield Ask("forget escaped", "DELETE", "/v1/reports?userId=%C3%A9+x&commitSha=%2B")
    yield Ask("body of 9 MiB", "POST", IMMEDIATE, json.dumps({"prompt": "x", "metadata": {"a": "a" * (9 << 20)}}))
    yield Ask("body of 11 MiB", "POST", IMMEDIATE, json.dumps({"prompt": "x", "metadata": {"a": "a" * (11 << 20)}}))
    yield Ask("own request id", "GET", "/health", None, {"X-Request-ID": "mine-17"})
    yield Ask("deep", "POST", IMMEDIATE, '{"prompt":"x","metadata":' + '{"a":' * 70 + "1" + "}" * 71)
    yield Ask("prototype", "POST", IMMEDIATE, '{"prompt":"Name it.","__proto__":{"x":1},"constructor":{"prototype":{}}}')


def forwarded():
    """What is posted when a report is done, as another instance would sign it."""
    def signed(body, secret=SECRET, stamp=None, **headers):
        stamp = stamp if stamp is not None else str(int(time.time() * 1000))
        signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).hexdigest()
        return {"X-Webhook-Signature": signature, "X-Webhook-Timestamp": stamp, **headers}
    good = '{"jobId":"j-1","status":"failed","error":"no"}'
    for name, body, headers in [("good", good, signed(good)), ("unsigned", good, {}),
                                ("signature only", good, without(signed(good), "X-Webhook-Timestamp")),
                                ("wrong", good, signed(good, "other")), ("old", good, signed(good, stamp="1")),
                                ("no number", good, signed(good, stamp="x")),
                                ("short signature", good, {**signed(good), "X-Webhook-Signature": "00"}),
                                ("no status", '{"jobId":"j-1"}', signed('{"jobId":"j-1"}')), ("broken", "{", signed("{"))]:
        yield Ask(f"completion {name}", "POST", "/webhook/report-completion", body, headers)


def everywhere(world, **headers):
    """The endpoints once each."""
    for name, method, path, body in [("root", "GET", "/", None), ("health", "GET", "/health", None),
                                     ("metrics", "GET", "/metrics", None),
                                     ("providers", "GET", "/v1/providers", None), ("job", "GET", "/v1/jobs/unknown", None),
                                     ("report", "GET", "/v1/reports/unknown", None),
                                     ("forget", "DELETE", "/v1/reports?userId=u&commitSha=c", None),
                                     ("now", "POST", IMMEDIATE, {"prompt": "Name it."}),
                                     ("queue", "POST", GENERATE, {"prompt": "Name it."}),
                                     ("batch", "POST", BATCH, {"items": [ITEM]}), ("bad", "POST", GENERATE, {}),
                                     ("broken", "POST", GENERATE, "{"),
                                     ("nowhere", "GET", "/nowhere", None),
                                     ("completion", "POST", "/webhook/report-completion", {})]:
        yield Ask(f"{name}", method, path, body, headers, world=world)


def named(prefix, asks):
    return [ask._replace(name=f"{prefix} {ask.name}") for ask in asks]


def guarding():
    for world, header in (("locked", "X-Api-Key"), ("all-behind-the-key", "X-Own")):
        yield from named("no key:", everywhere(world))
        yield from named("wrong key:", list(everywhere(world, **{header: "wrong"}))[:5])
        yield from named("key:", everywhere(world, **{header: KEY}))
        yield from named("bearer:", list(everywhere(world, Authorization=f"Bearer {KEY}"))[3:5])
    for world in ("locked", "any-origin", "bare"):
        key = {"X-Api-Key": KEY} if world == "locked" else {}
        for origin in (ORIGIN, "https://other.example", "null"):
            yield Ask(f"page of {origin}", "GET", "/v1/providers", None, {"Origin": origin, **key}, world=world)
            yield Ask(f"page of {origin} without key", "GET", "/v1/providers", None, {"Origin": origin}, world=world)
            yield Ask(f"preflight of {origin}", "OPTIONS", GENERATE, None,
                      {"Origin": origin, "Access-Control-Request-Method": "POST",
                       "Access-Control-Request-Headers": "content-type,x-api-key"}, world=world)
    yield Ask("page of any site", "GET", "/v1/providers", None, {"Origin": ORIGIN})
    yield Ask("preflight of any site", "OPTIONS", GENERATE, None, {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})


def failing():
    for world in ("chain", "down", "down-without-fallback", "limited", "refused"):
        asks = [Ask("now", "POST", IMMEDIATE, {"prompt": "Name it."}),
                Ask("text now", "POST", IMMEDIATE, {"prompt": "Name it.", "responseMode": "text"}),
                Ask("report now", "POST", REPORT_NOW, COMMIT), Ask("queue", "POST", GENERATE, {"prompt": "Name it."},
                                                                   job=True),
                Ask("report", "POST", REPORTS, {**COMMIT, "commitSha": "later"}, job=True),
                Ask("batch", "POST", BATCH, {"items": [ITEM]}, job=True),
                Ask("health", "GET", "/health"), Ask("providers", "GET", "/v1/providers")]
        # A provider that said 429 is left alone by one of the two, so its world knows one request.
        yield from named(f"{world}:", [ask._replace(world=world) for ask in (asks[:1] if world == "chain" else asks)])


def limiting():
    for n in range(3):
        yield Ask(f"tenant {n}", "POST", IMMEDIATE, {"prompt": "Name it.", "tenantId": "shop"}, world="few")
    for n in range(4):
        yield Ask(f"anybody {n}", "GET", "/v1/providers", world="few")
    yield Ask("health beyond", "GET", "/health", world="few")


def counting():
    """A fixed set, and what it counted as."""
    asks = [Ask("counted now", "POST", IMMEDIATE, {"prompt": "Name it."}),
            Ask("counted text", "POST", IMMEDIATE, {"prompt": "x", "responseMode": "text"}),
            Ask("counted job", "POST", GENERATE, {"prompt": "Name it.", "requestId": "k"}, job=True),
            Ask("counted hit", "POST", GENERATE, {"prompt": "Name it.", "requestId": "k"}),
            Ask("counted report", "POST", REPORTS, COMMIT, job=True), Ask("counted batch", "POST", BATCH, {"items": [ITEM]},
                                                                          job=True),
            Ask("counted bad", "POST", GENERATE, {}), Ask("counted", "GET", "/metrics")]
    yield from (ask._replace(world="counted") for ask in asks)


def in_worlds():
    yield Ask("batch beyond", "POST", BATCH, {"items": [{**ITEM, "id": str(n)} for n in range(3)]}, world="small-batches")
    yield Ask("batch concurrency", "POST", BATCH, {"items": [ITEM], "concurrency": 4}, world="small-batches")
    yield Ask("batch default", "POST", BATCH, {"items": [ITEM]}, world="small-batches")
    yield from (Ask(f"old {n}", "POST", GENERATE, {"prompt": "Name it.", "requestId": "s"}, job=True,
                    world="stale") for n in range(2))
    yield from (Ask(f"once {n}", "POST", GENERATE, {"prompt": "Name it."}, job=True,
                    world="delivered-once") for n in range(3))
    yield Ask("bare health", "GET", "/health", world="bare")


def requests():
    """All of them; a name stands once in its world."""
    return [ask for make in (generating, reporting, batching, caching, looking, forwarded, guarding, failing, limiting,
                             counting, in_worlds) for ask in make()]
