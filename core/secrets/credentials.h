// Credentials known by where they stand: in URLs, headers, command lines, netrc files, SQL; and key blocks.
#pragma once
#include "core/secrets/match.h"

namespace stepper::secrets {

// The password of scheme://user:password@host, for the "://" at text[at].
std::optional<Secret> urlPassword(std::string_view text, size_t at);

// "Bearer abc..." anywhere, "Basic abc..." and other schemes after Authorization. Only the credentials.
std::optional<Secret> bearerOrBasic(std::string_view text, size_t at);
// What the ':' or '=' at text[op] gives to an Authorization of another scheme, or of none.
std::optional<Secret> authorization(std::string_view text, size_t op);

// The user:password or password behind an option of a known program: curl -u, sshpass -p, mysql -p.
std::optional<Secret> commandPassword(std::string_view text, size_t begin, size_t end);

// "login me password abc" of netrc, "IDENTIFIED BY 'abc'" and "PASSWORD 'abc'" of SQL, for the word
// text[begin, end).
std::optional<Secret> spokenPassword(std::string_view text, size_t begin, size_t end);

// A private key block that begins at text[at], or what is left of one.
std::optional<Secret> privateKey(std::string_view text, size_t at);

}  // namespace stepper::secrets
