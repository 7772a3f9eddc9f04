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

// A member that is an object, in the object the writer is in.
template <class Put>
void putObject(json::Writer& w, std::string_view key, const Put& put) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.StartObject();
    put(w);
    w.EndObject();
}

// A member that is an array; `put` gets the writer and each item, and puts one value.
template <class Items, class Put>
void putArray(json::Writer& w, std::string_view key, const Items& items, const Put& put) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.StartArray();
    for (const auto& item : items) put(w, item);
    w.EndArray();
}

inline void putTexts(json::Writer& w, std::string_view key, const std::vector<std::string>& texts) {
    putArray(w, key, texts, [](json::Writer& to, const std::string& text) {
        to.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
    });
}

}  // namespace stepper::api
