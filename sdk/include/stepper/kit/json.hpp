// stepper/kit/json.hpp - JSON as providers send it, on RapidJSON. null counts as absent everywhere.
//
// A Document belongs to one thread at a time while it is written; Value pointers into it live as long as it
// does.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rapidjson/document.h>
#include <rapidjson/error/error.h>
#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "stepper/kit/text.hpp"

namespace stepper::kit {

// RapidJSON uses what its allocators return without a look; one that has nothing to return throws
// std::bad_alloc, which becomes an error at the edge of the plugin (plugin.hpp).
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
using Pointer = rapidjson::GenericPointer<Value, Memory>;

namespace detail {

inline constexpr size_t kMaxJsonDepth = 128;

// Values are written recursively, so what nests without end must not get in.
inline bool nestsTooDeep(std::string_view s) {
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < s.size(); ++i) {
        const char c = s[i];
        if (quoted) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                quoted = false;
        } else if (c == '"')
            quoted = true;
        else if ((c == '{' || c == '[') && ++depth > kMaxJsonDepth)
            return true;
        else if ((c == '}' || c == ']') && depth > 0)
            --depth;
    }
    return false;
}

// Half of a surrogate pair, as models cut off inside an emoji send it, becomes U+FFFD.
inline std::string withoutLoneSurrogates(std::string_view s) {
    const auto surrogate = [&](size_t i, std::string_view third) {
        return i + 6 <= s.size() && s[i] == '\\' && s[i + 1] == 'u' && (s[i + 2] == 'd' || s[i + 2] == 'D') &&
               third.find(s[i + 3]) != std::string_view::npos;
    };
    constexpr std::string_view kHigh = "89aAbB", kLow = "cCdDeEfF";
    std::string out;
    out.reserve(s.size());
    for (size_t i = 0; i < s.size();) {
        size_t n = s[i] == '\\' && i + 1 < s.size() ? 2 : 1;
        const bool pair = surrogate(i, kHigh) && surrogate(i + 6, kLow);
        const bool lone = !pair && (surrogate(i, kHigh) || surrogate(i, kLow));
        if (pair) n = 12;
        if (lone) n = 6;
        out += lone ? "\\ufffd" : s.substr(i, n);
        i += n;
    }
    return out;
}

}  // namespace detail

// Tolerates a byte order mark, white space and blank lines around the text, ill-formed UTF-8 and lone
// surrogates (both become U+FFFD). HasParseError() when it still is no JSON or nests deeper than 128.
inline Document parse(std::string_view text) {
    Document doc;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    text = trim(text);
    if (detail::nestsTooDeep(text)) text = {};
    std::string repaired;
    if (contains(text, "\\ud") || contains(text, "\\uD"))
        text = repaired = detail::withoutLoneSurrogates(text);
    doc.Parse<rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
    if (doc.GetParseError() == rapidjson::kParseErrorStringInvalidEncoding) {
        const std::string valid = validUtf8(text);
        doc.Parse(valid.data(), valid.size());
    }
    return doc;
}

inline std::string dump(const Value& v) {
    using Buffer = rapidjson::GenericStringBuffer<rapidjson::UTF8<>, Memory>;
    Buffer out;
    rapidjson::Writer<Buffer, rapidjson::UTF8<>, rapidjson::UTF8<>, Memory> writer(out);
    v.Accept(writer);
    return {out.GetString(), out.GetSize()};
}

inline std::string_view view(const Value& v) { return {v.GetString(), v.GetStringLength()}; }

// The member; nullptr when v is no object, lacks it or has null there.
inline const Value* find(const Value& v, std::string_view key) {
    if (!v.IsObject()) return nullptr;
    const auto it = v.FindMember(Value(rapidjson::StringRef(key.data(), key.size())));
    return it == v.MemberEnd() || it->value.IsNull() ? nullptr : &it->value;
}

// The value at an RFC 6901 pointer ("/choices/0/message"); nullptr when there is none or null.
inline const Value* at(const Value& v, std::string_view pointer) {
    const Pointer p(pointer.data(), pointer.size());
    const Value* found = p.IsValid() ? p.Get(v) : nullptr;
    return found && found->IsNull() ? nullptr : found;
}

// Google wraps error bodies in an array: its first element, or the value itself.
inline const Value& unwrapped(const Value& v) { return v.IsArray() && !v.Empty() ? v[0] : v; }

// The member of that name if it has that type; for a string, empty otherwise.
inline std::string_view string(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsString() ? view(*m) : std::string_view{};
}
inline std::optional<double> number(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsNumber() ? std::optional(m->GetDouble()) : std::nullopt;
}
inline std::optional<int64_t> integer(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsInt64() ? std::optional(m->GetInt64()) : std::nullopt;
}
inline std::optional<bool> boolean(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsBool() ? std::optional(m->GetBool()) : std::nullopt;
}
inline const Value* object(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsObject() ? m : nullptr;
}
inline const Value* array(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsArray() ? m : nullptr;
}

// Builders. set replaces a member of the same name.
inline Value text(std::string_view s, Allocator& a) {
    return Value(s.empty() ? "" : s.data(), static_cast<rapidjson::SizeType>(s.size()), a);  // {} has no data
}
inline void remove(Value& from, std::string_view key) {
    from.RemoveMember(Value(rapidjson::StringRef(key.data(), key.size())));
}
inline void set(Value& to, std::string_view key, Value value, Allocator& a) {
    remove(to, key);
    to.AddMember(text(key, a), value, a);
}
inline void set(Value& to, std::string_view key, std::string_view value, Allocator& a) {
    set(to, key, text(value, a), a);
}
inline Value copy(const Value& v, Allocator& a) { return Value(v, a); }
// Every member of `from`, which may be null.
inline void setAll(Value& to, const Value* from, Allocator& a) {
    if (!from) return;
    for (const auto& [key, value] : from->GetObject()) set(to, view(key), copy(value, a), a);
}
inline Value newObject() { return Value(rapidjson::kObjectType); }
inline Value newArray() { return Value(rapidjson::kArrayType); }
inline Value texts(const std::vector<std::string>& list, Allocator& a) {
    Value out = newArray();
    for (const std::string& one : list) out.PushBack(text(one, a), a);
    return out;
}

}  // namespace stepper::kit
