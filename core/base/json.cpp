#include "core/base/json.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>
#include <vector>

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/pointer.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/reader.h>

#include "core/base/text.h"

namespace stepper::json {
namespace {

constexpr double kLargest = std::numeric_limits<double>::max();

bool isNumber(std::string_view s) {
    const auto digits = [&] {
        const size_t n = std::min(s.find_first_not_of("0123456789"), s.size());
        s.remove_prefix(n);
        return n;
    };
    if (s.starts_with('-')) s.remove_prefix(1);
    const bool zero = s.starts_with('0');
    const size_t whole = digits();
    if (whole == 0 || (zero && whole > 1)) return false;
    if (s.starts_with('.') && (s.remove_prefix(1), digits() == 0)) return false;
    if (!s.starts_with('e') && !s.starts_with('E')) return s.empty();
    s.remove_prefix(1);
    if (s.starts_with('+') || s.starts_with('-')) s.remove_prefix(1);
    return digits() > 0 && s.empty();
}

std::string shortest(double d) {
    std::array<char, 32> out;
    return {out.data(), std::to_chars(out.data(), out.data() + out.size(), d).ptr};
}

// RapidJSON refuses numbers beyond double before it shows them. The same text with what it takes in
// their place.
std::string withinDouble(std::string_view text) {
    std::string out;
    bool quoted = false;
    for (size_t at = 0; at < text.size();) {
        const size_t end = quoted ? at : std::min(text.find_first_not_of("-+.0123456789eE", at), text.size());
        if (end == at) {
            if (quoted && text[at] == '\\' && at + 1 < text.size())
                out += text[at++];
            else if (text[at] == '"')
                quoted = !quoted;
            out += text[at++];
            continue;
        }
        const std::string token(text.substr(at, end - at));
        const double d = isNumber(token) ? std::strtod(token.c_str(), nullptr) : 0;
        if (!std::isfinite(d))
            out += shortest(std::copysign(kLargest, d));
        else
            // It also refuses an exponent beyond double whose number is not: "0e400".
            out += isNumber(token) && token.find_first_of("eE") != token.npos ? shortest(d) : token;
        at = end;
    }
    return out;
}

// Checks limits while the text streams by; RapidJSON's iterative parser keeps the stack flat at any depth.
class LimitHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, LimitHandler> {
public:
    LimitHandler(Document& out, const ParseLimits& limits) : out_(out), limits_(limits) {}

    const char* violation() const { return violation_; }

    bool Null() { return count() && out_.Null(); }
    bool Bool(bool b) { return count() && out_.Bool(b); }
    // RapidJSON's own exact conversion trips over "0e100" (it counts the leading zeros of zero).
    bool RawNumber(const char* s, rapidjson::SizeType n, bool) { return count() && number({s, n}); }
    bool String(const char* s, rapidjson::SizeType n, bool) {
        return count() && wellFormed({s, n}) && out_.String(s, n, true);
    }
    bool Key(const char* s, rapidjson::SizeType n, bool) {
        if (!wellFormed({s, n})) return false;
        if (limits_.reject_duplicate_keys && !keys_.back().insert(std::string(s, n)).second)
            return refuse("duplicate object key");
        return out_.Key(s, n, true);
    }
    bool StartObject() {
        if (limits_.reject_duplicate_keys) keys_.emplace_back();
        return count() && deeper() && out_.StartObject();
    }
    bool EndObject(rapidjson::SizeType n) {
        if (limits_.reject_duplicate_keys) keys_.pop_back();
        --depth_;
        return out_.EndObject(n);
    }
    bool StartArray() { return count() && deeper() && out_.StartArray(); }
    bool EndArray(rapidjson::SizeType n) {
        --depth_;
        return out_.EndArray(n);
    }

private:
    bool refuse(const char* why) {
        violation_ = why;
        return false;
    }
    // RapidJSON checks the text's UTF-8 but lets "\\ude00" through, half of a pair, which is no character.
    bool wellFormed(std::string_view s) {
        constexpr char kSurrogateLead = '\xED';
        return s.find(kSurrogateLead) == std::string_view::npos || isValidUtf8(s) ||
               refuse("half a surrogate pair");
    }
    bool count() { return ++nodes_ <= limits_.max_nodes || refuse("too many values"); }
    bool number(std::string_view s) {
        int64_t i = 0;
        uint64_t u = 0;
        double d = 0;
        if (whole(s, i)) return out_.Int64(i);
        if (whole(s, u)) return out_.Uint64(u);
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), d);
        // Out of range either way; only strtod says which.
        if (error == std::errc::result_out_of_range) d = std::strtod(std::string(s).c_str(), nullptr);
        if (!std::isfinite(d) && limits_.any_magnitude) return out_.Double(std::copysign(kLargest, d));
        return std::isfinite(d) ? out_.Double(d) : refuse("number too large");
    }
    template <class T>
    static bool whole(std::string_view s, T& out) {
        const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), out);
        return error == std::errc{} && end == s.data() + s.size();
    }
    bool deeper() { return ++depth_ <= limits_.max_depth || refuse("nested too deeply"); }

    Document& out_;
    const ParseLimits& limits_;
    size_t nodes_ = 0, depth_ = 0;
    const char* violation_ = nullptr;
    std::vector<std::set<std::string>> keys_;  // not hashed: strangers choose them
};

}  // namespace

Result<Document> parse(std::string_view text, const ParseLimits& limits) {
    rapidjson::MemoryStream stream(text.data(), text.size());
    rapidjson::GenericReader<rapidjson::UTF8<>, rapidjson::UTF8<>, Memory> reader;
    Document out;
    const char* violation = nullptr;
    rapidjson::ParseResult outcome;
    auto generate = [&](Document& d) {
        LimitHandler handler(d, limits);
        constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag |
                                    rapidjson::kParseNumbersAsStringsFlag;
        outcome = reader.Parse<kFlags>(stream, handler);
        violation = handler.violation();
        return !outcome.IsError();
    };
    out.Populate(generate);
    // RapidJSON takes a NUL for the end of the text.
    if (!outcome.IsError() && stream.Tell() != text.size())
        return Error{ErrorClass::InvalidRequest,
                     "invalid JSON at byte " + std::to_string(stream.Tell()) + ": unexpected NUL"};
    if (limits.any_magnitude && outcome.Code() == rapidjson::kParseErrorNumberTooBig) {
        ParseLimits strict = limits;
        strict.any_magnitude = false;
        return parse(withinDouble(text), strict);
    }
    if (outcome.IsError()) {
        std::string why = violation ? violation : rapidjson::GetParseError_En(outcome.Code());
        return Error{ErrorClass::InvalidRequest,
                     "invalid JSON at byte " + std::to_string(outcome.Offset()) + ": " + why};
    }
    return out;
}

std::string dump(const Value& v) {
    Buffer out;
    Writer writer(out);
    v.Accept(writer);
    return {out.GetString(), out.GetSize()};
}

std::string dumpPretty(const Value& v) {
    Buffer out;
    rapidjson::PrettyWriter<Buffer, rapidjson::UTF8<>, rapidjson::UTF8<>, Memory> writer(out);
    writer.SetIndent(' ', 2);
    v.Accept(writer);
    return {out.GetString(), out.GetSize()};
}

const Value* find(const Value& v, std::string_view key) {
    if (!v.IsObject()) return nullptr;
    const Value name(rapidjson::StringRef(key.data(), key.size()));
    const auto it = v.FindMember(name);
    return it == v.MemberEnd() ? nullptr : &it->value;
}

const Value* at(const Value& v, std::string_view pointer) {
    const rapidjson::GenericPointer<Value, Memory> p(pointer.data(), pointer.size());
    return p.IsValid() ? p.Get(v) : nullptr;
}

std::optional<std::string_view> string(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsString() ? std::optional(view(*m)) : std::nullopt;
}

std::optional<double> number(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsNumber() ? std::optional(m->GetDouble()) : std::nullopt;
}

std::optional<int64_t> integer(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsInt64() ? std::optional(m->GetInt64()) : std::nullopt;
}

std::optional<bool> boolean(const Value& v, std::string_view key) {
    const Value* m = find(v, key);
    return m && m->IsBool() ? std::optional(m->GetBool()) : std::nullopt;
}

}  // namespace stepper::json
