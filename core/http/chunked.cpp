#include "core/http/chunked.h"

#include <algorithm>
#include <charconv>

namespace stepper::http {
namespace {

constexpr size_t kMaxLine = 4u << 10;
constexpr size_t kMaxTrailers = 8u << 10;

bool isControl(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

ChunkDecoder::State ChunkDecoder::feed(std::string_view& in, std::string& out, uint64_t max_body) {
    for (;;) {
        if (part_ == Part::Data) {
            if (left_ > max_body - out.size()) return State::TooLarge;
            const auto n = static_cast<size_t>(std::min<uint64_t>(left_, in.size()));
            out.append(in.substr(0, n));
            in.remove_prefix(n);
            left_ -= n;
            if (left_ > 0) return State::More;
            part_ = Part::DataEnd;
        }
        const auto newline = in.find('\n');
        if (std::min(newline, in.size()) > kMaxLine) return State::Bad;
        if (newline == std::string_view::npos) return State::More;
        if (newline == 0 || in[newline - 1] != '\r') return State::Bad;
        const auto line = in.substr(0, newline - 1);
        in.remove_prefix(newline + 1);
        if (const auto state = takeLine(line); state != State::More) return state;
    }
}

ChunkDecoder::State ChunkDecoder::takeLine(std::string_view line) {
    if (std::any_of(line.begin(), line.end(), isControl)) return State::Bad;
    switch (part_) {
        case Part::Data: break;
        case Part::DataEnd: part_ = Part::Size; return line.empty() ? State::More : State::Bad;
        case Part::Trailer:
            trailer_bytes_ += line.size() + 2;
            if (line.empty()) return State::Done;
            return trailer_bytes_ > kMaxTrailers ? State::Bad : State::More;
        case Part::Size: {
            const auto digits = line.substr(0, line.find(';'));
            const char* const end = digits.data() + digits.size();
            const auto [stop, error] = std::from_chars(digits.data(), end, left_, 16);
            if (digits.size() > 16 || error != std::errc{} || stop != end) return State::Bad;
            part_ = left_ == 0 ? Part::Trailer : Part::Data;
            return State::More;
        }
    }
    return State::Bad;
}

}  // namespace stepper::http
