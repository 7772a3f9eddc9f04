"""What must hold of a database of jobs at every moment, and at the end. Each query names the rows that break a rule."""

MAX_CRASHES = 5

# Whatever the process was doing when it died.
ALWAYS = {
    "a job is in no known state": "SELECT id FROM job WHERE state NOT IN (0,1,2,3,4,5,10,11,12,13)",
    "a ready job has a moment or a lease": "SELECT id FROM job WHERE state = 0 AND (run_at NOT NULL OR lease_until NOT NULL)",
    "a delayed job has no moment, or a lease": "SELECT id FROM job WHERE state = 1 AND (run_at IS NULL OR lease_until NOT NULL)",
    "a leased job has no lease, or a moment":
        "SELECT id FROM job WHERE state = 2 AND (lease_until IS NULL OR run_at NOT NULL OR fence = 0)",
    "a job that cannot run has a moment or a lease":
        "SELECT id FROM job WHERE state IN (3,4,5) AND (run_at NOT NULL OR lease_until NOT NULL)",
    "a final job is still on its way":
        "SELECT id FROM job WHERE state >= 10 AND (finished_at IS NULL OR run_at NOT NULL OR lease_until NOT NULL OR flies)",
    "a live job has an end": "SELECT id FROM job WHERE state < 10 AND finished_at NOT NULL",
    "a live job does not hold its key": "SELECT id FROM job WHERE state IN (0,1,2,3) AND cache_key <> '' AND NOT flies",
    "several live jobs make one answer":
        "SELECT group_concat(id) FROM job WHERE state IN (0,1,2,3) AND cache_key <> '' GROUP BY cache_key HAVING count(*) > 1",
    "a follower has nobody to follow":
        "SELECT f.id FROM job f LEFT JOIN job l ON l.flies AND l.state < 5 AND l.cache_key = f.cache_key"
        " WHERE f.state = 4 AND l.seq IS NULL",
    "an item waits for no open batch":
        "SELECT i.id FROM job i LEFT JOIN job b ON b.seq = i.parent AND b.state = 5 WHERE i.state IN (3,4) AND b.seq IS NULL",
    "an open batch miscounts":
        "SELECT id FROM job b WHERE state = 5 AND"
        " (done, failed, busy, total) <> (SELECT total(state IN (10,13)), total(state IN (11,12)), total(state IN (0,1,2)), count(*)"
        " FROM job WHERE parent = b.seq)",
    "an open batch has nothing left to do": "SELECT id FROM job WHERE state = 5 AND done + failed >= total",
    "an open batch has room for an item it holds back":
        "SELECT id FROM job b WHERE state = 5 AND busy < cap AND EXISTS (SELECT 1 FROM job WHERE parent = b.seq AND state = 3)",
    # Items that clients of their own wait for run beside the batch's own.
    "an open batch is wider than it may be":
        "SELECT id FROM job b WHERE state = 5 AND cap < (SELECT total(state IN (0,1,2) AND lane = 1 AND wanted_by = 1)"
        " FROM job WHERE parent = b.seq)",
    "a finished batch miscounts":
        "SELECT id FROM job b WHERE state = 10 AND total > 0 AND (done, failed, busy, total) <>"
        " (SELECT total(state IN (10,13)), total(state IN (11,12)), 0, count(*) FROM job WHERE parent = b.seq)",
    "a final batch waits for items":
        "SELECT id FROM job b WHERE state >= 10 AND total > 0 AND (busy <> 0 OR"
        " EXISTS (SELECT 1 FROM job WHERE parent = b.seq AND state < 10))",
    "a job crashed too often": f"SELECT id FROM job WHERE crashes > {MAX_CRASHES} OR (crashes = {MAX_CRASHES} AND state < 10)",
    "a live job lost its request":
        "SELECT id FROM job WHERE state < 5 AND total = 0 AND seq NOT IN (SELECT seq FROM request)",
    "a job ended without a word":
        "SELECT id FROM job LEFT JOIN outcome USING (seq) WHERE state IN (10,11,13) AND total = 0 AND"
        " (meta IS NULL OR meta = '' OR (state IN (10,13) AND result = ''))",
    "an answer that is none was cached": "SELECT key FROM cache WHERE CAST(meta AS TEXT) ->> 'fallback' IS NOT 0",
    "a cached answer is not its job's":
        "SELECT c.job_id FROM cache c JOIN job j ON j.id = c.job_id LEFT JOIN outcome o USING (seq)"
        " WHERE j.state <> 10 OR o.result IS NOT c.result",
}

# Once nothing is left to do.
AT_THE_END = {"a job never ended": "SELECT id FROM job WHERE state < 10"}


def broken(db, *rules):
    """Sentences, one for each rule that does not hold."""
    found = []
    for finding in (r[0] for r in db.execute("PRAGMA integrity_check")):
        if finding != "ok":
            found.append(f"the file is damaged: {finding}")
    for row in db.execute("PRAGMA foreign_key_check"):
        found.append(f"a row of {row[0]} hangs on nothing")
    for sentence, query in (pair for group in rules for pair in group.items()):
        ids = [row[0] for row in db.execute(query)]
        if ids:
            found.append(f"{sentence}: {len(ids)}, such as {ids[0]}")
    return found


def least_leases(fence, attempts, state, gave_up):
    """How often a job was leased at least, which the fence counts. `gave_up`: it crashed too often.

    An attempt is a lease given back, and so is the end, but for one cancelled before it ran; a job that only waits is
    given back without either."""
    return attempts + (0 if gave_up or fence == 0 or state == 12 else 1)
