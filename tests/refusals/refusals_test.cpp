// refusals.txt, which tells its format: each row is put to the real plugin as a transcript of two cases.
#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/text.h"
#include "core/plugin/proving/transcript.h"

namespace stepper::plugin {
namespace {

struct Row {
    int line = 0;
    std::string provider, door;  // the door: a plugin as configured in doors()
    int status = 0;
    std::string error_class, wait, source, headers, body;
};

// A plugin's file, how it is configured, and what comes before the row's response.
struct Door {
    std::string plugin, config, preamble, streamed_body;  // ROW stands for the row's body
};

const std::map<std::string, Door, std::less<>>& doors() {
    static const std::map<std::string, Door, std::less<>> kDoors = {
        {"openai-compatible",
         {"openai-compatible", R"({"base_url":"https://p.example/v1","model":"m"})", "", "data: ROW\n\n"}},
        {"anthropic", {"anthropic", R"({"base_url":"https://p.example","model":"m"})", "", "data: ROW\n\n"}},
        {"gemini", {"gemini", R"({"base_url":"https://p.example","model":"m"})", "", "data: ROW\n\n"}},
        {"cohere", {"cohere", R"({"base_url":"https://p.example","model":"m"})", "", "data: ROW\n\n"}},
        {"hfspace", {"hfspace", R"({"base_url":"https://me-app.hf.space"})", "", "ROW"}},
        {"hfspace-gradio",
         {"hfspace", R"({"base_url":"https://me-app.hf.space","options":{"mode":"gradio"}})",
          "head 200\nbody {\"event_id\":\"9f1c\"}\n", "event: error\ndata: ROW\n\n"}},
        {"http-template",
         {"http-template",
          R"({"base_url":"https://p.example","options":{"body":{"prompt":"{{prompt}}"},)"
          R"("response":{"text":"/result"},"error":{"when":"/error_code","message":"/error_msg","code":"/error_code"},)"
          R"("retry_after":{"header":"x-wait","unit":"ms"}}})",
          "", "ROW"}},
    };
    return kDoors;
}

std::vector<Row> readTable() {
    std::vector<Row> rows;
    std::ifstream in(TABLE);
    std::string text, provider, door;
    for (int line = 1; std::getline(in, text); ++line) {
        if (text.empty() || text.starts_with('#')) continue;
        if (text.starts_with("== ")) {
            const size_t comma = text.rfind(", ");
            provider = text.substr(3, comma - 3);
            door = text.substr(comma + 2);
        } else if (text.starts_with("    > ")) {
            rows.back().headers += (rows.back().headers.empty() ? "" : "; ") + text.substr(6);
        } else if (text.starts_with("    ")) {
            rows.back().body = text == "    (no body)" ? "" : text.substr(4);
        } else {
            Row row{line, provider, door, 0, {}, {}, {}, {}, "(missing)"};
            std::istringstream words(text.substr(0, text.find(" | ")));
            words >> row.status >> row.error_class >> row.wait;
            if (row.wait.empty()) row.wait = "none";
            row.source = text.substr(std::min(text.find(" | ") + 3, text.size()));
            rows.push_back(row);
        }
    }
    return rows;
}

const std::vector<Row>& table() {
    static const std::vector<Row> kRows = readTable();
    return kRows;
}

std::string caseFor(const Row& row, const Door& door, bool stream) {
    const bool success = row.status < 300;
    const bool framed = success && (stream || !door.preamble.empty());
    std::string body = framed ? door.streamed_body : "ROW";
    body.replace(body.find("ROW"), 3, row.body);
    std::string out = "case " + row.provider + (stream ? ", streamed\n" : "\n");
    out += R"(begin generate {"messages":[{"role":"user","content":"hi"}],"stream":)";
    out += stream ? "true}\n" : "false}\n";
    out += door.preamble + "head " + std::to_string(row.status) + " " + row.headers + "\n";
    out += "body <<END-OF-ROW\n" + body + "\nEND-OF-ROW\n";
    out += "expect fail " + row.error_class + " retry_after_ms=" + row.wait;
    if (!success) out += " status=" + std::to_string(row.status);
    return out + "\n";
}

class EachPlugin : public testing::TestWithParam<std::string> {};

TEST_P(EachPlugin, TakesRefusalsForWhatTheyAre) {
    const Door& door = doors().find(GetParam())->second;
    const auto image = PluginImage::open(std::string(PLUGINS) + "/" + door.plugin + ".so");
    ASSERT_TRUE(image) << image.error().message;
    int rows = 0;
    for (const Row& row : table()) {
        if (row.door != GetParam()) continue;
        ++rows;
        for (const bool stream : {false, true}) {
            const std::string text = "config " + door.config + "\n" + caseFor(row, door, stream);
            const auto transcript = parseTranscript(text, "row");
            ASSERT_TRUE(transcript) << transcript.error().message;
            for (const auto& failure : runCase(*image, *transcript, transcript->cases.at(0)))
                ADD_FAILURE() << "refusals.txt:" << row.line << ": " << row.provider << ", " << row.source
                              << ": " << failure.message << "\n  " << row.body;
        }
    }
    EXPECT_GT(rows, 0);
}

INSTANTIATE_TEST_SUITE_P(Refusals, EachPlugin,
                         testing::Values("openai-compatible", "anthropic", "gemini", "cohere", "hfspace",
                                         "hfspace-gradio", "http-template"),
                         [](const auto& door) {
                             std::string name = door.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(Refusals, AreManyFromManyAndEachHasASource) {
    std::set<std::string> providers, classes;
    std::set<std::pair<std::string, std::string>> bodies;
    for (const Row& row : table()) {
        EXPECT_TRUE(doors().contains(row.door)) << "refusals.txt:" << row.line << ": " << row.door;
        EXPECT_NE(row.source, "") << "refusals.txt:" << row.line;
        EXPECT_NE(row.body, "(missing)") << "refusals.txt:" << row.line;
        EXPECT_TRUE(bodies.insert({row.door + std::to_string(row.status) + row.headers, row.body}).second)
            << "refusals.txt:" << row.line << " is there twice";
        providers.insert(row.provider);
        classes.insert(row.error_class);
    }
    EXPECT_GE(table().size(), 200u);
    EXPECT_GE(providers.size(), 35u);
    EXPECT_GE(classes.size(), 11u);
}

}  // namespace
}  // namespace stepper::plugin
