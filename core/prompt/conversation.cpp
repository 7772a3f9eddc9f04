#include "core/prompt/conversation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.h"
#include "core/secrets/redact.h"

namespace stepper::prompt {
namespace {

Error invalid(std::string message) { return {ErrorClass::InvalidRequest, std::move(message)}; }

const json::Value* present(const json::Value* v) { return v && !v->IsNull() ? v : nullptr; }

std::string at(rapidjson::SizeType index) { return "messages[" + std::to_string(index) + "]"; }

bool isRole(std::string_view role) {
    constexpr std::array<std::string_view, 3> kRoles = {"system", "user", "assistant"};
    return std::find(kRoles.begin(), kRoles.end(), role) != kRoles.end();
}

Result<void> checkMessage(const json::Value& message, rapidjson::SizeType index) {
    if (!message.IsObject()) return invalid("Invalid " + at(index) + ": expected {\"role\", \"content\"}");
    if (!isRole(json::string(message, "role").value_or("")))
        return invalid("Invalid " + at(index) + ".role: expected 'system', 'user', or 'assistant'");
    const json::Value* content = json::find(message, "content");
    if (!content || !content->IsString())
        return invalid("Invalid " + at(index) + ".content: expected a string");
    return {};
}

Result<void> checkMessages(const json::Value& messages) {
    if (!messages.IsArray() || messages.Empty() || messages.Size() > kMostMessages)
        return invalid("Invalid messages: expected an array of 1 to " + std::to_string(kMostMessages) +
                       " messages");
    bool asks = false;
    for (rapidjson::SizeType i = 0; i < messages.Size(); ++i) {
        if (auto sound = checkMessage(messages[i], i); !sound) return sound;
        asks = asks || json::string(messages[i], "role") == "user";
    }
    if (!asks) return invalid("Invalid messages: none of them has the role 'user'");
    return {};
}

// The texts of one request, which share the room there is for all of them.
class Texts {
public:
    explicit Texts(const ConversationInput& input)
        : are_templates_(input.hasPlaces()), placeholders_(input.prompt) {}

    Result<std::string> rendered(std::string_view source) {
        Bounded out(room_);
        if (are_templates_)
            placeholders_.fillIn(source, out);
        else
            out.add(source);
        if (out.overflowed()) return tooLong();
        std::string text = std::move(out).take();
        room_ -= text.size();
        return text;
    }
    // Of a text that was rendered elsewhere.
    Result<void> count(std::string_view text) {
        if (text.size() > room_) return tooLong();
        room_ -= text.size();
        return {};
    }

private:
    static Error tooLong() {
        return invalid("The rendered texts are together longer than " + std::to_string(kMaxPromptBytes) +
                       " bytes. Shorten them, the payload or the values they name.");
    }

    const bool are_templates_;
    Placeholders placeholders_;
    size_t room_ = kMaxPromptBytes;
};

// What comes first of the system is one message: many servers take no second one.
void addSystem(Messages& to, std::string text) {
    if (isBlank(text)) return;
    if (!to.empty() && to.back().role == "system")
        to.back().content.append("\n\n").append(text);
    else
        to.push_back({"system", std::move(text)});
}

Result<void> addMessages(const json::Value& messages, Texts& texts, Messages& to) {
    bool begun = false;
    for (rapidjson::SizeType i = 0; i < messages.Size(); ++i) {
        const std::string_view role = *json::string(messages[i], "role");
        auto text = texts.rendered(*json::string(messages[i], "content"));
        if (!text) return std::move(text).error();
        if (isBlank(*text))
            return invalid("Rendered " + at(i) +
                           ".content is empty. Leave the message out or give it a text.");
        begun = begun || role != "system";
        if (begun)
            to.push_back({std::string(role), std::move(text).value()});
        else
            addSystem(to, std::move(text).value());
    }
    return {};
}

}  // namespace

bool ConversationInput::hasSystem() const {
    if (present(system)) return true;
    if (!present(messages)) return false;
    const auto all = messages->GetArray();
    return std::any_of(all.begin(), all.end(),
                       [](const json::Value& m) { return json::string(m, "role") == "system"; });
}

bool ConversationInput::hasPlaces() const {
    return messages ? present(prompt.payload) != nullptr : prompt.prompt && prompt.prompt->IsObject();
}

ConversationInput conversationIn(const json::Value& body) {
    return {{json::find(body, "prompt"), json::find(body, "payload"), json::find(body, "metadata")},
            present(json::find(body, "system")),
            present(json::find(body, "messages"))};
}

Result<void> checkConversation(const ConversationInput& input) {
    if (input.messages && present(input.prompt.prompt))
        return invalid("Invalid messages: a request has either a prompt or messages, not both");
    if (auto sound = input.messages ? checkMessages(*input.messages) : checkPrompt(input.prompt.prompt);
        !sound)
        return sound;
    if (input.system && !input.system->IsString()) return invalid("Invalid system: expected string");
    return {};
}

Result<Messages> renderConversation(const ConversationInput& input, Redaction redaction) {
    if (auto sound = checkConversation(input); !sound) return std::move(sound).error();
    Messages out;
    Texts texts(input);
    if (input.system) {
        auto system = texts.rendered(json::view(*input.system));
        if (!system) return std::move(system).error();
        addSystem(out, std::move(system).value());
    }
    if (input.messages) {
        if (auto added = addMessages(*input.messages, texts, out); !added) return std::move(added).error();
    } else {
        auto prompt = renderPrompt(input.prompt, Redaction::Off);
        if (!prompt) return std::move(prompt).error();
        if (auto fits = texts.count(*prompt); !fits) return std::move(fits).error();
        out.push_back({"user", std::move(prompt).value()});
    }
    if (redaction == Redaction::On)
        for (auto& message : out) message.content = secrets::redact(message.content);
    return out;
}

bool holds(const ConversationInput& input, std::string_view words) {
    const auto has = [&](const json::Value* v) {
        return v && v->IsString() && json::view(*v).find(words) != std::string_view::npos;
    };
    if (has(input.system)) return true;
    if (!input.messages || !input.messages->IsArray()) return false;
    const auto all = input.messages->GetArray();
    return std::any_of(all.begin(), all.end(),
                       [&](const json::Value& m) { return has(json::find(m, "content")); });
}

}  // namespace stepper::prompt
