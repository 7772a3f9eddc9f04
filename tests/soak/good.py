"""Clients that mean well: they ask, wait for their jobs, look around, and change the configuration. Each is a function that does
one thing and tells the record what came of it."""
import time

from lib import Connection, echo
from world import BROKEN_ONLY

FINAL = ("completed", "failed", "cancelled")
JOB_SECONDS = 120
# Nobody could be asked in time, or everybody refused: what a request gets whose providers all fail.
ALL_FAILED = (200, 429)


def token_of(chance):
    return f"t-{chance.getrandbits(64):x}"


def ask(world, record, chance):
    token = token_of(chance)
    filler = chance.choices((0, 1000, 50_000, 500_000), (60, 30, 9, 1))[0]
    answer = world.call("POST", "/v1/generate/immediate", {"prompt": echo(token, filler)})
    if record.answer("immediate", answer.status, (200,)):
        body = answer.json
        if not body["metadata"]["fallback"] and body["data"] != {"echo": token}:
            record.problem("immediate", f"{token} was answered {body['data']!r}")


def ask_over_one_connection(world, record, chance):
    connection = Connection(world.port, 60)
    for _ in range(20):
        answer = connection.ask("POST", "/v1/generate/immediate", {"prompt": echo(token_of(chance))})
        record.answer("kept connection", answer.status, (200,))
    connection.close()


def ask_those_who_fail(world, record, chance):
    answer = world.call("POST", "/v1/generate/immediate", {"prompt": echo(token_of(chance)), "excludeProviders": BROKEN_ONLY})
    record.answer("failing providers", answer.status, ALL_FAILED)


def ask_a_plugin(world, record, _):
    answer = world.call("POST", "/v1/generate/immediate",
                        {"prompt": "in earnest", "responseMode": "text", "preferredProviders": ["plugged"]})
    if record.answer("replaced plugin", answer.status, (200,)) and answer.json["data"] not in ("A", "B"):
        record.problem("replaced plugin", f"answered {answer.json['data']!r}")


def follow(world, record, kind, job_id):
    """The job as it ended; None, and a problem, when it never did."""
    until = time.monotonic() + JOB_SECONDS
    while time.monotonic() < until:
        answer = world.call("GET", f"/v1/jobs/{job_id}?wait=5")
        if not record.answer(f"{kind}: poll", answer.status, (200,)):
            return None
        if answer.json["status"] in FINAL:
            record.finished_job()
            return answer.json
    record.problem(kind, f"job {job_id} did not end within {JOB_SECONDS} s")
    return None


def job(world, record, chance):
    token = token_of(chance)
    answer = world.call("POST", "/v1/generate", {"prompt": echo(token)})
    if record.answer("job", answer.status, (202,)):
        ended = follow(world, record, "job", answer.json["jobId"])
        if ended and (ended["status"] != "completed" or ended["data"]["result"] != {"echo": token}):
            record.problem("job", f"{token} ended as {ended}")


def job_with_events(world, record, chance):
    answer = world.call("POST", "/v1/generate", {"prompt": echo(token_of(chance))})
    if record.answer("job", answer.status, (202,)):
        events = world.call("GET", f"/v1/jobs/{answer.json['jobId']}/events")
        if record.answer("job: events", events.status, (200,)) and b"event: result" not in events.raw:
            record.problem("job: events", f"ended without a result: {events.raw[-200:]!r}")
        follow(world, record, "job", answer.json["jobId"])


def shared_job(world, record, chance):
    """Many ask for the same: cached, joined or made again."""
    answer = world.call("POST", "/v1/generate", {"prompt": echo(f"shared-{chance.randrange(20)}")})
    if record.answer("shared job", answer.status, (200, 202)) and answer.status == 202:
        follow(world, record, "shared job", answer.json["jobId"])


def batch(world, record, chance):
    tokens = [token_of(chance) for _ in range(chance.randint(2, 20))]
    answer = world.call("POST", "/v1/generate/batch", {"items": [{"id": t, "request": {"prompt": echo(t)}} for t in tokens]})
    if record.answer("batch", answer.status, (202,)):
        ended = follow(world, record, "batch", answer.json["jobId"])
        if ended and [(i["id"], i.get("data")) for i in ended["data"]["items"]] != [(t, {"echo": t}) for t in tokens]:
            record.problem("batch", f"ended as {str(ended)[:500]}")


def look_around(world, record, _):
    for path in ("/health", "/metrics", "/v1/providers", "/v1/usage?days=7", "/v1/plan?jobs=50", "/v1/jobs?limit=100", "/"):
        record.answer("look", world.call("GET", path).status, (200,))


def edit(world, record, chance):
    world.put_providers(chance.randint(32, 64))
    record.answer("reload of YAML", world.admin("POST", "/admin/reload").status, (200,))


def edit_wrongly(world, record, _):
    world.break_providers()
    record.answer("reload of broken YAML", world.admin("POST", "/admin/reload").status, (422,))
    world.put_providers(64)


def replace_plugin(world, record, chance):
    world.put_plugin(chance.choice("ab"))
    record.answer("reload of a plugin", world.admin("POST", "/admin/reload").status, (200,))


def reload(world, record, chance):
    chance.choice((edit, edit_wrongly, replace_plugin))(world, record, chance)
