// JSON on RapidJSON: one strict parser with limits, and the reads and writes everybody needs.
// Documents are not shared between threads while they are written; reading a const Value is safe.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "core/base/result.h"

namespace stepper::json {

// RapidJSON uses what its allocators return without a look; one that has nothing to return throws
// std::bad_alloc instead. All memory of RapidJSON's comes from here.
struct Memory {
    static const bool kNeedFree = true;
    static void* Malloc(size_t size) { return size == 0 ? nullptr : had(std::malloc(size)); }
    static void* Realloc(void* old, size_t, size_t size) {
        if (size > 0) return had(std::realloc(old, size));
        std::free(old);
        return nullptr;
    }
    static void Free(void* old) { std::free(old); }

private:
    static void* had(void* memory) {
        if (!memory) throw std::bad_alloc();
        return memory;
    }
};

// RapidJSON's own chunk is 64 KiB; most documents need one, and thousands live at once.
struct Allocator : rapidjson::MemoryPoolAllocator<Memory> {
    Allocator() : MemoryPoolAllocator(2048) {}
};
using Document = rapidjson::GenericDocument<rapidjson::UTF8<>, Allocator, Memory>;
using Value = Document::ValueType;
using Buffer = rapidjson::GenericStringBuffer<rapidjson::UTF8<>, Memory>;
using Writer = rapidjson::Writer<Buffer, rapidjson::UTF8<>, rapidjson::UTF8<>, Memory>;

struct ParseLimits {
    size_t max_depth = 64;
    size_t max_nodes = 100'000;
    bool reject_duplicate_keys = false;
    bool any_magnitude = false;  // a number beyond double counts as the largest double instead of as an error
};

// One RFC 8259 text, nothing after it, valid UTF-8. InvalidRequest with the byte offset otherwise.
Result<Document> parse(std::string_view text, const ParseLimits& limits = {});

std::string dump(const Value& v);
std::string dumpPretty(const Value& v);

// The member, or nullptr when v is no object or lacks it.
const Value* find(const Value& v, std::string_view key);
// The value at an RFC 6901 pointer ("/choices/0/message"), or nullptr. "" is v itself.
const Value* at(const Value& v, std::string_view pointer);

// The member if it has that type.
std::optional<std::string_view> string(const Value& v, std::string_view key);
std::optional<double> number(const Value& v, std::string_view key);
std::optional<int64_t> integer(const Value& v, std::string_view key);
std::optional<bool> boolean(const Value& v, std::string_view key);

inline std::string_view view(const Value& v) { return {v.GetString(), v.GetStringLength()}; }
inline Value text(std::string_view s, Allocator& a) {
    return Value(s.empty() ? "" : s.data(), static_cast<rapidjson::SizeType>(s.size()), a);  // {} has no data
}
inline void set(Value& object, std::string_view key, Value value, Allocator& a) {
    object.AddMember(text(key, a), value, a);
}
inline void set(Value& object, std::string_view key, std::string_view value, Allocator& a) {
    object.AddMember(text(key, a), text(value, a), a);
}

// Members of the object a Writer is in. Several names, because a literal would rather become a bool than a
// view.
inline void put(Writer& w, std::string_view key, std::string_view value) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
inline void putInt(Writer& w, std::string_view key, int64_t value) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.Int64(value);
}
inline void putBool(Writer& w, std::string_view key, bool value) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.Bool(value);
}
// `json_text` is one JSON text and is not looked at.
inline void putRaw(Writer& w, std::string_view key, std::string_view json_text) {
    w.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    w.RawValue(json_text.data(), json_text.size(), rapidjson::kNullType);  // RapidJSON does not use the type
}

}  // namespace stepper::json
