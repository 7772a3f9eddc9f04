// JSON objects as text. Pure.
#pragma once
#include <string>

#include "core/base/json.h"
#include "core/http/http.h"

namespace stepper::api {

// `put` gets the writer and puts the members.
template <class Put>
std::string jsonObject(const Put& put) {
    json::Buffer buffer;
    json::Writer w(buffer);
    w.StartObject();
    put(w);
    w.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

template <class Put>
http::Response jsonAnswer(int status, const Put& put) {
    return http::Response::json(status, jsonObject(put));
}

// A member that is an object; `put` puts its members.
template <class Put>
void putObject(json::Writer& w, std::string_view key, const Put& put) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.StartObject();
    put();
    w.EndObject();
}

// A member that is an array; `put` puts the value of an item.
template <class Items, class Put>
void putArray(json::Writer& w, std::string_view key, const Items& items, const Put& put) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.StartArray();
    for (const auto& item : items) put(item);
    w.EndArray();
}

inline void putTexts(json::Writer& w, std::string_view key, const std::vector<std::string>& texts) {
    putArray(w, key, texts, [&](const std::string& text) {
        w.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    });
}

}  // namespace stepper::api
