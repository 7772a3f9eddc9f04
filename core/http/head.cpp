#include "core/http/head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/base/text.h"

namespace stepper::http {
namespace {

constexpr size_t kMaxRequestLine = 8u << 10;
constexpr size_t kMaxFields = 100;
constexpr size_t kMaxMethod = 32;
constexpr CharSet isHostChar(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:[]");

bool isVisible(char c) { return c > 0x20 && c < 0x7f; }
bool isFieldContent(char c) { return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f); }

Reject bad(std::string message) { return {400, std::move(message)}; }

bool isHost(std::string_view s) { return !s.empty() && std::all_of(s.begin(), s.end(), isHostChar); }

// Whether a comma-separated header holds the token.
bool lists(const Headers& headers, std::string_view lower_name, std::string_view token) {
    for (std::string_view rest = find(headers, lower_name); !rest.empty();) {
        const auto comma = rest.find(',');
        if (equalsIgnoreCase(trim(rest.substr(0, comma)), token)) return true;
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return false;
}

bool has(const Headers& headers, std::string_view lower_name) {
    return std::any_of(headers.begin(), headers.end(), [&](const auto& h) { return h.first == lower_name; });
}

// What can mean one thing only, and what two readers of a request must not read differently.
bool isSingular(std::string_view lower_name) {
    constexpr std::array<std::string_view, 6> kNames = {"authorization", "content-length",  "content-type",
                                                        "host",          "idempotency-key", "last-event-id"};
    return std::find(kNames.begin(), kNames.end(), lower_name) != kNames.end();
}

// RFC 9110, 5.3: several lines of a name are one value with commas, as any proxy may have joined them. So no
// later reader can take the first line for the whole, or an empty one for none.
std::optional<Reject> addField(Headers& out, std::string_view name, std::string_view value) {
    std::string lower_name = lower(name);
    const auto before =
        std::find_if(out.begin(), out.end(), [&](const auto& h) { return h.first == lower_name; });
    if (before == out.end()) {
        out.emplace_back(std::move(lower_name), value);
        return std::nullopt;
    }
    if (isSingular(lower_name)) return bad("There is more than one header " + std::string(name));
    before->second.append(", ").append(value);
    return std::nullopt;
}

struct RequestLine {
    std::string_view method, target, version;
};

std::variant<Reject, RequestLine> parseRequestLine(std::string_view line) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last)
        return bad("The request line is not 'METHOD TARGET HTTP/1.1'");
    const RequestLine out{line.substr(0, first), line.substr(first + 1, last - first - 1),
                          line.substr(last + 1)};
    if (!isToken(out.method)) return bad("The request method is not a token");
    if (out.target.empty() || !std::all_of(out.target.begin(), out.target.end(), isVisible) ||
        out.target.find('#') != std::string_view::npos)
        return bad("The request target holds characters that must be percent-encoded");
    const auto v = out.version;
    const bool well_formed = v.size() == 8 && v.starts_with("HTTP/") && v[6] == '.' && v[5] >= '0' &&
                             v[5] <= '9' && v[7] >= '0' && v[7] <= '9';
    if (!well_formed) return bad("The request line is not 'METHOD TARGET HTTP/1.1'");
    if (v[5] != '1') return Reject{505, "Only HTTP/1.1 and HTTP/1.0 are spoken here"};
    return out;
}

std::optional<Reject> parseFields(std::string_view block, Headers& out) {
    for (size_t lines = 0; !block.empty(); ++lines) {
        const auto newline = block.find('\n');
        auto line = block.substr(0, newline);
        block.remove_prefix(newline + 1);
        if (!line.ends_with('\r')) return bad("A header line does not end in CRLF");
        line.remove_suffix(1);
        if (line.empty()) return std::nullopt;
        if (lines == kMaxFields) return Reject{431, "There are more than 100 header fields"};
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || !isToken(line.substr(0, colon)))
            return bad("A header line is not 'Name: value'");
        const auto value = line.substr(colon + 1);
        if (!std::all_of(value.begin(), value.end(), isFieldContent))
            return bad("A header value holds control characters");
        if (auto reject = addField(out, line.substr(0, colon), trim(value))) return reject;
    }
    return std::nullopt;
}

std::optional<Reject> readLength(Head& head) {
    const auto text = find(head.headers, "content-length");
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, head.content_length);
    if (error != std::errc{} || stop != end || head.content_length > INT64_MAX)
        return bad("Content-Length is not a number of bytes");
    return std::nullopt;
}

std::optional<Reject> readFraming(Head& head) {
    const bool encoded = has(head.headers, "transfer-encoding");
    const bool measured = has(head.headers, "content-length");
    if (encoded && (measured || head.http10))
        return bad("Transfer-Encoding must not come with Content-Length or in HTTP/1.0");
    if (measured) return readLength(head);
    if (!encoded) return std::nullopt;
    if (!equalsIgnoreCase(find(head.headers, "transfer-encoding"), "chunked"))
        return Reject{501, "The only Transfer-Encoding understood here is chunked"};
    head.chunked = true;
    return std::nullopt;
}

std::optional<Reject> checkHost(const Head& head) {
    if (!has(head.headers, "host") && head.http10) return std::nullopt;
    if (!isHost(find(head.headers, "host"))) return bad("There must be exactly one valid Host header");
    return std::nullopt;
}

// "http://host/path" becomes "/path"; its host must be the Host header's, and is it where HTTP/1.0 has none.
std::optional<Reject> toOriginForm(Head& head) {
    if (head.target.starts_with('/') || head.target == "*") return std::nullopt;
    const std::string_view target = head.target;
    const auto scheme_end = target.find("://");
    const auto scheme = target.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos ||
        !(equalsIgnoreCase(scheme, "http") || equalsIgnoreCase(scheme, "https")))
        return bad("The request target is not a path");
    const auto rest = target.substr(scheme_end + 3);
    const auto authority_end = std::min(rest.find_first_of("/?"), rest.size());
    const auto authority = rest.substr(0, authority_end);
    if (!isHost(authority)) return bad("The request target names no valid host");
    if (!has(head.headers, "host"))
        head.headers.emplace_back("host", authority);
    else if (!equalsIgnoreCase(find(head.headers, "host"), authority))
        return bad("The request target and the Host header name different hosts");
    const auto path = rest.substr(authority_end);
    head.target = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
    return std::nullopt;
}

std::optional<Reject> interpret(Head& head) {
    if (auto r = checkHost(head)) return r;
    if (auto r = readFraming(head)) return r;
    if (auto r = toOriginForm(head)) return r;
    const bool says_close = lists(head.headers, "connection", "close");
    head.keep_alive = !says_close && (!head.http10 || lists(head.headers, "connection", "keep-alive"));
    const auto expect = find(head.headers, "expect");
    if (expect.empty() || head.http10) return std::nullopt;
    if (!equalsIgnoreCase(expect, "100-continue"))
        return Reject{417, "The only Expect understood here is 100-continue"};
    head.expect_continue = true;
    return std::nullopt;
}

// Past the empty line, or npos. A bare LF counts as a line end here so that its head is refused at once, not
// awaited.
size_t headEnd(std::string_view bytes, size_t from) {
    const auto strict = bytes.find("\n\r\n", from);
    const auto loose = bytes.find("\n\n", from);
    if (strict == std::string_view::npos && loose == std::string_view::npos) return std::string_view::npos;
    return strict < loose ? strict + 3 : loose + 2;
}

}  // namespace

Reject HeadScanner::tooLarge() const {
    return {431, "The request's headers are larger than " + std::to_string(max_head_) + " bytes"};
}

// Where the request line ends, if it is there and valid.
std::variant<MoreBytes, Reject, size_t> HeadScanner::lineEnd(std::string_view bytes) {
    // RFC 9112 2.2: empty lines before a request are skipped
    while (bytes.substr(start_).starts_with("\r\n")) start_ += 2;
    if (bytes.size() > max_head_ && start_ == bytes.size()) return tooLarge();
    if (bytes.substr(start_).empty() || bytes.substr(start_) == "\r") return MoreBytes{};

    const auto method_end =
        std::find_if_not(bytes.begin() + static_cast<ptrdiff_t>(start_), bytes.end(), isTokenChar);
    const auto method_size = static_cast<size_t>(method_end - bytes.begin()) - start_;
    if (method_size == 0 || method_size > kMaxMethod || (method_end != bytes.end() && *method_end != ' '))
        return bad("This is not an HTTP/1.1 request");

    const auto newline = bytes.find('\n', start_);
    if (std::min(newline, bytes.size()) - start_ > kMaxRequestLine)
        return Reject{414, "The request line is longer than 8 KiB"};
    if (newline == std::string_view::npos) {
        if (bytes.size() > max_head_) return tooLarge();
        return MoreBytes{};
    }
    if (bytes[newline - 1] != '\r') return bad("The request line does not end in CRLF");
    const auto line = parseRequestLine(bytes.substr(start_, newline - 1 - start_));
    if (const auto* reject = std::get_if<Reject>(&line)) return *reject;
    return newline;
}

std::variant<MoreBytes, Reject, Head> HeadScanner::look(std::string_view bytes) {
    if (newline_ == 0) {
        const auto line_end = lineEnd(bytes);
        if (const auto* reject = std::get_if<Reject>(&line_end)) return *reject;
        if (std::holds_alternative<MoreBytes>(line_end)) return MoreBytes{};
        newline_ = from_ = std::get<size_t>(line_end);
    }
    const auto end = headEnd(bytes, from_);
    if (std::min(end, bytes.size()) > max_head_) return tooLarge();
    if (end == std::string_view::npos) {
        // The end may have begun with the last two bytes.
        from_ = std::max(newline_, bytes.size() - 2);
        return MoreBytes{};
    }
    const auto line = parseRequestLine(bytes.substr(start_, newline_ - 1 - start_));
    const auto& [method, target, version] = std::get<RequestLine>(line);
    Head head;
    head.method = method;
    head.target = target;
    head.size = end;
    head.http10 = version == "HTTP/1.0";
    if (auto reject = parseFields(bytes.substr(newline_ + 1, end - newline_ - 1), head.headers))
        return *reject;
    if (auto reject = interpret(head)) return *reject;
    return head;
}

std::string_view find(const Headers& headers, std::string_view lower_name) {
    for (const auto& [name, value] : headers)
        if (name == lower_name) return value;
    return {};
}

}  // namespace stepper::http
