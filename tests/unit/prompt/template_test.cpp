#include "core/prompt/template.h"

#include <gtest/gtest.h>

namespace stepper::prompt {
namespace {

json::Document parsed(std::string_view text) { return std::move(json::parse(text)).value(); }

// Renders the "prompt", "payload" and "metadata" of a request.
Result<std::string> render(std::string_view request, Redaction redaction = Redaction::Off,
                           size_t max_bytes = kMaxPromptBytes) {
    const auto body = parsed(request);
    return renderPrompt(
        {json::find(body, "prompt"), json::find(body, "payload"), json::find(body, "metadata")}, redaction,
        max_bytes);
}

struct Case {
    const char* request;
    const char* rendered;
};

TEST(Template, Renders) {
    const Case cases[] = {
        {R"({"prompt":"  say {{ payload.a }} "})", "  say {{ payload.a }} "},
        {R"({"prompt":{"template":"a {{ payload.x }} b"},"payload":{"x":"1"}})", "a 1 b"},
        {R"({"prompt":{"template":"{{payload.x}}{{  payload.x  }}"},"payload":{"x":"1"}})", "11"},
        {R"({"prompt":{"template":"{{ payload.items.1.name }}"},"payload":{"items":[{},{"name":"n"}]}})",
         "n"},
        {R"({"prompt":{"template":"[{{ payload.items.2 }}{{ payload.items.x }}{{ payload.items.-1 }}]"},"payload":{"items":[1,2]}})",
         "[]"},
        {R"({"prompt":{"template":"{{ payload.0 }}"},"payload":{"0":"zero"}})", "zero"},
        {R"({"prompt":{"template":"{{ payload }}"},"payload":{"a":[1,true,null]}})",
         R"({"a":[1,true,null]})"},
        {R"({"prompt":{"template":"{{ payload.n }} {{ payload.b }} {{ payload.z }}"},"payload":{"n":1.5,"b":false,"z":null}})",
         "1.5 false null"},
        {R"({"prompt":{"template":"{{ variables.v }}-{{ metadata.m }}","variables":{"v":"V"}},"metadata":{"m":"M"}})",
         "V-M"},
        {R"({"prompt":{"template":"x{{ other.a }}{{ payload.gone.deep }}{{ }}{{ constructor }}y"},"payload":{}})",
         "xy"},
        {R"({"prompt":{"template":"x{{ payload.s.length }}{{ payload. }}y"},"payload":{"s":"text"}})", "xy"},
        {R"({"prompt":{"template":"open {{ payload.a"},"payload":{"a":1}})", "open {{ payload.a"},
        {R"({"prompt":{"template":"a }} b {{ payload.a }}"},"payload":{"a":1}})", "a }} b 1"},
        {R"({"prompt":{"template":"{{ a {{ payload.a }}"},"payload":{"a":1}})", "{{ a 1"},
        {R"({"prompt":{"template":"{\"v\":{{payload.a}}}"},"payload":{"a":1}})", R"({"v":1})"},
        {R"({"prompt":{"template":"{{{ payload.a }}}"},"payload":{"a":1}})", "{1}"},
        {R"({"prompt":{"instructions":"do","template":"{{ payload.a }}"},"payload":{"a":"it"}})", "do\n\nit"},
        {R"({"prompt":{"instructions":"do"},"payload":{"a":1}})", "do\n\nInput (JSON):\n{\n  \"a\": 1\n}"},
        {R"({"prompt":{"instructions":"do"}})", "do"},
        {R"({"prompt":{"instructions":"keep {{ payload.a }}"}})", "keep {{ payload.a }}"},
        {R"({"prompt":{},"payload":"just this"})", "just this"},
        {R"({"prompt":{},"payload":{"a":[1]}})", R"({"a":[1]})"},
        {R"({"prompt":{"preset":"x","template":" ","instructions":null,"payload":{"own":1}},"payload":{"a":1}})",
         R"({"own":1})"},
        {R"({"prompt":{"payload":null},"payload":"outer"})", "outer"},
    };
    for (const auto& c : cases) {
        const auto rendered = render(c.request);
        ASSERT_TRUE(rendered.ok()) << c.request << rendered.error().message;
        EXPECT_EQ(*rendered, c.rendered) << c.request;
    }
}

TEST(Template, NeverRendersAValueAgain) {
    const auto rendered = render(
        R"({"prompt":{"template":"{{ payload.user }}|{{ payload.open }}metadata.key }}"},
            "payload":{"user":"{{ metadata.key }}","open":"{{ "},"metadata":{"key":"hidden"}})");
    ASSERT_TRUE(rendered.ok());
    EXPECT_EQ(*rendered, "{{ metadata.key }}|{{ metadata.key }}");
}

TEST(Template, RefusesWithTheSentencesOfTheContract) {
    const Case cases[] = {
        {R"({})", "Missing required field: prompt"},
        {R"({"prompt":null})", "Missing required field: prompt"},
        {R"({"prompt":5})", "Invalid prompt: expected string or preset prompt object"},
        {R"({"prompt":["a"]})", "Invalid prompt: expected string or preset prompt object"},
        {R"({"prompt":{"template":5}})", "Invalid prompt.template: expected string"},
        {R"({"prompt":{"instructions":{}}})", "Invalid prompt.instructions: expected string"},
        {R"({"prompt":"   "})", "Rendered prompt is empty. Provide a non-empty prompt or template."},
        {R"({"prompt":{}})", "Rendered prompt is empty. Provide a non-empty prompt or template."},
        {R"({"prompt":{"template":"{{ payload.a }} \n"},"payload":{"b":1}})",
         "Rendered prompt is empty. Provide a non-empty prompt or template."},
    };
    for (const auto& c : cases) {
        const auto rendered = render(c.request);
        ASSERT_FALSE(rendered.ok()) << c.request;
        EXPECT_EQ(rendered.error().message, c.rendered);
        EXPECT_EQ(rendered.error().error_class, ErrorClass::InvalidRequest);
    }
}

TEST(Template, IsBounded) {
    EXPECT_TRUE(render(R"({"prompt":"12345678"})", Redaction::Off, 8).ok());
    EXPECT_FALSE(render(R"({"prompt":"123456789"})", Redaction::Off, 8).ok());

    std::string request = R"({"prompt":{"template":")";
    for (int i = 0; i < 1000; ++i) request += "{{ payload }}";
    request += R"("},"payload":")" + std::string(100'000, 'x') + "\"}";
    const auto rendered = render(request);
    ASSERT_FALSE(rendered.ok());
    EXPECT_EQ(rendered.error().message,
              "Rendered prompt is longer than 4194304 bytes. Shorten the template, the payload or the values "
              "it names.");
}

TEST(Template, RedactsTheRenderedPromptWhenAsked) {
    const char* request =
        R"({"prompt":{"template":"key {{ payload.k }}"},"payload":{"k":"AKIAIOSFODNN7EXAMPLE"}})";
    EXPECT_EQ(*render(request, Redaction::Off), "key AKIAIOSFODNN7EXAMPLE");
    EXPECT_EQ(*render(request, Redaction::On), "key [REDACTED:aws-access-key-id]");
}

}  // namespace
}  // namespace stepper::prompt
