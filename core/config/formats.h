// What single settings may hold that are more than a number, a choice or a text. Each reads `v` into `out`,
// or reports why it does not.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/reader.h"

namespace stepper::config::format {

// "127.0.0.1:3001", "[::1]:3001", "localhost:0"
void listen(const Value& v, Server& out);
// As in listen, but an IPv6 address needs no brackets: no port follows.
void host(const Value& v, std::string& out);
void hosts(const Value& v, std::vector<std::string>& out);
void storeUrl(const Value& v, std::string& out);
// The colon between it and the rest of a key is not part of it.
void keyPrefix(const Value& v, std::string& out);
void headerName(const Value& v, std::string& out);
void directory(const Value& v, std::filesystem::path& out);
// A mapping from file stems to one hash or a list of them.
void hashes(const Value& v, std::map<std::string, std::vector<std::string>>& out);
void origins(const Value& v, std::vector<std::string>& out);
void trustedProxies(const Value& v, TrustedProxies& out);

// The name of a provider, or the kind of a plugin.
void name(const Value& v, std::string& out);
void timeZone(const Value& v, std::string& out);
// none, direct, or http://USER:PASSWORD@HOST:PORT. The text is not shown: it may hold a password.
void proxy(const Value& v, std::optional<Secret>& out);
// Between two visits that nobody asked for; 0: none.
void pause(const Value& v, milliseconds& out);

}  // namespace stepper::config::format
