"""The differences that are known: what each looks like from outside. docs/migrate.md has the reasons by id."""
import re
from typing import NamedTuple


class Rule(NamedTuple):
    """A difference at a place that matches `at`, in the answer to a request whose WORLD/NAME matches `on`, with these two
    sides. All are regular expressions for the whole of it."""
    id: str
    at: str
    package: str = ".*"
    stepper: str = ".*"
    on: str = ".*"


ABSENT = "-"
CRASHED = '"Internal server error"'
BODY = r"body\..*|body"
ANSWER = r"body(\.data|\.metadata|\.status|$).*"
ATTEMPT = r"body\.(.*\.)?providersAttempted\.\d+\."

RULES = [
    # What is added to answers
    Rule("D1", r"body\.(errorCode|requestId|retryable|retryAfterSeconds|providersAttempted\..*)", ABSENT),
    Rule("D2", r"body\.(metadata|data|data\.items\.\d+\.metadata)\.(finishReason|model|cost|usage\..*)", ABSENT),
    Rule("D2", r"body\.data\.fallbacks", ABSENT),
    Rule("D3", r"body\.(metadata\.|data\.|data\.items\.\d+\.metadata\.)?warnings\.\d+", ABSENT),
    Rule("D4",
         r"body\.providers\.\d+\.(plugin|model|state|reason|inFlight|quotas.*|latency.*|consecutiveFailures|lastError\..*)",
         ABSENT),
    Rule("D4", r"body\.(store|config|jobs)\..*", ABSENT),
    Rule("D5",
         r"header\.(x-request-id|cache-control|location|retry-after|x-cache|age|x-stepper-fallback|www-authenticate|allow)",
         ABSENT),
    Rule("D6", r"header\.etag", "string", ABSENT),
    # What is refused, and how
    Rule("D6", "status", "304", "200", r"open/root if none match \*"),
    Rule("D7", "status", "500", "400|413|415"),
    Rule("D7", r"body\.error", CRASHED,
         '"(Request body|request: |The request|Missing required|Batch items|Invalid cacheKey).*"'),
    Rule("D39", "status", "20[02]", "400", "open/(.* body latin|deep)"),
    Rule("D39", "status", "404", "400", "open/get /%C0%AF"),
    Rule("D40", "status", "200", "415", "open/gzip"),
    Rule("D39", r"body\.error", ".*", '"Request body is not valid JSON.*"', "open/.* body latin"),
    Rule("D8", "status", "404", "405"),
    Rule("D8", r"header\.content-type", r"text/html.*|-", "application/json; charset=utf-8"),
    Rule("D8", "body", "a page", ABSENT),
    Rule("D8", r"body\.error", ABSENT),
    Rule("D9", "status", "20[02]", "400", "open/(now|queue) bad prompt .*|open/batch empty prompt"),
    Rule("D10", "status", "20[02]", "400", "open/((now|queue) bad (tenantId|cacheKey) .*|forget nested)"),
    Rule("D11", "status", "400", "20[02]",
         "open/(now|queue|batch) bad (prompt|responseMode|contractVersion|cacheControl|outputSchema|"
         "(preferred|exclude)Providers|concurrency) .*"),
    Rule("D11", r"body\.(error|errorCode)", ".*", ABSENT, "open/(queue|now|batch) bad .*"),
    Rule("D11", r"body\.error", '"Invalid prompt: .*', '"Missing required field: prompt"', "open/queue bad prompt 3"),
    Rule("D12", r"status", "400", "20[02]", "open/(now|queue) bad providers .*"),
    Rule("D13", r"header\.content-security-policy", "default-src 'self';.*", "default-src 'none'"),
    Rule("D13", r"header\.x-frame-options", "SAMEORIGIN", "DENY"),
    Rule("D13", r"header\.(strict-transport-security|x-download-options|x-xss-protection)", ".*", ABSENT),
    Rule("D14", "status", "400", "415", "open/content type .*"),
    Rule("D14", "status", "400", "200", "open/content type application/problem.json"),
    Rule("D14", "status", "500", "200", "open/content type .*charset=utf8"),
    Rule("D14", r"body\.error", CRASHED, ABSENT, "open/content type .*charset=utf8"),
    Rule("D14", r"body\.error", '"Missing required field: prompt"', '"The request.s body must be JSON.*"|-',
         "open/content type .*"),
    Rule("D15", "status", "202", "400", "open/queue bad outputSchema 9"),
    Rule("D15", r"body\.error", '"Invalid outputSchema.kind.*', '"Invalid outputSchema: expected object"',
         "open/queue bad outputSchema 3"),
    # What is not there
    Rule("D16", "status|body\\.error", ".*", "40[14]|.*There is nothing at this path.*|.*Unauthorized.*",
         ".*/.*completion.*"),
    Rule("D16", r"body\.endpoints\.POST /webhook/report-completion", ".*", ABSENT),
    Rule("D17", "status", "20[02]", "400", "open/(queue|now) bad callbacks .*"),
    Rule("D18", r"header\.ratelimit.*|header\.retry-after", ".*", ABSENT, "few/.*"),
    Rule("D18", "status", "429", "200", "few/.*"),
    Rule("D18", r"body\.error", '"Too many requests"', ABSENT, "few/.*"),
    # Pages of other sites, and keys
    Rule("D19", "status", "20[04]", "403", ".*/(page|preflight) of .*"),
    Rule("D19", r"header\.(access-control-.*|content-type|vary)", ".*", ".*", "open/(page|preflight) of .*"),
    Rule("D20", r"header\.vary", "Origin", ABSENT),
    Rule("D20", r"header\.access-control-allow-origin", ".*", r"\*", "any-origin/.*"),
    Rule("D20", r"header\.access-control-allow-credentials", "true", ABSENT),
    Rule("D20", r"header\.access-control-allow-methods", ".*", "GET, HEAD, POST, DELETE, OPTIONS|-"),
    Rule("D20", r"header\.access-control-allow-headers", ".*", "Accept, Authorization, .*, x-api-key|-"),
    Rule("D20", r"header\.access-control-max-age", "86400", "600|-"),
    Rule("D20", r"header\.access-control-expose-headers", ABSENT),
    Rule("D20", r"status", "204", "404", "open/options /nowhere"),
    Rule("D20", r"header\.allow", "POST", ABSENT, "bare/.*"),
    Rule("D21", r"status", "500", "200|401", "locked/.* of .*"),
    Rule("D21", r"body\.error", CRASHED, ".*", "locked/.* of .*"),
    Rule("D21", r"header\.vary", ABSENT, "Origin", "locked/.* of .*"),
    Rule("D22", r"status", "401", "200|404", ".*/bearer: .*"),
    Rule("D22", r"body\.error", '"Unauthorized"', '-|"Job not found"', ".*/bearer: .*"),
    Rule("D23", r"header\.x-powered-by", "Express", ABSENT, "bare/.*"),
    # Answers of models
    Rule("D24", ANSWER, ".*", ".*", "open/answer (array|scalar)"),
    Rule("D25", ANSWER, ".*", ".*", "open/answer empty-text"),
    Rule("D26", ANSWER, ".*", ".*", "open/queue (bad )?outputSchema .* > job"),
    Rule("D27", r"body\.data\.n", "12345678901234567000", "12345678901234567890"),
    Rule("D28", ATTEMPT + "error", '"HTTP .*', '"HTTP .*'),
    Rule("D28", ATTEMPT + "error", '"(Validation failed|Provider returned HTML).*', '"Validation failed: .*'),
    # When nobody answers
    Rule("D29", "status", "500", "429|50[23]", "(down-without-fallback|refused|limited)/.*now"),
    Rule("D29", r"body\.error", CRASHED, '"(All configured|No) provider.*"', "(down-without-fallback|refused|limited)/.*now"),
    Rule("D30", r"body\.(error|failure\.message|data\.items\.0\.failure\.message)", '"All .*',
         '"The job was not done within .*', ".* > job"),
    Rule("D30", r"body\.(data\.items\.0\.)?failure\..*", ".*", ".*", "(limited|refused)/.* > job"),
    Rule("D31", r"body\.(data|data\.result)\.(summary|changes\.\d|rationale|impact_and_tests|next_steps\.\d)", ".*", ".*",
         "down/.*report.*"),
    Rule("D32", "status", "200", "503", "refused/refused: health"),
    Rule("D32", r"body\.status", '"healthy"', '"unhealthy"', "refused/refused: providers"),
    Rule("D32", r"body\.providers\.\d\.(healthy|retryAfterSeconds)", ".*", ".*", "(refused|limited)/.*: (health|providers)"),
    # Caches, routes, texts
    Rule("D33", "status", "202", "200", "open/cache 2 hit again"),
    Rule("D33", "status", "200", "202", "delivered-once/once 1"),
    Rule("D34", "status", "404", "200", "open/get /v1/jobs/"),
    Rule("D35", "status", "200", "404", "open/get /V1/Providers"),
    Rule("D36", r"body\.version", '"1.0.0"', '"0.1.0"'),
    Rule("D36", r"body\.endpoints\..*", '".*"|-', '".*"|string'),
    Rule("D37", r"body\.(metadata\.provider|data\.usedProvider)|" + ATTEMPT + "provider", '"openai"', '"mistral"',
         "open/report (now )?preferredProviders .*"),
    Rule("D41", r'metric\.jobs_processed_total\{status="success"\}', "2.0", "3.0"),
    Rule("D41", r"metric\..*_bucket\{.*", ABSENT, "timed"),
    Rule("D38", r"header\.content-type", "text/plain; charset=utf-8", "text/plain; version=0.0.4; charset=utf-8"),
]


def matches(rule, request, difference):
    texts = (difference.where, difference.package, difference.stepper, request)
    return all(re.fullmatch(pattern, text, re.S) for pattern, text in zip(rule[1:], texts))


def is_known(request, difference):
    return any(matches(rule, request, difference) for rule in RULES)
